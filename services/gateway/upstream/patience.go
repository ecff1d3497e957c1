package upstream

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/fluidmcp/fluidmcp/internal/reqctx"
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
//
// Expect and Pause, which are called for every piece of a stream, move a deadline and mostly leave the timer alone: one
// that runs out too early looks at the deadline and is set again.
type Patience struct {
	reqctx.Context
	total *time.Timer

	mu       sync.Mutex
	silence  *time.Timer
	fires    time.Time // when silence does; zero when it does not run
	deadline time.Time // zero while paused
	waiting  TimeoutError
}

// firstByte is what is waited for until Expect is called.
const firstByte = "first byte"

// WithPatience returns a context that ends with a *TimeoutError as cause unless Expect is called within limit, and
// in any case after total, when that is positive.
func WithPatience(ctx context.Context, limit, total time.Duration) (context.Context, *Patience) {
	p := &Patience{}
	p.Follow(ctx)
	p.expect(firstByte, limit)
	if total > 0 {
		p.total = time.AfterFunc(total, func() { p.End(&TimeoutError{Waiting: "whole answer", Limit: total}) })
	}
	return p, p
}

// Expect allows the backend limit for its next byte.
func (p *Patience) Expect(limit time.Duration) { p.expect("next byte", limit) }

func (p *Patience) expect(what string, limit time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.waiting = TimeoutError{Waiting: what, Limit: limit}
	p.deadline = time.Now().Add(limit)
	switch {
	case p.silence == nil:
		p.silence = time.AfterFunc(limit, p.check)
	case p.fires.IsZero() || p.fires.After(p.deadline):
		p.silence.Reset(limit)
	default:
		return // it fires before and will be set again
	}
	p.fires = p.deadline
}

// Sending allows the backend its whole time for the first byte from now on: while the client still sends its body, it is not
// the backend that is slow. It may be called from another goroutine, and means nothing once an answer has begun.
func (p *Patience) Sending() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.waiting.Waiting == firstByte && !p.deadline.IsZero() {
		p.deadline = time.Now().Add(p.waiting.Limit)
	}
}

// check is called when the timer fires.
func (p *Patience) check() {
	if late := p.late(); late != nil {
		p.End(late)
	}
}

// late says what was waited for in vain, or sets the timer again.
func (p *Patience) late() *TimeoutError {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fires = time.Time{}
	if p.deadline.IsZero() {
		return nil
	}
	if left := time.Until(p.deadline); left > 0 {
		p.silence.Reset(left)
		p.fires = p.deadline
		return nil
	}
	late := p.waiting
	return &late
}

// Pause stops counting while the client, not the backend, is waited for.
func (p *Patience) Pause() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.deadline = time.Time{}
}

// Stop ends the context and frees the timers.
func (p *Patience) Stop() {
	p.Pause()
	p.silence.Stop()
	if p.total != nil {
		p.total.Stop()
	}
	p.End(context.Canceled)
}
