package supervisor

import (
	"context"
	"time"

	"github.com/fluidmcp/fluidmcp/services/supervisor/board"
	"github.com/fluidmcp/fluidmcp/services/supervisor/driver/docker"
	"github.com/fluidmcp/fluidmcp/services/supervisor/unit"
)

// container is the driver of an instance that is a container.
func (s *Supervisor) container(i *board.Instance) *docker.Driver {
	return &docker.Driver{Session: s.engine, Name: i.Container, Model: i.Model.ID, Output: i.Output, Heard: func() time.Time { return heard(i) }}
}

// heard is when the last line of the instance's log was written down, by this supervisor or an earlier one.
func heard(i *board.Instance) time.Time {
	if last := i.Output.Last(1); len(last) > 0 {
		return last[0].Time
	}
	return time.Time{}
}

// created admits the start of a container once it exists, so that one that compose is about to create has not failed.
func (s *Supervisor) created(ctx context.Context, i *board.Instance, waiting waits) (release func(), err error) {
	var d *docker.Driver
	s.board.Read(func() { d = i.Driver.(*docker.Driver) })
	err = d.Await(ctx, func(why string) { waiting(unit.WaitingForDependency, why) })
	return func() {}, err
}
