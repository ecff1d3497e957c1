package unit

import (
	"fmt"
	"time"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
)

// Step decides what follows from an event. Events that mean nothing in the present phase change nothing.
func Step(s State, e Event) (State, []Effect) {
	switch e.Kind {
	case Start:
		return s.start(e)
	case Stop:
		s.Desired = Stopped
		return s.end(e, false)
	case Restart:
		return s.restart(e)
	case Halt:
		s.halted = true
		if s.Policy.Remote { // gateways go on with a server that does not end
			return s, nil
		}
		return s.end(e, false)
	case Due:
		if s.Phase == fleet.Backoff {
			return s.launch(e, s.Reason)
		}
	case Failed:
		if s.Phase == fleet.Starting {
			return s.fail(e, StartFailed, e.Message, e.Permanent)
		}
	case Probed:
		return s.probed(e)
	case Late:
		if s.Phase == fleet.Starting && s.dying == "" && !s.Policy.Remote {
			s.dying, s.Reason, s.Message = StartTimeout, StartTimeout, e.Message
			return s, []Effect{{Do: Terminate}}
		}
	case Drained:
		if s.Phase == fleet.Draining {
			return s.enter(e, fleet.Stopping, s.Reason, ""), []Effect{{Do: Terminate}}
		}
	case Ended:
		return s.ended(e)
	}
	return s, nil
}

func (s State) enter(e Event, phase fleet.Phase, reason Reason, message string) State {
	s.Phase, s.Reason, s.Message, s.Since = phase, reason, message, e.At
	return s
}

func (s State) launch(e Event, why Reason) (State, []Effect) {
	s = s.enter(e, fleet.Starting, "", "")
	s.Starts++
	s.Launched, s.ReadyAt, s.RetryAt = e.At, time.Time{}, time.Time{}
	s.strikes, s.dying, s.again = 0, "", false
	return s, []Effect{{Do: Launch, Reason: why}}
}

// forgive forgets earlier failures.
func (s State) forgive() State {
	s.failures, s.row = nil, 0
	return s
}

func (s State) start(e Event) (State, []Effect) {
	if s.halted {
		return s, nil
	}
	s.Desired = Running
	switch s.Phase {
	case fleet.Pending, fleet.Stopped, fleet.Failed, fleet.Backoff:
		return s.forgive().launch(e, Requested)
	case fleet.Draining, fleet.Stopping:
		s.again, s.Reason = true, Restarting
	}
	return s, nil
}

func (s State) restart(e Event) (State, []Effect) {
	if s.halted || s.Policy.Remote {
		return s, nil
	}
	s.Desired = Running
	s = s.forgive()
	switch s.Phase {
	case fleet.Pending, fleet.Stopped, fleet.Failed, fleet.Backoff:
		return s.launch(e, Requested)
	}
	return s.end(e, true)
}

// end leads the server to its end, and to a new beginning when again.
func (s State) end(e Event, again bool) (State, []Effect) {
	s.again = again
	why := Requested
	if again {
		why = Restarting
	}
	switch s.Phase {
	case fleet.Pending, fleet.Backoff, fleet.Failed:
		return s.enter(e, fleet.Stopped, "", ""), nil
	case fleet.Starting:
		return s.enter(e, fleet.Stopping, why, ""), []Effect{{Do: Terminate}}
	case fleet.Ready, fleet.Unhealthy:
		if s.dying != "" { // what it carries is lost already
			return s.enter(e, fleet.Stopping, why, ""), []Effect{{Do: Terminate}}
		}
		return s.enter(e, fleet.Draining, why, "requests in flight may finish"), []Effect{{Do: Drain}}
	case fleet.Draining, fleet.Stopping:
		s.Reason = why
	}
	return s, nil
}

func (s State) probed(e Event) (State, []Effect) {
	if s.dying != "" {
		return s, nil
	}
	if e.Message == "" {
		return s.healthy(e), nil
	}
	switch s.Phase {
	case fleet.Starting:
		if s.Policy.Remote { // nothing else tells a person why it does not become ready
			s.Message = e.Message
		}
	case fleet.Ready:
		return s.strike(e)
	}
	return s, nil
}

func (s State) healthy(e Event) State {
	s.strikes = 0
	switch s.Phase {
	case fleet.Starting, fleet.Unhealthy:
		s = s.enter(e, fleet.Ready, "", "")
		s.ReadyAt = e.At
	}
	return s
}

// strike counts a failed health check of a server that was ready.
func (s State) strike(e Event) (State, []Effect) {
	s.strikes++
	if s.strikes < strikeLimit {
		return s, nil
	}
	s = s.enter(e, fleet.Unhealthy, LivenessFailed, e.Message)
	if s.Policy.Remote || !s.Policy.Restart {
		return s, nil
	}
	s.dying = LivenessFailed
	return s, []Effect{{Do: Terminate}}
}

func (s State) ended(e Event) (State, []Effect) {
	s.LastExit = e.Exit
	switch s.Phase {
	case fleet.Draining, fleet.Stopping:
		if s.again {
			return s.launch(e, Requested)
		}
		return s.enter(e, fleet.Stopped, "", ""), nil
	case fleet.Starting, fleet.Ready, fleet.Unhealthy:
		if s.dying != "" {
			return s.fail(e, s.dying, s.Message, false)
		}
		return s.fail(e, Exited, e.Exit.String(), false)
	}
	return s, nil
}

// String says how a server ended.
func (x Exit) String() string {
	if x.Signal != "" {
		return fmt.Sprintf("the server was ended by signal %q", x.Signal)
	}
	return fmt.Sprintf("the server exited with code %d", x.Code)
}

// fail decides whether and when a server that failed is tried again.
func (s State) fail(e Event, why Reason, message string, permanent bool) (State, []Effect) {
	if !s.ReadyAt.IsZero() && e.At.Sub(s.ReadyAt) >= healthyAfter {
		s = s.forgive()
	}
	s.ReadyAt = time.Time{}
	s.failures = within(s.failures, e.At)
	s.row++
	switch {
	case permanent || !s.Policy.Restart:
		return s.enter(e, fleet.Failed, why, message), nil
	case len(s.failures) >= crashLimit:
		message = fmt.Sprintf("%d failures in %s, the last: %s", len(s.failures), crashWindow, message)
		return s.enter(e, fleet.Failed, CrashLoop, message), nil
	}
	wait := backoff(s.row, e.Jitter)
	s = s.enter(e, fleet.Backoff, why, message)
	s.RetryAt = e.At.Add(wait)
	return s, []Effect{{Do: Schedule, After: wait}}
}

// within adds now to the times and drops those before the window. It does not share memory with its argument.
func within(times []time.Time, now time.Time) []time.Time {
	kept := make([]time.Time, 0, len(times)+1)
	for _, t := range times {
		if now.Sub(t) < crashWindow {
			kept = append(kept, t)
		}
	}
	return append(kept, now)
}

// backoff is the wait after the n-th failure in a row.
func backoff(n int, jitter float64) time.Duration {
	wait := backoffMax
	if n < 7 { // 2^6 s is beyond the maximum
		wait = min(backoffMin<<(n-1), backoffMax)
	}
	return wait - time.Duration(jitter*float64(wait)/5)
}
