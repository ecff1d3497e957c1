package clock

import "time"

// Clock tells the time and makes timers.
type Clock interface {
	Now() time.Time
	// Since is Now less t, for half of what Now costs.
	Since(t time.Time) time.Duration
	// NewTimer returns a timer that is not armed.
	NewTimer() Timer
	// Virtual tells that no time passes while something is done.
	Virtual() bool
}

// Timer fires once each time that it is armed. It has one owner, who calls Reset or Stop after each tick, and at the end.
type Timer interface {
	C() <-chan time.Time
	// Reset arms it. An instant that has passed is now.
	Reset(at time.Time)
	// Stop disarms it. No tick comes after it.
	Stop()
	// Hold says that there is work for the owner that it does not know of yet. A virtual clock waits for the owner's next
	// Reset or Stop.
	Hold()
}

// Real is the clock of the machine.
type Real struct{}

// Now is time.Now.
func (Real) Now() time.Time { return time.Now() }

// Since is time.Since.
func (Real) Since(t time.Time) time.Duration { return time.Since(t) }

// Virtual is false.
func (Real) Virtual() bool { return false }

// NewTimer wraps a time.Timer.
func (Real) NewTimer() Timer {
	t := time.NewTimer(0)
	t.Stop()
	return realTimer{t}
}

type realTimer struct{ t *time.Timer }

func (r realTimer) C() <-chan time.Time { return r.t.C }
func (r realTimer) Reset(at time.Time)  { r.t.Reset(time.Until(at)) }
func (r realTimer) Stop()               { r.t.Stop() }
func (r realTimer) Hold()               {}
