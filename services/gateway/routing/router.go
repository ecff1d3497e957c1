package routing

import (
	"net/url"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
)

// Router holds the table in force and what is in flight.
type Router struct {
	table atomic.Pointer[Table]
	idle  chan struct{} // receives when a backend that takes no new requests has no old ones left

	mu     sync.Mutex // guards states, turn and each state's fields; makes picking and counting one step
	states map[string]*state
	turn   uint64
}

// state is what is known of a backend across snapshots.
type state struct {
	inflight int64
	routable bool
	down     bool
}

// NewRouter returns a router without a table.
func NewRouter() *Router {
	return &Router{idle: make(chan struct{}, 1), states: make(map[string]*state)}
}

// Table returns the table in force, or nil before the first snapshot.
func (r *Router) Table() *Table { return r.table.Load() }

// Idle receives after the last request left a backend that is no longer routable.
func (r *Router) Idle() <-chan struct{} { return r.idle }

// Apply puts a snapshot in force. Once it returned no request starts on a backend that the snapshot does not offer.
// The error names what of it cannot be used; the rest is in force.
func (r *Router) Apply(s fleet.Snapshot) error {
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
			if b.Routable && !b.state.routable {
				b.state.down = false // the supervisor has just found it ready
			}
			b.state.routable = b.Routable
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

// Lease is the right to send one request to a backend.
type Lease struct {
	Backend fleet.Backend
	URL     *url.URL // parsed Backend.URL; not to be changed

	router *Router
	state  *state
}

// Acquire picks a backend of the model that is routable and not among tried, and counts the request. It returns nil
// when there is none.
func (r *Router) Acquire(model string, tried []string) *Lease {
	r.mu.Lock()
	defer r.mu.Unlock()
	table := r.table.Load()
	if table == nil {
		return nil
	}
	m := table.byName[model]
	if m == nil {
		return nil
	}
	var usable []*backend
	var candidates []Candidate
	for _, b := range m.backends {
		if b.Routable && !slices.Contains(tried, b.ID) {
			usable = append(usable, b)
			candidates = append(candidates, Candidate{Inflight: b.state.inflight, Down: b.state.down})
		}
	}
	at := Pick(candidates, r.turn)
	if at < 0 {
		return nil
	}
	if len(tried) == 0 {
		r.turn++ // not for a retry: with two backends every request would begin at the same one
	}
	b := usable[at]
	b.state.inflight++
	return &Lease{Backend: b.Backend, URL: b.url, router: r, state: b.state}
}

// Release ends the request's time on the backend. It is called once.
func (l *Lease) Release() {
	l.router.mu.Lock()
	defer l.router.mu.Unlock()
	l.state.inflight--
	if l.state.inflight == 0 && !l.state.routable {
		select {
		case l.router.idle <- struct{}{}:
		default: // a signal is waiting already
		}
	}
}

// Report notes whether the backend could be reached.
func (l *Lease) Report(up bool) { l.router.SetUp(l.Backend.ID, up) }

// SetUp notes whether a backend answers. Unknown ids are ignored.
func (r *Router) SetUp(id string, up bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if s := r.states[id]; s != nil {
		s.down = !up
	}
}
