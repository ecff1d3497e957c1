package swap

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
)

// Groups knows who waits and who has a place. It is for any number of goroutines.
type Groups struct {
	mu     sync.Mutex
	models map[string]*model
}

// model is one that waits for a place or has one. Its servers have it together.
type model struct {
	group   string
	since   time.Time       // it waits
	turn    chan struct{}   // closed when it gets its place; nil when it does not wait
	queue   map[string]bool // servers that wait
	servers map[string]Server
}

// Server is one that has a part in its model's place.
type Server struct {
	Phase    fleet.Phase
	Launched time.Time
	ReadyAt  time.Time // zero when it has not been since
}

// New returns groups without members.
func New() *Groups { return &Groups{models: map[string]*model{}} }

// Enter waits until the model has a place in its group, for one of its servers. It tells waiting once, before it waits, in a sentence
// for people. Moved gives the place back. The error is that of ctx.
func (g *Groups) Enter(ctx context.Context, group, id, server string, waiting func(string)) error {
	turn, why := g.want(group, id, server)
	if turn == nil {
		return nil
	}
	waiting(why)
	select {
	case <-turn:
		return nil
	case <-ctx.Done():
		g.forgo(id, server)
		return ctx.Err()
	}
}

// want puts a server in the queue of its model, and the model in that of its group. The channel is nil when it has its place already.
func (g *Groups) want(group, id, server string) (<-chan struct{}, string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	m := g.model(id)
	m.group = group
	if len(m.servers) > 0 {
		m.servers[server] = Server{Phase: fleet.Pending}
		return nil, ""
	}
	if m.turn == nil {
		m.since, m.turn = time.Now(), make(chan struct{})
	}
	m.queue[server] = true
	return m.turn, g.why(id)
}

func (g *Groups) model(id string) *model {
	m := g.models[id]
	if m == nil {
		m = &model{queue: map[string]bool{}, servers: map[string]Server{}}
		g.models[id] = m
	}
	return m
}

// why says who is before a model.
func (g *Groups) why(id string) string {
	own := g.models[id]
	var loaded []string
	ahead := 0
	for _, other := range slices.Sorted(maps.Keys(g.models)) {
		m := g.models[other]
		switch {
		case m == own || m.group != own.group:
		case len(m.servers) > 0:
			loaded = append(loaded, other)
		default:
			ahead++
		}
	}
	text := "waits for a place in swap group " + own.group
	if len(loaded) > 0 {
		text += ", where " + strings.Join(loaded, ", ") + " is loaded"
	}
	if ahead > 0 {
		text += fmt.Sprintf(" and %d others wait", ahead)
	}
	return text
}

// forgo takes a server out that does not wait any more, also when its model's turn has just come.
func (g *Groups) forgo(id, server string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	m := g.models[id]
	if m == nil {
		return
	}
	delete(m.queue, server)
	if m.servers[server].Phase == fleet.Pending {
		delete(m.servers, server)
	}
	g.tidy(id)
}

// tidy drops what nobody waits for or has any more.
func (g *Groups) tidy(id string) {
	m := g.models[id]
	if len(m.queue) == 0 {
		m.turn = nil
		if len(m.servers) == 0 {
			delete(g.models, id)
		}
	}
}

// Moved says where a server of a member is. One that has a process has a part in the place of its model, also when it never asked, as
// one that was there before.
func (g *Groups) Moved(group, id, server string, now Server) {
	g.mu.Lock()
	defer g.mu.Unlock()
	m := g.model(id)
	m.group = group
	switch now.Phase {
	case fleet.Starting, fleet.Ready, fleet.Unhealthy, fleet.Draining, fleet.Stopping:
		m.servers[server] = now
	case fleet.Pending: // of one that has ended, or that has its place and waits for something else
		if m.servers[server].Phase != fleet.Pending {
			delete(m.servers, server)
		}
	default:
		delete(m.servers, server)
	}
	g.tidy(id)
}

// Use is what is known of the requests for a model.
type Use struct {
	Busy   bool      // there are some
	Last   time.Time // when there was one
	Needed bool      // it keeps its place: another one that runs depends on it
}

// Settle gives places to those whose turn it is and returns the models that have to make room, which the caller drains.
func (g *Groups) Settle(limits map[string]Limits, use func(id string) Use) (evict []string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	groups := map[string][]member{}
	for id, m := range g.models {
		if len(m.servers) > 0 && len(m.queue) > 0 { // one of them was found running
			m.place()
		}
		one := m.member(id)
		if one.stage == ready {
			u := use(id)
			one.busy, one.used, one.needed = u.Busy, u.Last, u.Needed
		}
		groups[m.group] = append(groups[m.group], one)
	}
	for name, members := range groups {
		l := limits[name]
		l.Loaded = max(1, l.Loaded)
		admit, out := decide(l, members, time.Now())
		for _, id := range admit {
			g.models[id].place()
		}
		evict = append(evict, out...)
	}
	slices.Sort(evict)
	return evict
}

// place gives the model's place to all of its servers that wait.
func (m *model) place() {
	for server := range m.queue {
		m.servers[server] = Server{Phase: fleet.Pending}
	}
	clear(m.queue)
	close(m.turn)
	m.turn = nil
}

// member sums up the servers of a model.
func (m *model) member(id string) member {
	one := member{model: id, stage: leaving, since: m.since}
	if len(m.servers) == 0 {
		one.stage = waiting
		return one
	}
	for _, s := range m.servers {
		switch s.Phase {
		case fleet.Draining, fleet.Stopping:
		case fleet.Ready:
			if one.stage == leaving {
				one.stage, one.since = ready, s.ReadyAt
			}
			if s.ReadyAt.After(one.since) {
				one.since = s.ReadyAt
			}
			one.took = max(one.took, s.ReadyAt.Sub(s.Launched))
		default:
			one.stage = loading
		}
	}
	return one
}
