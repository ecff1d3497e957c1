package guide

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"
)

// terminal is another window, in which a program runs on.
type terminal struct {
	cmd    *exec.Cmd
	block  string        // what it runs
	output string        // path of what it printed
	seen   int           // bytes of it that the guide has spoken of
	exited chan struct{} // closed once the program has ended
}

// open starts a block in a terminal of its own. It begins as a new window does: without what was exported elsewhere, but
// in the folder where the reader is.
func (r *Runner) open(ctx context.Context, name, dir, block string) (*terminal, error) {
	base := filepath.Join(r.Work, "terminal-"+name)
	if err := os.WriteFile(base+".sh", []byte(block), 0o600); err != nil {
		return nil, err
	}
	out, err := os.Create(base + ".out")
	if err != nil {
		return nil, err
	}
	defer out.Close()
	t := &terminal{block: block, output: out.Name(), exited: make(chan struct{})}
	t.cmd = exec.CommandContext(ctx, "bash", "--noprofile", "--norc", "-eo", "pipefail", base+".sh")
	t.cmd.Dir, t.cmd.Env, t.cmd.Stdout, t.cmd.Stderr = dir, r.Env, out, out
	t.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C reaches the group
	if err := r.Network.start(t.cmd); err != nil {
		return nil, err
	}
	go func() {
		defer close(t.exited)
		_ = t.cmd.Wait() // interrupt looks at the exit code
	}()
	return t, nil
}

// await waits until the terminal shows what the guide shows: from its first line on, or later below what it showed before.
func (t *terminal) await(ctx context.Context, shown string) error {
	start := `\A`
	if t.seen > 0 {
		start = `(?m:^)`
	}
	want := regexp.MustCompile(start + pattern(shown))
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for ended := false; ; {
		output, err := os.ReadFile(t.output)
		if err != nil {
			return err
		}
		unseen := output[t.seen:]
		if found := want.FindIndex(unseen); found != nil {
			t.seen += found[1]
			return nil
		}
		if ended || ctx.Err() != nil {
			return fmt.Errorf("the guide shows\n%s\nbut the terminal shows\n%s", indent(shown), indent(string(unseen)))
		}
		select {
		case <-t.exited:
			ended = true // one more look
		case <-ctx.Done():
		case <-tick.C:
		}
	}
}

// interrupt presses Ctrl-C and waits for the end, which has to be a good one.
func (t *terminal) interrupt() error {
	pid := t.cmd.Process.Pid
	defer func() { _ = killGroup(pid) }()
	_ = syscall.Kill(-pid, syscall.SIGINT)
	select {
	case <-t.exited:
	case <-time.After(patience):
		_ = killGroup(pid)
		<-t.exited
		return errors.New("ignores Ctrl-C")
	}
	state := t.cmd.ProcessState
	status, _ := state.Sys().(syscall.WaitStatus)
	code := state.ExitCode()
	if code == 1 && strings.HasPrefix(t.block, "go run ") {
		code = 0 // go itself exits with 1 when it was interrupted, whatever the program did
	}
	if code == 0 || code == 130 || status.Signal() == syscall.SIGINT {
		return nil
	}
	output, _ := os.ReadFile(t.output)
	return fmt.Errorf("ended with %s after\n%s", state, indent(string(output)))
}
