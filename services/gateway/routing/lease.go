package routing

import (
	"net/url"
	"slices"
	"time"

	"github.com/cespare/xxhash/v2"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
	"github.com/fluidmcp/fluidmcp/services/gateway/routing/pick"
)

// Request is what may decide which backend gets a request. The zero value is fine but for Random.
type Request struct {
	Prefix  []byte   // the prompt's first bytes, when the model NeedsPrefix
	Session string   // value of the header that the model's Routing.SessionHeader names
	Tried   []string // ids of backends that have failed this request
	Random  uint64   // drawn anew for each attempt
}

// Lease is the right to send one request to a backend.
type Lease struct {
	Backend fleet.Backend
	URL     *url.URL // parsed Backend.URL; not to be changed

	router *Router
	state  *state
	round  int // of the backend's health
}

// Acquire picks a backend of the model that is routable and not tried, and counts the request. It returns false when
// there is none.
func (r *Router) Acquire(model string, req Request) (Lease, bool) {
	now := r.now()
	hashed := pick.Request{Random: req.Random}
	if req.Session != "" {
		hashed.Session = xxhash.Sum64String(req.Session)
	}
	if len(req.Prefix) > 0 {
		hashed.Prefix = xxhash.Sum64(req.Prefix)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	table := r.table.Load()
	if table == nil {
		return Lease{}, false
	}
	m := table.byName[model]
	if m == nil {
		return Lease{}, false
	}
	r.room = m.candidates(r.room[:0], req.Tried, now)
	usable := pick.Usable(r.room)
	at := pick.Choose(m.Routing.Policy, usable, hashed)
	if at < 0 {
		return Lease{}, false
	}
	if len(req.Tried) == 0 { // not for a retry: with two backends every request would begin at the same one
		for _, c := range usable {
			m.backends[c.Index].state.credit = c.Credit
		}
	}
	b := m.backends[usable[at].Index]
	b.state.inflight++
	return Lease{Backend: b.Backend, URL: b.url, router: r, state: b.state, round: b.state.health.round}, true
}

// candidates appends the routable backends to list. Their warmth is that beside the warmest: when all are new, none has to
// start slowly.
func (m *Model) candidates(list []pick.Candidate, tried []string, now time.Time) []pick.Candidate {
	warmest := 0.0
	for i, b := range m.backends {
		if !b.Routable {
			continue
		}
		s := b.state
		c := pick.Candidate{Index: i, Key: b.key, Down: s.health.down, Ejected: s.health.ejected(now), Tried: slices.Contains(tried, b.ID),
			Weight: float64(max(1, b.Weight)), Warmth: s.health.warmth(now), Credit: s.credit}
		c.Load, c.KVUse = s.load(now)
		warmest = max(warmest, c.Warmth)
		list = append(list, c)
	}
	for i := range list {
		list[i].Warmth /= warmest
	}
	return list
}

// Report notes what the request has told of the backend, before or after Release.
func (l *Lease) Report(o Outcome) {
	l.router.mu.Lock()
	defer l.router.mu.Unlock()
	if o == Success && l.state.health.well() { // nearly always
		return
	}
	l.state.health.report(o, l.round, time.Now())
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
