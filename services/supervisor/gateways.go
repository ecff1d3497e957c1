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
	news  broadcast
}

type beat struct {
	fleet.Heartbeat
	at time.Time
}

func newGateways() *gateways {
	return &gateways{began: time.Now(), beats: map[string]beat{}, news: newBroadcast()}
}

func (g *gateways) beat(id string, hb fleet.Heartbeat) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.forget()
	g.beats[id] = beat{hb, time.Now()}
	g.news.fire()
}

// leave takes out a gateway that says it ends.
func (g *gateways) leave(id string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.beats, id)
	g.news.fire()
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
