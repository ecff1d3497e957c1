package supervisor

import (
	"context"
	"sync"
	"time"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
)

// gatewayAlive is how long a gateway counts after its last heartbeat. They come every second.
const gatewayAlive = 5 * time.Second

// gateways knows what the gateways last said.
type gateways struct {
	began time.Time
	mu    sync.Mutex
	beats map[string]beat
	lost  time.Time // when one was, or the first is still waited for
	news  broadcast
}

type beat struct {
	fleet.Heartbeat
	at   time.Time
	used map[string]time.Time // by model, when this gateway told of a request for it
}

func newGateways() *gateways {
	return &gateways{began: time.Now(), beats: map[string]beat{}, lost: time.Now(), news: newBroadcast()}
}

func (g *gateways) beat(id string, hb fleet.Heartbeat) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.forget()
	b := beat{Heartbeat: hb, at: time.Now()}
	b.used = b.since(g.beats[id])
	g.beats[id] = b
	g.news.fire()
}

// leave takes out a gateway that says it ends.
func (g *gateways) leave(id string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.beats, id)
	g.lost = time.Now()
	g.news.fire()
}

// heard returns a channel that is closed with the next word of a gateway.
func (g *gateways) heard() <-chan struct{} {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.news.next
}

// live counts the gateways.
func (g *gateways) live() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.forget()
	return len(g.beats)
}

// forget drops the gateways that have fallen silent.
func (g *gateways) forget() {
	for id, b := range g.beats {
		if time.Since(b.at) >= gatewayAlive {
			delete(g.beats, id)
			g.lost = time.Now()
		}
	}
}

// introduced returns once every gateway that knew an earlier supervisor has had the time to find this one and to tell what it carries,
// or ctx ends.
func (g *gateways) introduced(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-time.After(time.Until(g.began.Add(gatewayAlive))):
	}
}

// drained returns once every live gateway has applied the revision and has nothing in flight on the backend, or ctx ends.
func (g *gateways) drained(ctx context.Context, epoch string, revision uint64, backend string) {
	for {
		settled, news := g.settled(epoch, revision, backend)
		if settled {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-news:
		case <-time.After(gatewayAlive): // the last gateway may fall silent, and then there is no news
		}
	}
}

func (g *gateways) settled(epoch string, revision uint64, backend string) (bool, <-chan struct{}) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.forget()
	for _, b := range g.beats {
		if b.Epoch != epoch || b.Revision < revision || b.Inflight[backend] > 0 {
			return false, g.news.next
		}
	}
	return true, nil
}
