package process

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/fluidmcp/fluidmcp/services/supervisor/unit"
)

const (
	// Grace is how long a server may take to end after SIGTERM before its group is killed.
	Grace = 15 * time.Second
	// outputGrace is how long the output of a server that has ended is still waited for. It ends with the last process that holds
	// it, and one that left the group is not killed.
	outputGrace = time.Second
)

// Driver starts one command.
type Driver struct {
	Argv   []string // program and arguments; a program without a slash is looked up in PATH
	Dir    string   // working directory; "" is this process's
	Env    []string // "NAME=value", after and above the inherited environment
	Output io.Writer
	Guard  *Guard        // nil: nobody ends the server when this process is killed
	Grace  time.Duration // 0 means Grace
}

var _ unit.Driver = (*Driver)(nil)

// Start starts the command. A program that does not exist or must not be run is a permanent error.
func (d *Driver) Start() (unit.Server, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", d.Argv[0], err)
	}
	cmd := exec.Command(d.Argv[0], d.Argv[1:]...)
	cmd.Dir, cmd.Env = d.Dir, environment(os.Environ(), d.Env)
	cmd.Stdout, cmd.Stderr = w, w // one pipe keeps the order of the lines
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	err = cmd.Start()
	_ = w.Close() // the server has its own copy
	if err != nil {
		_ = r.Close()
		return nil, startError(d.Argv[0], err)
	}
	s := &server{
		group: cmd.Process.Pid,
		grace: d.Grace,
		stop:  make(chan struct{}, 1),
		done:  make(chan unit.Exit, 1),
	}
	if s.grace == 0 {
		s.grace = Grace
	}
	d.Guard.add(s.group)
	go s.run(cmd, r, d) // ends with the process, which the unit waits for through Done
	return s, nil
}

func startError(program string, err error) error {
	if errors.Is(err, exec.ErrNotFound) || errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		return &unit.Finding{Reason: unit.StartFailed, Permanent: true,
			Message: fmt.Sprintf("start %s: %v; install it, or correct command, cwd or PATH", program, err)}
	}
	return fmt.Errorf("start %s: %w", program, err)
}

// environment is what a server inherits, without the settings of the services, which hold tokens, and then its own.
func environment(inherited, own []string) []string {
	env := make([]string, 0, len(inherited)+len(own))
	for _, v := range inherited {
		if !strings.HasPrefix(v, "SUPERVISOR_") && !strings.HasPrefix(v, "GATEWAY_") {
			env = append(env, v)
		}
	}
	return append(env, own...)
}

type server struct {
	group int // process group, and pid of its leader
	grace time.Duration
	stop  chan struct{}
	done  chan unit.Exit
}

func (s *server) PID() int { return s.group }

func (s *server) Done() <-chan unit.Exit { return s.done }

// Stop begins to end the group.
func (s *server) Stop() {
	select {
	case s.stop <- struct{}{}:
	default: // it is being ended already
	}
}

// run sees the process to its end and cleans up behind it.
func (s *server) run(cmd *exec.Cmd, output *os.File, d *Driver) {
	copied := make(chan struct{})
	go func() {
		defer close(copied)
		_, _ = io.Copy(d.Output, output) // ends with the last writer, or when output is closed below
	}()
	leader := make(chan struct{})
	go func() {
		defer close(leader)
		awaitExit(cmd)
	}()
	s.await(leader)
	// What the leader leaves behind goes too. It is not reaped yet, so the number of the group cannot be anybody else's.
	signalGroup(s.group, syscall.SIGKILL)
	_ = cmd.Wait() // the exit is in ProcessState
	d.Guard.remove(s.group)
	late := time.AfterFunc(outputGrace, func() { _ = output.Close() })
	<-copied
	if late.Stop() {
		_ = output.Close()
	}
	s.done <- exitOf(cmd.ProcessState)
}

// await waits for the leader to exit, and makes it exit when Stop was called.
func (s *server) await(leader <-chan struct{}) {
	select {
	case <-leader:
		return
	case <-s.stop:
	}
	signalGroup(s.group, syscall.SIGTERM)
	select {
	case <-leader:
	case <-time.After(s.grace):
		signalGroup(s.group, syscall.SIGKILL)
		<-leader
	}
}

// signalGroup fails only when no process is left in the group.
func signalGroup(group int, sig syscall.Signal) { _ = syscall.Kill(-group, sig) }

func exitOf(state *os.ProcessState) unit.Exit {
	exit := unit.Exit{Code: state.ExitCode(), At: time.Now()}
	if ws, ok := state.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		exit.Code, exit.Signal = 128+int(ws.Signal()), ws.Signal().String()
	}
	return exit
}
