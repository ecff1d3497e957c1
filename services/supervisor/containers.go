package supervisor

import (
	"context"
	"time"

	"github.com/fluidmcp/fluidmcp/services/supervisor/driver/docker"
	"github.com/fluidmcp/fluidmcp/services/supervisor/unit"
)

// container is the driver of an instance that is a container.
func (s *Supervisor) container(i *instance) *docker.Driver {
	return &docker.Driver{Session: s.engine, Name: i.Container, Model: i.model.ID, Output: i.output, Heard: i.heard}
}

// heard is when the last line of the instance's log was written down, by this supervisor or an earlier one.
func (i *instance) heard() time.Time {
	if last := i.output.Last(1); len(last) > 0 {
		return last[0].Time
	}
	return time.Time{}
}

// created admits the start of a container once it exists, so that one that compose is about to create has not failed.
func (s *Supervisor) created(ctx context.Context, i *instance, waiting waits) (release func(), err error) {
	var d *docker.Driver
	s.board.read(func() { d = i.driver.(*docker.Driver) })
	err = d.Await(ctx, func(why string) { waiting(unit.WaitingForDependency, why) })
	return func() {}, err
}
