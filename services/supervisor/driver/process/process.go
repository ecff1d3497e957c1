package process

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"syscall"
	"time"

	"github.com/fluidmcp/fluidmcp/services/supervisor/driver/process/ledger"
	"github.com/fluidmcp/fluidmcp/services/supervisor/runner"
	"github.com/fluidmcp/fluidmcp/services/supervisor/unit"
)

const (
	// Grace is how long a server may take to end after SIGTERM before it is killed.
	Grace = 15 * time.Second
	// startGrace is how long a guard may take to say that it has started the server. It needs some milliseconds.
	startGrace = 30 * time.Second
	// outputGrace is how long the output of a server that has ended is still waited for. It ends with the last process that holds
	// it, and where a guard was killed one may have got away.
	outputGrace = time.Second
)

// Driver starts one command.
type Driver struct {
	Argv   []string // program and arguments; a program without a slash is looked up in PATH
	Dir    string   // working directory; "" is this process's
	Env    []string // "NAME=value", after and above the inherited environment
	URL    string   // where the server will answer; "" when that cannot be told
	Output io.Writer
	Guard  []string       // a command that calls RunGuard with the arguments that follow
	Ledger *ledger.Ledger // of what runs
	Name   string         // of the server in it
	Grace  time.Duration  // 0 means Grace
}

var _ runner.Driver = (*Driver)(nil)

// Start starts the command. It is an error when something listens already where the server will, and a permanent one when the
// program does not exist or must not be run.
func (d *Driver) Start(context.Context) (runner.Server, error) {
	if err := d.free(); err != nil {
		return nil, err
	}
	s, err := d.begin()
	if err != nil {
		return nil, err
	}
	if err := s.started(d); err != nil {
		s.abandon()
		return nil, err
	}
	go s.run(d) // ends with the server, which the unit waits for through Done
	return s, nil
}

// begin starts the guard.
func (d *Driver) begin() (s *server, err error) {
	s = &server{grace: d.Grace, ended: make(chan unit.Exit, 1), copied: make(chan struct{})}
	if s.grace == 0 {
		s.grace = Grace
	}
	var theirs [3]*os.File // orders, output, reports
	defer func() {
		for _, f := range theirs {
			_ = f.Close() // the guard has its own copies
		}
		if err != nil {
			s.close()
			err = startError(d.Argv[0], err)
		}
	}()
	var errs [3]error
	theirs[0], s.orders, errs[0] = os.Pipe()
	s.output, theirs[1], errs[1] = os.Pipe()
	s.reports, theirs[2], errs[2] = os.Pipe()
	if err := errors.Join(errs[:]...); err != nil {
		return s, err
	}
	s.guard = exec.Command(d.Guard[0], append(d.Guard[1:len(d.Guard):len(d.Guard)], d.Argv...)...)
	s.guard.Dir, s.guard.Env = d.Dir, environment(os.Environ(), d.Env)
	s.guard.Stdin, s.guard.Stdout, s.guard.Stderr = theirs[0], theirs[1], theirs[1] // one pipe keeps the order of the lines
	s.guard.ExtraFiles = theirs[2:]
	s.guard.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // a Ctrl-C at the terminal is not for it
	if d.Dir != "" {
		if _, err := os.Stat(d.Dir + "/."); err != nil { // os/exec would tell of the program instead
			return s, err
		}
	}
	return s, s.guard.Start()
}

func startError(program string, err error) error {
	permanent := errors.Is(err, exec.ErrNotFound) || errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission)
	return fault(program, err.Error(), permanent)
}

// fault says in one line what hindered a start and how to mend it.
func fault(program, text string, permanent bool) error {
	if permanent {
		return &unit.Finding{Reason: unit.StartFailed, Permanent: true,
			Message: fmt.Sprintf("start %s: %s; install it, or correct command, cwd or PATH", program, text)}
	}
	return fmt.Errorf("start %s: %s", program, text)
}
