package admission

import (
	"cmp"
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
)

// Gates are those of all models.
type Gates struct {
	queue        int
	queueTimeout time.Duration

	mu      sync.Mutex // one Apply at a time
	byModel atomic.Pointer[map[string]*Gate]
}

// NewGates returns no gates yet. queue and queueTimeout are for models whose limits do not tell.
func NewGates(queue int, queueTimeout time.Duration) *Gates {
	g := &Gates{queue: queue, queueTimeout: queueTimeout}
	g.byModel.Store(&map[string]*Gate{})
	return g
}

// Apply puts the limits of a snapshot in force at once: new slots go to who waits; with fewer, nobody is interrupted; without
// a limit, or without the model, all go through.
func (g *Gates) Apply(models []fleet.Model) {
	g.mu.Lock()
	defer g.mu.Unlock()
	before := *g.byModel.Load()
	after := make(map[string]*Gate, len(models))
	for _, m := range models {
		gate := before[m.ID]
		if gate == nil {
			gate = &Gate{model: m.ID}
		}
		limits := m.Limits
		limits.Queue = cmp.Or(limits.Queue, g.queue)
		limits.QueueTimeout = cmp.Or(limits.QueueTimeout, g.queueTimeout)
		gate.setLimits(limits)
		after[m.ID] = gate
	}
	for id, gate := range before {
		if after[id] != nil {
			continue
		}
		gate.setLimits(fleet.Limits{})
		if gate.inflight.Load() > 0 { // kept, should the model come back
			after[id] = gate
		}
	}
	g.byModel.Store(&after)
}

// Enter is Gate.Enter at the gate of the ticket's model. A model without one, gone since it was found, has no limit.
func (g *Gates) Enter(ctx context.Context, t Ticket) (Slot, error) {
	gate := (*g.byModel.Load())[t.Model]
	if gate == nil {
		return Slot{}, nil
	}
	return gate.Enter(ctx, t)
}

// Load is how much goes on at a gate.
type Load struct{ Inflight, Queued int }

// Loads tells it of each gate, by model.
func (g *Gates) Loads() map[string]Load {
	gates := *g.byModel.Load()
	loads := make(map[string]Load, len(gates))
	for model, gate := range gates {
		loads[model] = Load{Inflight: int(gate.inflight.Load()), Queued: int(gate.queued.Load())}
	}
	return loads
}
