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
	defaults Defaults
	wanted   chan struct{}

	mu      sync.Mutex // one Apply at a time
	byModel atomic.Pointer[map[string]*Gate]
}

// Defaults are for models whose limits and timeouts do not tell.
type Defaults struct {
	Queue        int           // requests that wait
	QueueTimeout time.Duration // for a turn
	LoadTimeout  time.Duration // for a model that is coming
}

// NewGates returns no gates yet.
func NewGates(d Defaults) *Gates {
	g := &Gates{defaults: d, wanted: make(chan struct{}, 1)}
	g.byModel.Store(&map[string]*Gate{})
	return g
}

// Wanted receives when a request begins to wait for a model that is not there.
func (g *Gates) Wanted() <-chan struct{} { return g.wanted }

// Apply puts a snapshot in force at once: new slots go to who waits; with fewer, nobody is interrupted; without a limit, or
// without the model, all go through. The gates of models that are coming are shut.
func (g *Gates) Apply(models []fleet.Model) {
	g.mu.Lock()
	defer g.mu.Unlock()
	before := *g.byModel.Load()
	after := make(map[string]*Gate, len(models))
	for _, m := range models {
		gate := before[m.ID]
		if gate == nil {
			gate = &Gate{model: m.ID, wanted: g.wanted, turned: make(chan struct{})}
		}
		limits := m.Limits
		limits.Queue = cmp.Or(limits.Queue, g.defaults.Queue)
		limits.QueueTimeout = cmp.Or(limits.QueueTimeout, g.defaults.QueueTimeout)
		gate.set(limits, cmp.Or(m.Timeouts.Load, g.defaults.LoadTimeout), m.Coming())
		after[m.ID] = gate
	}
	for id, gate := range before {
		if after[id] != nil {
			continue
		}
		gate.set(fleet.Limits{}, 0, false)
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
type Load struct {
	Inflight, Queued int
	LastUsed         time.Time // when the last request left, as far as was seen since the call before; zero for never
}

// Loads tells it of each gate, by model.
func (g *Gates) Loads() map[string]Load {
	gates := *g.byModel.Load()
	loads := make(map[string]Load, len(gates))
	for model, gate := range gates {
		loads[model] = Load{Inflight: int(gate.inflight.Load()), Queued: int(gate.queued.Load()), LastUsed: gate.lastUsed()}
	}
	return loads
}
