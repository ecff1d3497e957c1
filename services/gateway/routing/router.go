package routing

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
	"github.com/fluidmcp/fluidmcp/services/gateway/routing/pick"
)

// Router holds the table in force and what is known of the backends.
type Router struct {
	began time.Time
	table atomic.Pointer[Table]
	idle  chan struct{} // receives when a backend that takes no new requests has no old ones left

	mu     sync.Mutex // guards what follows and each state's fields; makes picking and counting one step
	states map[string]*state
	room   []pick.Candidate // for one Acquire after the other
}

// state is what is known of a backend across snapshots.
type state struct {
	url      string
	routable bool
	inflight int64
	health   health
	polled   polled
	credit   float64 // turns that pick owes it
}

// NewRouter returns a router without a table.
func NewRouter() *Router {
	return &Router{began: time.Now(), idle: make(chan struct{}, 1), states: make(map[string]*state)}
}

// now is time.Now, but asks one clock in place of two.
func (r *Router) now() time.Time { return r.began.Add(time.Since(r.began)) }

// Table returns the table in force, or nil before the first snapshot.
func (r *Router) Table() *Table { return r.table.Load() }

// Idle receives after the last request left a backend that is no longer routable.
func (r *Router) Idle() <-chan struct{} { return r.idle }

// Apply puts a snapshot in force. Once it returned no request starts on a backend that the snapshot does not offer.
// The error names what of it cannot be used; the rest is in force.
func (r *Router) Apply(s fleet.Snapshot) error {
	now := time.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	before := r.states
	r.states = make(map[string]*state)
	table, err := newTable(s, func(id string) *state {
		if before[id] == nil {
			before[id] = &state{}
		}
		r.states[id] = before[id]
		return before[id]
	})
	for _, m := range table.Models {
		for _, b := range m.backends {
			b.state.follow(b.Backend, now)
		}
	}
	for id, old := range before {
		if r.states[id] == nil && old.inflight > 0 { // gone from the fleet, still busy
			old.routable = false
			r.states[id] = old
		}
	}
	r.table.Store(table)
	return err
}

// follow takes over what a snapshot says. A backend that the supervisor has just found ready, or moved, is not the one that
// failed before.
func (s *state) follow(b fleet.Backend, now time.Time) {
	if b.Routable && !s.routable || b.URL != s.url {
		s.health.begin(now)
		s.polled = polled{}
	}
	s.routable, s.url = b.Routable, b.URL
}

// SetUp notes whether a backend has answered to a probe that was begun at a time, and tells whether that counts: unknown ids do not, and
// neither does what was asked before the backend moved, or came back: that was another one.
func (r *Router) SetUp(id string, up bool, asked time.Time) bool {
	now := time.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.states[id]
	if s == nil || asked.Before(s.health.since) {
		return false
	}
	s.health.setUp(up, now)
	return true
}
