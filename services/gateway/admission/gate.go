package admission

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
)

// Gate lets at most so many requests at once through to a model; the others wait for their turn. While the model is coming, that
// is, none of its servers takes requests but one will, the gate is shut: those that may are held in the same queue.
//
// inflight counts the slots that are taken. Whoever frees a slot or adds one hands it to the next in the queue (wake), which
// takes it in that one's name, so nothing can come between. Without a limit nobody waits, and nobody needs the lock.
type Gate struct {
	model    string
	inflight atomic.Int64
	limit    atomic.Int64 // 0 for none, shut for nobody
	queued   atomic.Int64 // len of the queue, for who does not hold the lock
	left     atomic.Int64 // how many have had their slot and gone
	wanted   chan<- struct{}

	mu      sync.Mutex
	limits  fleet.Limits
	load    time.Duration // the longest wait while it is shut
	opened  time.Time     // when it was shut last and then opened
	turned  chan struct{} // closed when it is shut or opened
	queue   queue
	service time.Duration // mean time in a slot, of late; 0 when unknown
	seen    int64         // left, when it was looked at last
	used    time.Time     // when it was seen to have grown
}

// shut is the limit of a gate that lets nobody through.
const shut = -1

// Enter returns a slot, when need be after waiting for it. The error is a *QueueError, or that of ctx when its deadline passed or
// it was cancelled, that is, when the client has left.
func (g *Gate) Enter(ctx context.Context, t Ticket) (Slot, error) {
	if g.limit.Load() == 0 { // a limit that comes this moment counts this one as in
		g.inflight.Add(1)
		return Slot{gate: g}, nil
	}
	if err := ctx.Err(); err != nil {
		return Slot{}, err
	}
	start := time.Now()
	g.mu.Lock()
	g.wake() // a slot that is free this moment is for who waits
	if g.hasRoom() && g.queue.len == 0 {
		g.inflight.Add(1)
		g.mu.Unlock()
		return Slot{gate: g, since: start}, nil
	}
	w, err := g.line(t, start)
	g.mu.Unlock()
	if err != nil {
		return Slot{}, err
	}
	return g.wait(ctx, w, t)
}

// line puts a request in the queue.
func (g *Gate) line(t Ticket, start time.Time) (*waiter, error) {
	if g.isShut() && !t.Hold {
		return nil, g.refuse(ErrShut, 0)
	}
	if g.queue.len >= g.limits.Queue {
		w := g.queue.yields(t.Priority, t.Key)
		if w == nil {
			return nil, g.refuse(ErrQueueFull, 0)
		}
		g.turnAway(w, ErrQueueFull)
	}
	w := &waiter{key: t.Key, priority: t.Priority, hold: t.Hold, start: start, patience: g.limits.QueueTimeout, done: make(chan struct{})}
	g.queue.push(w)
	g.queued.Store(int64(g.queue.len)) // before looking for room once more: who leaves looks at it after making room
	g.wake()
	if g.isShut() && g.queue.len == 1 {
		select {
		case g.wanted <- struct{}{}:
		default: // that something is wanted is known already
		}
	}
	return w, nil
}

// turnAway ends the wait of one in the queue.
func (g *Gate) turnAway(w *waiter, why error) {
	g.queue.remove(w)
	w.refused = why
	close(w.done)
}

func (g *Gate) wait(ctx context.Context, w *waiter, t Ticket) (Slot, error) {
	timer := time.NewTimer(0) // the first turn of the loop sets it
	defer timer.Stop()
	var ticks <-chan time.Time
	if t.Tick != nil {
		ticker := time.NewTicker(t.Every)
		defer ticker.Stop()
		ticks = ticker.C
	}
	turned := g.patience(w, timer)
	for {
		select {
		case <-ticks:
			t.Tick()
			continue
		case <-turned:
			turned = g.patience(w, timer)
			continue
		case <-w.done:
		case <-timer.C:
		case <-ctx.Done():
		}
		return g.settle(ctx, w)
	}
}

// patience sets the timer to the end of a wait. The channel is closed when that has to be reckoned anew: the time for a turn begins
// when the model is there.
func (g *Gate) patience(w *waiter, timer *time.Timer) <-chan struct{} {
	g.mu.Lock()
	defer g.mu.Unlock()
	end := w.start.Add(w.patience)
	switch {
	case g.isShut():
		end = w.start.Add(g.load)
	case g.opened.After(w.start):
		end = g.opened.Add(w.patience)
	}
	timer.Reset(time.Until(end))
	return g.turned
}

// settle ends a wait, whatever ended it.
func (g *Gate) settle(ctx context.Context, w *waiter) (Slot, error) {
	now := time.Now()
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case w.refused != nil:
		return Slot{}, g.refuse(w.refused, now.Sub(w.start))
	case w.at != nil: // still in the queue
		g.queue.remove(w)
		g.queued.Store(int64(g.queue.len))
		if err := ctx.Err(); err != nil { // of two deadlines at once the request's own counts
			return Slot{}, err
		}
		if g.isShut() {
			return Slot{}, g.refuse(ErrShut, now.Sub(w.start))
		}
		return Slot{}, g.refuse(ErrQueueTimeout, now.Sub(w.start))
	case ctx.Err() != nil: // the slot came too late
		g.inflight.Add(-1)
		g.wake()
		return Slot{}, ctx.Err()
	}
	return Slot{Waited: now.Sub(w.start), gate: g, since: now}, nil
}

// Leave frees the slot. It is called once.
func (s Slot) Leave() {
	g := s.gate
	if g == nil {
		return
	}
	g.left.Add(1) // before it is not in flight any more, so that the model never looks unused
	g.inflight.Add(-1)
	if s.since.IsZero() && g.queued.Load() == 0 {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if !s.since.IsZero() {
		g.observe(time.Since(s.since))
	}
	g.wake()
}

// set puts new limits in force, and shuts or opens the gate. Queue and QueueTimeout are given. Who waits already keeps the time
// that it had. Who waits for its turn at a model that has gone, and may not wait for it to come back, is refused.
func (g *Gate) set(l fleet.Limits, load time.Duration, coming bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	was := g.isShut()
	g.limits, g.load = l, load
	if coming {
		g.limit.Store(shut)
		for _, w := range g.queue.those(func(w *waiter) bool { return !w.hold }) {
			g.turnAway(w, ErrShut)
		}
	} else {
		g.limit.Store(int64(l.Inflight))
	}
	if was != coming {
		if was {
			g.opened = time.Now()
		}
		close(g.turned)
		g.turned = make(chan struct{})
	}
	g.wake()
}

// lastUsed is when a request was seen to have left. A request does not look at the clock for it: who asks does, every second.
func (g *Gate) lastUsed() time.Time {
	g.mu.Lock()
	defer g.mu.Unlock()
	if n := g.left.Load(); n != g.seen {
		g.seen, g.used = n, time.Now()
	}
	return g.used
}

func (g *Gate) isShut() bool { return g.limit.Load() == shut }

func (g *Gate) hasRoom() bool {
	limit := g.limit.Load()
	return limit == 0 || g.inflight.Load() < limit
}

// wake hands free slots to those whose turn it is.
func (g *Gate) wake() {
	for g.queue.len > 0 && g.hasRoom() {
		g.inflight.Add(1)
		close(g.queue.pop().done)
	}
	g.queued.Store(int64(g.queue.len))
}

// observe keeps a moving mean of the time in a slot; the last eight or so count.
func (g *Gate) observe(d time.Duration) {
	if g.service == 0 {
		g.service = d
		return
	}
	g.service += (d - g.service) / 8
}

// refuse estimates when a newcomer's turn would be: all who wait and the newcomer, at the rate at which slots become free.
func (g *Gate) refuse(reason error, waited time.Duration) *QueueError {
	slots := max(1, g.limit.Load())
	ahead := float64(g.queue.len+1) / float64(slots)
	after := min(max(ahead*g.service.Seconds(), 1), 60)
	return &QueueError{Reason: reason, Shut: g.isShut(), Model: g.model, Queued: g.queue.len, Waited: waited,
		RetryAfter: time.Duration(after * float64(time.Second))}
}
