// Package pinned runs a server on one core, before all others where that is wanted, and tells what it costs: its processor time and its
// memory.
package pinned

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/prometheus/procfs"
)

// Process is a server in a session of its own, which its children share, on one core.
type Process struct {
	cmd   *exec.Cmd
	log   string
	Ended chan struct{} // closed when it has ended
}

// Start starts a program. What it prints goes to a file in dir.
func Start(core int, dir string, env, argv []string) (*Process, error) {
	path, err := LookPath(argv[0])
	if err != nil {
		return nil, err
	}
	p := &Process{log: filepath.Join(dir, "log"), Ended: make(chan struct{})}
	out, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer out.Close()
	p.cmd = exec.Command("taskset", append([]string{"-c", strconv.Itoa(core), path}, argv[1:]...)...) //nolint:noctx // ended as a group by stop
	p.cmd.Env = append(os.Environ(), env...)
	p.cmd.Stdout, p.cmd.Stderr = out, out
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", argv[0], err)
	}
	go func() {
		_ = p.cmd.Wait() // what it was ended by tells nothing
		close(p.Ended)
	}()
	return p, nil
}

// Stop ends the process and its children, and waits for the process.
func (p *Process) Stop() {
	for _, how := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		p.Signal(how)
		select {
		case <-p.Ended:
			p.Signal(syscall.SIGKILL) // children that did not end with it
			return
		case <-time.After(5 * time.Second):
		}
	}
	<-p.Ended
}

// Signal reaches the process and its children.
func (p *Process) Signal(how syscall.Signal) { _ = syscall.Kill(-p.cmd.Process.Pid, how) } // it may have ended by itself

// Used is the processor time of the process and its children, and the memory that they have now.
type Used struct {
	Seconds float64
	Bytes   int
}

// Used reads it from /proc.
func (p *Process) Used() (Used, error) {
	all, err := p.all()
	if err != nil {
		return Used{}, err
	}
	var sum Used
	for _, one := range all {
		stat, err := one.Stat()
		if err != nil {
			continue // it has ended
		}
		sum.Seconds += stat.CPUTime() + float64(stat.CUTime+stat.CSTime)/100
		sum.Bytes += stat.ResidentMemory()
	}
	return sum, nil
}

// all are the process and its children.
func (p *Process) all() (procfs.Procs, error) {
	all, err := procfs.AllProcs()
	if err != nil {
		return nil, fmt.Errorf("read /proc: %w", err)
	}
	return slices.DeleteFunc(all, func(one procfs.Proc) bool {
		stat, err := one.Stat()
		return err != nil || stat.Session != p.cmd.Process.Pid
	}), nil
}

// Busy is the time that all processes of the machine have had, in seconds.
func Busy() (float64, error) {
	fs, err := procfs.NewDefaultFS()
	if err != nil {
		return 0, err
	}
	stat, err := fs.Stat()
	if err != nil {
		return 0, fmt.Errorf("read /proc/stat: %w", err)
	}
	c := stat.CPUTotal
	return c.User + c.Nice + c.System + c.IRQ + c.SoftIRQ + c.Steal, nil
}

// Await asks until the answer is 200.
func (p *Process) Await(ctx context.Context, limit time.Duration, ask func(context.Context) (int, error)) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	for {
		status, err := ask(ctx)
		select {
		case <-p.Ended: // what answered then is another server on the same port
			return fmt.Errorf("it ended: %s", p.tail())
		default:
		}
		if status == http.StatusOK {
			return nil
		}
		select {
		case <-p.Ended:
		case <-ctx.Done():
			return fmt.Errorf("not ready within %s: status %d, %w: %s", limit, status, err, p.tail())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// tail is the end of what the process has printed.
func (p *Process) tail() string {
	text, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-400):])
}

// LookPath finds a program where shells do, and where Debian puts servers.
func LookPath(name string) (string, error) {
	path, err := exec.LookPath(name)
	if errors.Is(err, exec.ErrNotFound) && !strings.Contains(name, "/") {
		return exec.LookPath(filepath.Join("/usr/sbin", name))
	}
	return path, err
}
