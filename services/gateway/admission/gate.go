package admission

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
)

// Gate lets at most so many requests at once through to a model; the others wait for their turn.
//
// inflight counts the slots that are taken. Whoever frees a slot or adds one hands it to the next in the queue (wake), which
// takes it in that one's name, so nothing can come between. Without a limit nobody waits, and nobody needs the lock.
type Gate struct {
	model    string
	inflight atomic.Int64
	limit    atomic.Int64 // 0 for none
	queued   atomic.Int64 // len of the queue, for who does not hold the lock

	mu      sync.Mutex
	limits  fleet.Limits
	queue   queue
	service time.Duration // mean time in a slot, of late; 0 when unknown
}

// Ticket is a request that wants a slot.
type Ticket struct {
	Model    string // id
	Key      string // id of the API key, "" without one; keys of one priority take turns
	Priority int    // higher ones go first

	// Tick, when it is not nil, is called every so often while the request waits, by the goroutine that waits.
	Tick  func()
	Every time.Duration
}

// Slot is the right to be at the model's backends. The zero value is nobody's.
type Slot struct {
	Waited time.Duration // for its turn

	gate  *Gate
	since time.Time // zero when there was no limit
}

// Why a request does not get its turn. Both are for a 503.
var (
	ErrQueueFull    = errors.New("the queue is full")
	ErrQueueTimeout = errors.New("no turn came within the queue's time")
)

// QueueError refuses a request that a gate has no slot for.
type QueueError struct {
	Reason     error // ErrQueueFull or ErrQueueTimeout
	Model      string
	Queued     int // how many wait
	Waited     time.Duration
	RetryAfter time.Duration // when a slot is likely, from 1 s to 60 s
}

// Error says what is full.
func (e *QueueError) Error() string {
	return fmt.Sprintf("model %s: %v (%d wait)", e.Model, e.Reason, e.Queued)
}

// Unwrap returns the reason.
func (e *QueueError) Unwrap() error { return e.Reason }

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
	w, err := g.line(t)
	timeout := g.limits.QueueTimeout
	g.mu.Unlock()
	if err != nil {
		return Slot{}, err
	}
	return g.wait(ctx, w, t, start, timeout)
}

// line puts a request in the queue.
func (g *Gate) line(t Ticket) (*waiter, error) {
	if g.queue.len >= g.limits.Queue {
		w := g.queue.yields(t.Priority, t.Key)
		if w == nil {
			return nil, g.refuse(ErrQueueFull, 0)
		}
		g.queue.remove(w)
		w.refused = true
		close(w.done)
	}
	w := &waiter{key: t.Key, priority: t.Priority, done: make(chan struct{})}
	g.queue.push(w)
	g.queued.Store(int64(g.queue.len)) // before looking for room once more: who leaves looks at it after making room
	g.wake()
	return w, nil
}

func (g *Gate) wait(ctx context.Context, w *waiter, t Ticket, start time.Time, timeout time.Duration) (Slot, error) {
	timer := time.NewTimer(timeout - time.Since(start))
	defer timer.Stop()
	var ticks <-chan time.Time
	if t.Tick != nil {
		ticker := time.NewTicker(t.Every)
		defer ticker.Stop()
		ticks = ticker.C
	}
	for {
		select {
		case <-ticks:
			t.Tick()
			continue
		case <-w.done:
		case <-timer.C:
		case <-ctx.Done():
		}
		return g.settle(ctx, w, start)
	}
}

// settle ends a wait, whatever ended it.
func (g *Gate) settle(ctx context.Context, w *waiter, start time.Time) (Slot, error) {
	now := time.Now()
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case w.refused:
		return Slot{}, g.refuse(ErrQueueFull, now.Sub(start))
	case w.at != nil: // still in the queue
		g.queue.remove(w)
		g.queued.Store(int64(g.queue.len))
		if err := ctx.Err(); err != nil { // of two deadlines at once the request's own counts
			return Slot{}, err
		}
		return Slot{}, g.refuse(ErrQueueTimeout, now.Sub(start))
	case ctx.Err() != nil: // the slot came too late
		g.inflight.Add(-1)
		g.wake()
		return Slot{}, ctx.Err()
	}
	return Slot{Waited: now.Sub(start), gate: g, since: now}, nil
}

// Leave frees the slot. It is called once.
func (s Slot) Leave() {
	g := s.gate
	if g == nil {
		return
	}
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

// setLimits puts new limits in force. Queue and QueueTimeout are given. Who waits already keeps the time that it had.
func (g *Gate) setLimits(l fleet.Limits) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.limits = l
	g.limit.Store(int64(l.Inflight))
	g.wake()
}

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
	return &QueueError{Reason: reason, Model: g.model, Queued: g.queue.len, Waited: waited,
		RetryAfter: time.Duration(after * float64(time.Second))}
}
