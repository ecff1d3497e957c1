package supervisor_test

import (
	"context"
	"sync"
	"time"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
)

// gateway is the part of a gateway that a supervisor sees. Like a real one it repeats every second what it said last, so that a test
// takes as long as it takes.
type gateway struct {
	s      *stack
	id     string
	client fleet.Client

	mu   sync.Mutex
	last *fleet.Heartbeat // nil before the first, and once it has left
}

// gateway makes one that leaves with the test.
func (s *stack) gateway(id string) *gateway {
	s.t.Helper()
	g := &gateway{s: s, id: id, client: fleet.Client{URL: s.url, Token: s.token, HTTP: s.client}}
	ctx, end := context.WithCancel(context.Background())
	var repeating sync.WaitGroup
	repeating.Go(func() { g.repeat(ctx) })
	s.t.Cleanup(func() {
		end()
		repeating.Wait()
		_ = g.client.Leave(context.Background(), id) // if the supervisor is still there
	})
	return g
}

func (g *gateway) repeat(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		g.mu.Lock()
		if g.last != nil {
			_ = g.client.Heartbeat(ctx, g.id, *g.last) // its end is no failure
		}
		g.mu.Unlock()
	}
}

// say sends a heartbeat, with the snapshot as the one in force.
func (g *gateway) say(snapshot fleet.Snapshot, hb fleet.Heartbeat) {
	g.s.t.Helper()
	hb.Epoch, hb.Revision = snapshot.Epoch, snapshot.Revision
	g.mu.Lock()
	defer g.mu.Unlock()
	if err := g.client.Heartbeat(g.s.t.Context(), g.id, hb); err != nil {
		g.s.t.Fatal(err)
	}
	g.last = &hb
}

// beat says how many requests are in flight at m-0.
func (g *gateway) beat(snapshot fleet.Snapshot, n int) {
	g.s.t.Helper()
	g.say(snapshot, fleet.Heartbeat{Inflight: map[string]int{"m-0": n}})
}

func (g *gateway) leave() {
	g.s.t.Helper()
	g.mu.Lock()
	defer g.mu.Unlock()
	g.last = nil
	if err := g.client.Leave(g.s.t.Context(), g.id); err != nil {
		g.s.t.Fatal(err)
	}
}
