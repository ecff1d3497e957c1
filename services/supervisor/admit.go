package supervisor

import (
	"context"
	"fmt"
	"slices"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
	"github.com/fluidmcp/fluidmcp/services/supervisor/loading"
	"github.com/fluidmcp/fluidmcp/services/supervisor/spec"
	"github.com/fluidmcp/fluidmcp/services/supervisor/unit"
)

// admit is what an instance waits for before it loads. Slots are last, see loading.
func (s *Supervisor) admit(i *instance) loading.Rule {
	of := func(rule func(context.Context, *instance, waits) (func(), error)) loading.Rule {
		return func(ctx context.Context, waiting waits) (func(), error) { return rule(ctx, i, waiting) }
	}
	var rules []loading.Rule
	if i.model.Driver == spec.Docker {
		rules = append(rules, of(s.created))
	}
	needs := loading.After(func() (string, <-chan struct{}) { return s.missing(i.model) })
	return loading.All(append(rules, needs, of(s.place), of(s.memory), s.slots)...)
}

// missing says which of the models that a model depends on is not ready, "" when all are, and gives a channel that is closed when
// that may have changed.
func (s *Supervisor) missing(m *model) (what string, changed <-chan struct{}) {
	s.board.read(func() {
		changed = s.board.changes.next
		for _, id := range m.DependsOn {
			if what = s.board.lacks(id); what != "" {
				return
			}
		}
	})
	return what, changed
}

// lacks says why a model is not ready, "" when it is. The board is locked.
func (b *board) lacks(id string) string {
	at, found := b.place(id)
	if !found {
		return fmt.Sprintf("the model %q is not there any more", id)
	}
	now := b.models[at].foremost()
	switch {
	case now.Routable():
		return ""
	case now.Phase == fleet.Stopped && now.Desired == unit.Stopped:
		return fmt.Sprintf("the model %q is stopped; start it", id)
	}
	text := fmt.Sprintf("the model %q is %s", id, now.Phase)
	if why := message(now.State); why != "" {
		text += ": " + why
	}
	return text
}

// needed tells whether a model that depends on this one may still have requests to answer.
func (b *board) needed(id string) (yes bool) {
	b.read(func() { yes = b.anyOf(id, func(i *instance) bool { return !i.rests() }) })
	return yes
}

// anyOf tells whether something holds of an instance of a model that depends on this one. The board is locked.
func (b *board) anyOf(id string, holds func(*instance) bool) bool {
	return slices.ContainsFunc(b.models, func(m *model) bool {
		return slices.Contains(m.DependsOn, id) && slices.ContainsFunc(m.instances, holds)
	})
}

// rests tells whether an instance answers nothing any more. The board is locked.
func (i *instance) rests() bool {
	return i.over() || i.status.Phase == fleet.Stopping || i.status.Phase == fleet.Stopped
}
