package admission_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
	"github.com/fluidmcp/fluidmcp/services/gateway/admission"
)

// rig is the gate of model m and the requests at it, by name.
type rig struct {
	*testing.T
	gates *admission.Gates

	mu     sync.Mutex
	order  []string // in which they got their turn
	slots  map[string]admission.Slot
	errs   map[string]error
	cancel map[string]context.CancelFunc
}

func newRig(t *testing.T, l fleet.Limits) *rig {
	r := &rig{T: t, gates: admission.NewGates(admission.Defaults{Queue: 10, QueueTimeout: 30 * time.Second, LoadTimeout: time.Hour}),
		slots: map[string]admission.Slot{}, errs: map[string]error{}, cancel: map[string]context.CancelFunc{}}
	r.apply(l)
	return r
}

func (r *rig) apply(l fleet.Limits) { r.gates.Apply([]fleet.Model{{ID: "m", Limits: l}}) }

// turn puts the model into a phase.
func (r *rig) turn(phase fleet.Phase, l fleet.Limits) {
	r.gates.Apply([]fleet.Model{{ID: "m", Phase: phase, OnDemand: true, Limits: l, Timeouts: fleet.Timeouts{Load: time.Minute},
		Backends: []fleet.Backend{{ID: "m-0", Routable: phase == fleet.Ready}}}})
	synctest.Wait()
}

// enter begins a request and returns once it is in, refused or waiting.
func (r *rig) enter(name string, ticket admission.Ticket) {
	ctx, cancel := context.WithCancel(r.Context())
	r.enterUntil(ctx, name, ticket)
	r.cancel[name] = cancel
}

func (r *rig) enterUntil(ctx context.Context, name string, ticket admission.Ticket) {
	ticket.Model = "m"
	go func() {
		slot, err := r.gates.Enter(ctx, ticket)
		r.mu.Lock()
		defer r.mu.Unlock()
		if err != nil {
			r.errs[name] = err
			return
		}
		r.order = append(r.order, name)
		r.slots[name] = slot
	}()
	synctest.Wait()
}

func (r *rig) leave(names ...string) {
	r.Helper()
	for _, name := range names {
		r.mu.Lock()
		slot, ok := r.slots[name]
		delete(r.slots, name)
		r.mu.Unlock()
		if !ok {
			r.Fatalf("%s is not in", name)
		}
		slot.Leave()
		synctest.Wait()
	}
}

// leaveAll lets one after the other go and returns the order in which they had got in.
func (r *rig) leaveAll() []string {
	for i := 0; i < len(r.order); i++ {
		if _, in := r.slots[r.order[i]]; in {
			r.leave(r.order[i])
		}
	}
	r.expect(0, 0)
	return r.order
}

func (r *rig) expect(inflight, queued int) {
	r.Helper()
	if l := r.gates.Loads()["m"]; l.Inflight != inflight || l.Queued != queued {
		r.Errorf("%d in flight and %d queued, want %d and %d", l.Inflight, l.Queued, inflight, queued)
	}
}

func key(k string) admission.Ticket { return admission.Ticket{Key: k} }
