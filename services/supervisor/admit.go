package supervisor

import (
	"context"

	"github.com/fluidmcp/fluidmcp/services/supervisor/board"
	"github.com/fluidmcp/fluidmcp/services/supervisor/loading"
	"github.com/fluidmcp/fluidmcp/services/supervisor/spec"
)

// admit is what an instance waits for before it loads. Slots are last, see loading.
func (s *Supervisor) admit(i *board.Instance) loading.Rule {
	of := func(rule func(context.Context, *board.Instance, waits) (func(), error)) loading.Rule {
		return func(ctx context.Context, waiting waits) (func(), error) { return rule(ctx, i, waiting) }
	}
	var rules []loading.Rule
	if i.Model.Driver == spec.Docker {
		rules = append(rules, of(s.created))
	}
	needs := loading.After(func() (string, <-chan struct{}) { return s.board.Missing(i.Model) })
	return loading.All(append(rules, needs, of(s.place), of(s.memory), s.slots)...)
}
