package servers

import (
	"context"

	"go.uber.org/zap"

	"github.com/fluidmcp/fluidmcp/services/supervisor/board"
	"github.com/fluidmcp/fluidmcp/services/supervisor/driver/docker"
	"github.com/fluidmcp/fluidmcp/services/supervisor/loading"
	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest"
	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest/argv"
	"github.com/fluidmcp/fluidmcp/services/supervisor/unit"
)

// waits tells a unit what its start waits for.
type waits = func(unit.Reason, string)

// admit is what an instance waits for before it loads. Slots are last, see loading.
func (s *Servers) admit(i *board.Instance) loading.Rule {
	of := func(rule func(context.Context, *board.Instance, waits) (func(), error)) loading.Rule {
		return func(ctx context.Context, waiting waits) (func(), error) { return rule(ctx, i, waiting) }
	}
	var rules []loading.Rule
	if i.Model.Driver == manifest.Docker {
		rules = append(rules, of(s.created))
	}
	needs := loading.After(func() (string, <-chan struct{}) { return s.Board.Missing(i.Model) })
	return loading.All(append(rules, needs, of(s.Demand.Place), of(s.memory), s.Slots)...)
}

// created admits the start of a container once it exists, so that one that compose is about to create has not failed.
func (s *Servers) created(ctx context.Context, i *board.Instance, waiting waits) (release func(), err error) {
	var d *docker.Driver
	s.Board.Read(func() { d = i.Driver.(*docker.Driver) })
	err = d.Await(ctx, func(why string) { waiting(unit.WaitingForDependency, why) })
	return func() {}, err
}

// memory admits the start of an instance once the GPUs that it takes have room for it.
func (s *Servers) memory(ctx context.Context, i *board.Instance, waiting waits) (release func(), err error) {
	var takes *argv.GPU
	s.Board.Read(func() { takes = i.Coming().GPU })
	if takes == nil {
		return func() {}, nil
	}
	return s.GPUs.Admit(ctx, takes.Share, takes.Taken(), func(what string) { waiting(unit.WaitingForMemory, what) })
}

// freed waits until the GPUs of an instance whose server has ended have their memory back, and says what they lack.
func (s *Servers) freed(ctx context.Context, i *board.Instance) string {
	var took *argv.GPU
	s.Board.Read(func() { took = i.GPU })
	if took == nil {
		return ""
	}
	lack := s.GPUs.Freed(ctx, took.Share, took.Taken())
	if lack != "" && ctx.Err() == nil {
		s.Log.Warn("a model server has ended, and its memory is not free", zap.String("instance", i.ID), zap.String("detail", lack))
		return "its server has ended, but " + lack + "; something else has the rest"
	}
	return ""
}
