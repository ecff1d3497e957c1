package unit

import (
	"fmt"
	"time"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
)

const (
	// backoffMin doubles to backoffMax with each failure in a row.
	backoffMin = time.Second
	backoffMax = time.Minute
	// healthyAfter is how long a server has to be ready for its earlier failures to be forgotten.
	healthyAfter = 10 * time.Minute
	// crashLimit failures within crashWindow are a crash loop.
	crashLimit  = 5
	crashWindow = 10 * time.Minute
)

// crash takes in an end that nobody asked for. vLLM exits with code 0 when its engine is killed, so the code does not excuse it.
func (s State) crash(e Event, condemned Reason) (State, []Effect) {
	f := e.Finding
	if condemned != "" && !f.Permanent { // its end was our doing, and its log may tell of that
		f.Reason, f.Message = condemned, s.Message
	}
	return s.fail(e, f.or(Exited, e.Exit.String()))
}

// fail decides whether and when a server that failed is tried again.
func (s State) fail(e Event, f Finding) (State, []Effect) {
	s = s.settle(e.At)
	s.history.Times = append(within(s.history.Times, e.At), e.At)
	s.row++
	s.Failures++
	s.Failure, s.FailedAt, s.cause, s.By = f, e.At, f.Reason, ""
	switch {
	case f.Permanent || !s.Policy.Restart:
		return s.giveUp(e, f.Reason, f.Message), nil
	case len(s.history.Times) >= crashLimit:
		message := fmt.Sprintf("%d failures in %s, the last: %s", len(s.history.Times), crashWindow, f.Message)
		return s.giveUp(e, CrashLoop, message), nil
	}
	wait := backoff(s.row, e.Jitter)
	s = s.enter(e, fleet.Backoff, f.Reason, f.Message)
	s.RetryAt = e.At.Add(wait)
	return s, []Effect{{Do: Schedule, Then: Due, After: wait}}
}

// giveUp fails for good: until a person, or another command in the models file, has it started.
func (s State) giveUp(e Event, why Reason, message string) State {
	s.history.Reason, s.history.Message = why, message
	return s.enter(e, fleet.Failed, why, message)
}

// settle closes the account of a server that is not ready any more: a long healthy time makes up for earlier failures.
func (s State) settle(now time.Time) State {
	if !s.ReadyAt.IsZero() && now.Sub(s.ReadyAt) >= healthyAfter {
		s = s.forgive()
	}
	s.ReadyAt = time.Time{}
	return s
}

// forgive forgets earlier failures.
func (s State) forgive() State {
	s.history, s.row = FailureHistory{}, 0
	return s
}

// backoff is the wait after the n-th failure in a row.
func backoff(n int, jitter float64) time.Duration {
	wait := backoffMax
	if n < 7 { // 2^6 s is beyond the maximum
		wait = min(backoffMin<<(n-1), backoffMax)
	}
	return wait - time.Duration(jitter*float64(wait)/5)
}
