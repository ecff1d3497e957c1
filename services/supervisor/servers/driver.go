package servers

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/fluidmcp/fluidmcp/services/supervisor/board"
	"github.com/fluidmcp/fluidmcp/services/supervisor/driver/docker"
	"github.com/fluidmcp/fluidmcp/services/supervisor/driver/external"
	"github.com/fluidmcp/fluidmcp/services/supervisor/driver/process"
	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest"
	"github.com/fluidmcp/fluidmcp/services/supervisor/runner"
)

// Runnable tells whether there is a driver for every model.
func Runnable(file *manifest.File) error {
	var faults []error
	for _, m := range file.Models {
		if m.Driver == manifest.Kubernetes {
			faults = append(faults, fmt.Errorf("model %q: driver %s is not available yet; "+
				"with endpoints alone its server is watched and used, but not started or stopped", m.ID, m.Driver))
		}
	}
	return errors.Join(faults...)
}

// driver makes what starts the instance as it is.
func (s *Servers) driver(i *board.Instance) runner.Driver {
	switch i.Model.Driver {
	case manifest.External:
		return external.Driver{}
	case manifest.Docker:
		return s.container(i)
	}
	var from manifest.Instance
	s.Board.Read(func() { from = i.Instance })
	return &process.Driver{
		Argv: resolve(from.Argv, s.Commands), Dir: from.Dir, Env: from.Env.List(), URL: from.Dial, Output: i.Output,
		Guard: s.Guard, Ledger: s.Ledger, Name: i.ID,
	}
}

// driver starts an instance as the file says by then. Its methods are called one at a time.
type driver struct {
	s *Servers
	i *board.Instance
}

// Start implements runner.Driver.
func (d driver) Start(ctx context.Context) (runner.Server, error) {
	if d.s.Board.Renew(d.i) {
		next := d.s.driver(d.i)
		d.s.Board.Read(func() { d.i.Driver = next })
	}
	return d.i.Driver.Start(ctx)
}

// Adopt implements runner.Adopter.
func (d driver) Adopt(ctx context.Context) (runner.Server, error) {
	if a, ok := d.i.Driver.(runner.Adopter); ok {
		return a.Adopt(ctx)
	}
	return nil, nil
}

// resolve replaces the program of a command line by what stands for it.
func resolve(argv []string, commands map[string][]string) []string {
	if program, ok := commands[argv[0]]; ok {
		return append(program[:len(program):len(program)], argv[1:]...)
	}
	return argv
}

// container is the driver of an instance that is a container.
func (s *Servers) container(i *board.Instance) *docker.Driver {
	return &docker.Driver{Session: s.Engine, Name: i.Container, Model: i.Model.ID, Output: i.Output, Heard: func() time.Time { return heard(i) }}
}

// Absent is docker.Absent when the instance is a container that does not exist.
func (s *Servers) Absent(ctx context.Context, i *board.Instance) error {
	if i.Model.Driver != manifest.Docker {
		return nil
	}
	return s.container(i).Absent(ctx)
}

// heard is when the last line of the instance's log was written down, by this supervisor or an earlier one.
func heard(i *board.Instance) time.Time {
	if last := i.Output.Last(1); len(last) > 0 {
		return last[0].Time
	}
	return time.Time{}
}
