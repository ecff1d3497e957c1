package clock

import "context"

// TimerKey is the key of a context's Timer, which has a virtual clock stand still while a request is at work.
type TimerKey struct{}

// Rest lets a virtual clock go on: who works with ctx is about to wait for somebody else.
func Rest(ctx context.Context) {
	if t := TimerOf(ctx); t != nil {
		t.Stop()
	}
}

// TimerOf is the timer of a context, nil where it has none.
func TimerOf(ctx context.Context) Timer {
	t, _ := ctx.Value(TimerKey{}).(Timer)
	return t
}
