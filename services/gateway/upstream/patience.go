package upstream

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/fluidmcp/fluidmcp/internal/reqctx"
	"github.com/fluidmcp/fluidmcp/services/gateway/upstream/pool"
)

// TimeoutError is the cause for which a request to a backend was given up.
type TimeoutError struct {
	Waiting string // for what: "first byte", "next byte", "whole answer"
	Limit   time.Duration
}

func (e *TimeoutError) Error() string {
	return fmt.Sprintf("waited %s for the %s of the model server", e.Limit, e.Waiting)
}

// Patience is the context of a request to a backend, and ends it when the backend is silent for too long. Its methods are called
// from one goroutine, those of the context from any.
type Patience struct {
	reqctx.Context
	watches *Watches
	watch   *watch
	total   *time.Timer
}

// Watches are what measures the silence of backends, to be used by one request after another. The zero value is ready.
type Watches struct{ pool sync.Pool }

// watch measures the silence of one backend at a time.
//
// Expect and Pause, which are called for every piece of a stream, move a deadline and mostly leave the timer alone: one that runs
// out too early looks at the deadline and is set again. So it may run on from one request to the next, and most of them never set it.
type watch struct {
	mu       sync.Mutex
	timer    *time.Timer
	fires    time.Duration // the moment when timer does; zero when it does not run
	of       *Patience     // whose backend is silent; nil between two requests
	deadline time.Duration // a moment; zero while paused
	again    bool          // it was over while the program was starved, and the timer runs once more
	waiting  TimeoutError
}

// lookAgain is how long what lies in a socket takes at most to be noticed by a program that was starved. Its timers come first.
const lookAgain = time.Second

// epoch is what moments are told from: that asks one clock, where time.Now asks two.
var epoch = time.Now()

func now() time.Duration { return time.Since(epoch) }

// firstByte is what is waited for until Expect is called.
const firstByte = "first byte"

// WithPatience returns a context that ends with a *TimeoutError as cause unless Expect is called within limit, and
// in any case after total, when that is positive.
func (w *Watches) WithPatience(ctx context.Context, limit, total time.Duration) (context.Context, *Patience) {
	p := &Patience{watches: w}
	p.Follow(ctx)
	if p.watch, _ = w.pool.Get().(*watch); p.watch == nil {
		p.watch = newWatch()
	}
	p.watch.begin(p, limit)
	if total > 0 {
		p.total = time.AfterFunc(total, func() { p.End(&TimeoutError{Waiting: "whole answer", Limit: total}) })
	}
	return p, p
}

func newWatch() *watch {
	w := &watch{}
	w.timer = time.AfterFunc(time.Hour, w.check)
	w.timer.Stop()
	return w
}

// Expect allows the backend limit for its next byte.
func (p *Patience) Expect(limit time.Duration) {
	w := p.watch
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.of == p {
		w.expect("next byte", limit)
	}
}

// Sending allows the backend its whole time for the first byte from now on: while the client still sends its body, it is not
// the backend that is slow. It may be called from another goroutine, and means nothing once an answer has begun.
func (p *Patience) Sending() {
	w := p.watch
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.of == p && w.waiting.Waiting == firstByte && w.deadline != 0 {
		w.deadline = now() + w.waiting.Limit
	}
}

// Pause stops counting while the client, not the backend, is waited for.
func (p *Patience) Pause() {
	w := p.watch
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.of == p {
		w.deadline = 0
	}
}

// Stop ends the context and frees what measures for others. The other methods do nothing after it.
func (p *Patience) Stop() {
	if p.watch.end(p) {
		p.watches.pool.Put(p.watch)
	}
	if p.total != nil {
		p.total.Stop()
	}
	p.End(context.Canceled)
}

func (w *watch) begin(p *Patience, limit time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.of = p
	w.expect(firstByte, limit)
}

// end reports false when w is not p's any more.
func (w *watch) end(p *Patience) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.of != p {
		return false
	}
	w.of, w.deadline = nil, 0
	return true
}

// expect holds the lock.
func (w *watch) expect(what string, limit time.Duration) {
	w.waiting = TimeoutError{Waiting: what, Limit: limit}
	w.deadline, w.again = now()+limit, false
	if w.fires == 0 || w.fires > w.deadline { // else it fires before and will be set again
		w.timer.Reset(limit)
		w.fires = w.deadline
	}
}

// check is called when the timer fires.
func (w *watch) check() {
	if p, late := w.late(); late != nil {
		p.End(late)
	}
}

// late says what was waited for in vain, and whose request it is, or sets the timer again.
func (w *watch) late() (*Patience, *TimeoutError) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.fires = 0
	if w.deadline == 0 {
		return nil, nil
	}
	left := w.deadline - now()
	switch {
	case left > 0:
	case -left > pool.Starved && !w.again:
		w.again, left = true, lookAgain
	default:
		late := w.waiting
		return w.of, &late
	}
	w.timer.Reset(left)
	w.fires = now() + left
	return nil, nil
}
