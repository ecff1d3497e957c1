package guide

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// patience bounds one block, and the wait for what a program in the background prints. A cold compile of everything takes minutes.
const patience = 5 * time.Minute

// setup makes the shell end at the first command that fails, and say which one that was.
const setup = `set -eo pipefail
trap 'printf "[line %s of the block: %s: exit code %s]\n" "$LINENO" "$BASH_COMMAND" "$?" >&2' ERR
`

// shell is the reader's own terminal.
type shell struct {
	cmd    *exec.Cmd
	input  io.WriteCloser
	status *os.File      // one line with the working directory after each block that succeeded
	lines  *bufio.Reader // of status
	dir    string        // the working directory
	env    []string      // what is exported
	work   string        // for scripts and outputs
	count  int
}

func newShell(ctx context.Context, r *Runner) (*shell, error) {
	s := &shell{dir: r.Dir, env: r.Env, work: r.Work}
	s.cmd = exec.CommandContext(ctx, "bash", "--noprofile", "--norc")
	s.cmd.Dir, s.cmd.Env = r.Dir, r.Env
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	var err error
	if s.input, err = s.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	status, report, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer report.Close()
	s.status, s.lines = status, bufio.NewReader(status)
	s.cmd.ExtraFiles = []*os.File{report}
	if err := r.Network.start(s.cmd); err != nil {
		return nil, fmt.Errorf("start bash: %w", err)
	}
	_, err = io.WriteString(s.input, setup)
	return s, err
}

// run types a block and returns what it printed.
func (s *shell) run(ctx context.Context, block string) (string, error) {
	s.count++
	base := filepath.Join(s.work, fmt.Sprintf("block-%d", s.count))
	if err := os.WriteFile(base+".sh", []byte(block), 0o600); err != nil {
		return "", err
	}
	// The block gets no status pipe: what it leaves in the background would keep it open.
	line := fmt.Sprintf(". '%[1]s.sh' >'%[1]s.out' 2>&1 </dev/null 3>&-\nenv -0 >'%[1]s.env'\nprintf '%%s\\n' \"$PWD\" >&3\n", base)
	if _, err := io.WriteString(s.input, line); err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	defer context.AfterFunc(ctx, s.kill)()
	dir, err := s.lines.ReadString('\n')
	output, readErr := os.ReadFile(base + ".out")
	switch {
	case ctx.Err() != nil:
		return string(output), fmt.Errorf("not done within %s", patience)
	case err != nil:
		return string(output), errors.New("a command failed")
	case readErr != nil:
		return "", readErr
	}
	s.dir = strings.TrimSuffix(dir, "\n")
	env, err := os.ReadFile(base + ".env")
	s.env = nil
	for variable := range bytes.SplitSeq(bytes.TrimSuffix(env, []byte{0}), []byte{0}) {
		s.env = append(s.env, string(variable))
	}
	return string(output), err
}

// runOutside types a block where the internet can be reached. Changes of directory and variables do not come back.
func (s *shell) runOutside(ctx context.Context, block string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash", "--noprofile", "--norc", "-c", setup+block)
	cmd.Dir, cmd.Env = s.dir, s.env
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return killGroup(cmd.Process.Pid) }
	cmd.WaitDelay = time.Second
	output, err := cmd.CombinedOutput()
	return string(output), err
}

// close ends the shell and all that it left.
func (s *shell) close() {
	s.kill()
	_ = s.input.Close()
	_ = s.cmd.Wait()
	_ = s.status.Close()
}

func (s *shell) kill() { _ = killGroup(s.cmd.Process.Pid) }

func killGroup(pid int) error { return syscall.Kill(-pid, syscall.SIGKILL) }
