package supervisor

import (
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
	"github.com/fluidmcp/fluidmcp/services/supervisor/spec"
	"github.com/fluidmcp/fluidmcp/services/supervisor/unit"
)

// board knows the models, which come and go with the models file, and what every unit last said of itself.
type board struct {
	epoch string

	mu       sync.Mutex
	models   []*model // ordered by id
	groups   map[string]spec.SwapGroup
	revision uint64
	silent   int // units that have not said anything yet
	changes  broadcast
	firing   bool // fireLater is at work
}

func newBoard() *board { return &board{epoch: rand.Text(), changes: newBroadcast()} }

// begin takes in the models of the first plan. There is no snapshot before each of their units has said something.
func (b *board) begin(models []*model) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.models = models
	for _, m := range models {
		for _, i := range m.instances {
			i.greet()
			i.silent = true
			b.silent++
		}
	}
}

// list returns the models as they are now, ordered by id.
func (b *board) list() []*model {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.models)
}

// find returns the model with the id, or nil.
func (b *board) find(id string) *model {
	b.mu.Lock()
	defer b.mu.Unlock()
	if at, found := b.place(id); found {
		return b.models[at]
	}
	return nil
}

// place tells where the model with the id is or would be. The board is locked.
func (b *board) place(id string) (at int, found bool) {
	return slices.BinarySearchFunc(b.models, id, func(m *model, id string) int { return cmp.Compare(m.ID, id) })
}

// servers returns the instances of a model as they are now.
func (b *board) servers(m *model) []*instance {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(m.instances)
}

// status returns what the unit of an instance last said.
func (b *board) status(i *instance) unit.Status {
	b.mu.Lock()
	defer b.mu.Unlock()
	return i.status
}

// put takes in a model whose id is new.
func (b *board) put(m *model) {
	b.change(func() {
		for _, i := range m.instances {
			i.greet()
		}
		at, _ := b.place(m.ID)
		b.models = slices.Insert(b.models, at, m)
	})
}

// drop takes a model out.
func (b *board) drop(m *model) {
	b.change(func() { b.models = slices.DeleteFunc(b.models, func(other *model) bool { return other == m }) })
}

// add gives a model one more instance.
func (b *board) add(m *model, i *instance) {
	b.change(func() {
		i.greet()
		m.instances = append(slices.Clip(m.instances), i)
	})
}

// renew makes an instance what its file says by now, and tells whether it was something else.
func (b *board) renew(i *instance) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if i.next == nil {
		return false
	}
	i.Instance, i.next = *i.next, nil
	return true
}

// coming is what the next start of the instance runs. The board is locked.
func (i *instance) coming() spec.Instance {
	if i.next != nil {
		return *i.next
	}
	return i.Instance
}

// greet gives an instance a status before its unit has said anything. No snapshot waits for the first word of one that joins later.
func (i *instance) greet() { i.status, i.silent = unit.Status{State: i.unit.First()}, false }

// remove takes an instance out of a model.
func (b *board) remove(m *model, i *instance) {
	b.change(func() {
		m.instances = slices.DeleteFunc(slices.Clone(m.instances), func(other *instance) bool { return other == i })
	})
}

// change calls f with the board locked, and tells watchers that there is something to see.
func (b *board) change(f func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	f()
	b.revision++
	b.changes.fire()
}

// news wakes watchers of what is no part of a snapshot.
func (b *board) news() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.changes.fire()
}

// broadcast wakes everybody who waits. It is guarded by its owner's lock.
type broadcast struct{ next chan struct{} }

func newBroadcast() broadcast { return broadcast{make(chan struct{})} }

func (b *broadcast) fire() {
	close(b.next)
	b.next = make(chan struct{})
}

// update stores a unit's status and returns the one before. Watchers learn of it when there is something to see: of a phase at once,
// of a message alone within a second.
func (b *board) update(i *instance, now unit.Status) unit.Status {
	b.mu.Lock()
	defer b.mu.Unlock()
	before := i.status
	i.status = now
	first := i.silent
	if first {
		i.silent = false
		b.silent--
	}
	switch {
	case first || before.Phase != now.Phase || before.Reason != now.Reason || before.Starts != now.Starts ||
		before.Desired != now.Desired || before.Asleep != now.Asleep:
		b.revision++
		i.shown = b.revision
		b.changes.fire()
	case before.Message != now.Message:
		b.revision++
		b.fireLater()
	}
	return before
}

// messagesEvery is how often watchers hear of messages alone: a fleet that loads tells its progress all the time.
const messagesEvery = time.Second

// fireLater wakes watchers once for all that happens until then. The board is locked.
func (b *board) fireLater() {
	if b.firing {
		return
	}
	b.firing = true
	time.AfterFunc(messagesEvery, func() {
		b.read(func() {
			b.firing = false
			b.changes.fire()
		})
	})
}

// shown returns the revision that first showed the present phase of an instance.
func (b *board) shown(i *instance) uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return i.shown
}

// Changed returns a channel that is closed with the next change.
func (b *board) Changed() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.changes.next
}

var errNotReconciled = errors.New("the models have not been looked at for the first time yet")

// Snapshot is the fleet for gateways. There is none before every unit has begun: a gateway would take that for an empty fleet.
func (b *board) Snapshot(keys bool) (fleet.Snapshot, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.silent > 0 {
		return fleet.Snapshot{}, errNotReconciled
	}
	snapshot := fleet.Snapshot{Epoch: b.epoch, Revision: b.revision, Models: make([]fleet.Model, 0, len(b.models))}
	for _, m := range b.models {
		snapshot.Models = append(snapshot.Models, m.fleet(keys))
	}
	return snapshot, nil
}

// read calls f with everything on the board at rest.
func (b *board) read(f func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	f()
}

// fleet is a model as gateways see it. The board is locked.
func (m *model) fleet(keys bool) fleet.Model {
	first := m.foremost()
	out := fleet.Model{
		ID: m.ID, Aliases: m.Aliases, ServedName: m.ServedName,
		Phase: first.Phase, Reason: string(first.Reason), Message: message(first.State), OnDemand: first.Desired == unit.OnDemand,
		Routing: m.Routing, Limits: m.Limits,
		Timeouts: fleet.Timeouts{Connect: m.Timeouts.Connect, FirstByte: m.Timeouts.FirstByte, Idle: m.Timeouts.Idle, Total: m.Timeouts.Total, Load: m.Timeouts.Load},
		Backends: make([]fleet.Backend, 0, len(m.instances)),
	}
	for _, i := range m.instances {
		b := fleet.Backend{ID: i.ID, URL: i.Dial, Routable: i.status.Routable(), Weight: i.Weight}
		if keys {
			b.APIKey = m.APIKey.Reveal()
		}
		out.Backends = append(out.Backends, b)
	}
	return out
}

// order says which instance speaks for a model of several: the best of those that run, then the worst of the rest.
var order = []fleet.Phase{fleet.Ready, fleet.Starting, fleet.Pending, fleet.Unhealthy, fleet.Draining, fleet.Stopping, fleet.Backoff,
	fleet.Failed, fleet.Stopped}

// foremost is the status that speaks for the model. The board is locked.
func (m *model) foremost() unit.Status {
	for _, phase := range order {
		for _, i := range m.instances {
			if i.status.Phase == phase {
				return i.status
			}
		}
	}
	if len(m.instances) == 0 { // all of them have just been taken out
		return unit.Status{State: unit.State{Desired: unit.Stopped, Phase: fleet.Stopped}}
	}
	return m.instances[0].visible()
}

// message is a state's sentence for people, with what comes next.
func message(s unit.State) string {
	switch s.Phase {
	case fleet.Backoff:
		return fmt.Sprintf("%s; starting again in %s", s.Message, s.RetryAt.Sub(s.Since).Round(100*time.Millisecond))
	case fleet.Failed:
		return s.Message + "; it stays down until it is started"
	}
	return s.Message
}
