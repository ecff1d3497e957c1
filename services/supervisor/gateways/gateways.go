package gateways

import (
	"context"
	"sync"
	"time"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
)

// alive is how long a gateway counts after its last heartbeat. They come every second.
const alive = 5 * time.Second

// A supervisor that had no processor when a gateway's time was over finds its timers that late. What gateways said meanwhile is yet to be
// read then, so it looks again before it takes them for dead and ends what they use.
const (
	starved   = 10 * time.Millisecond
	lookAgain = time.Second
)

// Gateways knows what the gateways last said.
type Gateways struct {
	began time.Time
	mu    sync.Mutex
	beats map[string]beat
	lost  time.Time     // when one was, or the first is still waited for
	news  chan struct{} // closed with the next word
}

type beat struct {
	fleet.Heartbeat
	at     time.Time
	used   map[string]time.Time // by model, when this gateway told of a request for it
	silent *time.Timer          // until it is dropped
}

// New knows of no gateway yet.
func New() *Gateways {
	return &Gateways{began: time.Now(), beats: map[string]beat{}, lost: time.Now(), news: make(chan struct{})}
}

// Beat takes in what a gateway says.
func (g *Gateways) Beat(id string, hb fleet.Heartbeat) {
	g.mu.Lock()
	defer g.mu.Unlock()
	b, before := beat{Heartbeat: hb, at: time.Now()}, g.beats[id]
	b.used = b.since(before)
	if before.silent != nil {
		before.silent.Stop()
	}
	b.silent = time.AfterFunc(alive, func() { g.expire(id, b.at, false) })
	g.beats[id] = b
	g.wake()
}

// leave takes out a gateway that says it ends.
func (g *Gateways) leave(id string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.drop(id)
}

// expire drops a gateway of which nothing was heard since a beat.
func (g *Gateways) expire(id string, at time.Time, again bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch b, known := g.beats[id]; {
	case !known || !b.at.Equal(at): // it left, or has spoken just now
	case !again && time.Since(at) > alive+starved:
		b.silent = time.AfterFunc(lookAgain, func() { g.expire(id, at, true) })
		g.beats[id] = b
	default:
		g.drop(id)
	}
}

// drop takes out a gateway. The gateways are locked.
func (g *Gateways) drop(id string) {
	delete(g.beats, id)
	g.lost = time.Now()
	g.wake()
}

// wake tells those who wait for the next word. The gateways are locked.
func (g *Gateways) wake() {
	close(g.news)
	g.news = make(chan struct{})
}

// Heard returns a channel that is closed with the next word of a gateway.
func (g *Gateways) Heard() <-chan struct{} {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.news
}

// Live counts the gateways.
func (g *Gateways) Live() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.beats)
}

// Introduced returns once every gateway that knew an earlier supervisor has had the time to find this one and to tell what it carries,
// or ctx ends.
func (g *Gateways) Introduced(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-time.After(time.Until(g.began.Add(alive))):
	}
}

// Drained returns once every live gateway has applied the revision and has nothing in flight on the backend, or ctx ends.
func (g *Gateways) Drained(ctx context.Context, epoch string, revision uint64, backend string) {
	for {
		settled, news := g.settled(epoch, revision, backend)
		if settled {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-news:
		}
	}
}

func (g *Gateways) settled(epoch string, revision uint64, backend string) (bool, <-chan struct{}) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, b := range g.beats {
		if b.Epoch != epoch || b.Revision < revision || b.Inflight[backend] > 0 {
			return false, g.news
		}
	}
	return true, nil
}
