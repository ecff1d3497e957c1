package board

import (
	"fmt"
	"slices"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
	"github.com/fluidmcp/fluidmcp/services/supervisor/unit"
)

// Missing says which of the models that a model depends on is not ready, "" when all are, and gives a channel that is closed when
// that may have changed.
func (b *Board) Missing(m *Model) (what string, changed <-chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, id := range m.DependsOn {
		if what = b.lacks(id); what != "" {
			break
		}
	}
	return what, b.news
}

// lacks says why a model is not ready, "" when it is. The board is locked.
func (b *Board) lacks(id string) string {
	at, found := b.place(id)
	if !found {
		return fmt.Sprintf("the model %q is not there any more", id)
	}
	now := b.models[at].Foremost()
	switch {
	case now.Routable():
		return ""
	case now.Phase == fleet.Stopped && now.Desired == unit.Stopped:
		return fmt.Sprintf("the model %q is stopped; start it", id)
	}
	text := fmt.Sprintf("the model %q is %s", id, now.Phase)
	if why := Message(now.State); why != "" {
		text += ": " + why
	}
	return text
}

// Needed tells whether a model that depends on this one may still have requests to answer.
func (b *Board) Needed(id string) (yes bool) {
	b.Read(func() { yes = b.AnyOf(id, func(i *Instance) bool { return !i.Rests() }) })
	return yes
}

// AnyOf tells whether something holds of an instance of a model that depends on this one. The board is locked.
func (b *Board) AnyOf(id string, holds func(*Instance) bool) bool {
	return slices.ContainsFunc(b.models, func(m *Model) bool {
		return slices.Contains(m.DependsOn, id) && slices.ContainsFunc(m.Servers, holds)
	})
}
