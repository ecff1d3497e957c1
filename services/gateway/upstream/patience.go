package upstream

import (
	"context"
	"fmt"
	"time"
)

// TimeoutError is the cause for which a request to a backend was given up.
type TimeoutError struct {
	Waiting string // for what: "first byte", "next byte", "whole answer"
	Limit   time.Duration
}

func (e *TimeoutError) Error() string {
	return fmt.Sprintf("waited %s for the %s of the model server", e.Limit, e.Waiting)
}

// Patience ends a request when its backend is silent for too long. Its methods are called from one goroutine.
type Patience struct {
	cancel  context.CancelCauseFunc
	silence *time.Timer
	total   *time.Timer
}

// WithPatience returns a context that ends with a *TimeoutError as cause unless Expect is called within firstByte, and
// in any case after total, when that is positive.
func WithPatience(ctx context.Context, firstByte, total time.Duration) (context.Context, *Patience) {
	ctx, cancel := context.WithCancelCause(ctx)
	p := &Patience{cancel: cancel}
	p.silence = p.after(firstByte, "first byte")
	if total > 0 {
		p.total = p.after(total, "whole answer")
	}
	return ctx, p
}

func (p *Patience) after(limit time.Duration, waiting string) *time.Timer {
	return time.AfterFunc(limit, func() { p.cancel(&TimeoutError{Waiting: waiting, Limit: limit}) })
}

// Expect allows the backend limit for its next byte.
func (p *Patience) Expect(limit time.Duration) {
	p.silence.Stop()
	p.silence = p.after(limit, "next byte")
}

// Pause stops counting while the client, not the backend, is waited for.
func (p *Patience) Pause() { p.silence.Stop() }

// Stop ends the context and frees the timers.
func (p *Patience) Stop() {
	p.silence.Stop()
	if p.total != nil {
		p.total.Stop()
	}
	p.cancel(context.Canceled)
}
