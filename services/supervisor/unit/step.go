package unit

import (
	"fmt"
	"time"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
)

// strikeLimit is how many health checks in a row have to fail.
const strikeLimit = 3

// Step decides what follows from an event. Events that mean nothing in the present phase change nothing.
func Step(s State, e Event) (State, []Effect) {
	next, effects := s.step(e)
	return next.observe(e.At), effects
}

func (s State) step(e Event) (State, []Effect) {
	switch e.Kind {
	case Start, Stop, Restart, Wanted, Retire, Configured, Halt:
		return s.wish(e)
	case Adopted:
		if s.Phase == fleet.Stopped || s.Phase == fleet.Failed { // somebody has started what an earlier supervisor gave up
			return s.adopt(e)
		}
	case Waiting:
		if s.Phase == fleet.Pending {
			s.Reason, s.Message = e.Reason, e.Message
		}
	case Admitted:
		if s.Phase == fleet.Pending {
			return s.launch(e)
		}
	case Due:
		if s.Phase == fleet.Backoff {
			return s.ask(e, s.cause)
		}
	case Failed:
		if s.Phase == fleet.Pending || s.Phase == fleet.Starting {
			return s.fail(e, e.Finding.or(StartFailed, "the server could not be started"))
		}
	case Progressed, Stalled, Late:
		if s.Phase == fleet.Starting && s.dying == "" && !s.Policy.Remote {
			return s.load(e)
		}
	case Probed:
		if s.dying == "" && !s.waking {
			return s.probed(e)
		}
	case Drained:
		if s.Phase == fleet.Draining {
			return s.drained(e)
		}
	case Slept:
		if s.Phase == fleet.Stopping && s.nap {
			return s.slept(e)
		}
	case Woken:
		if s.Phase == fleet.Starting && s.waking {
			return s.woken(e)
		}
	case Ended:
		return s.ended(e)
	case Freed:
		if s.freeing {
			return s.freed(e), nil
		}
	}
	return s, nil
}

func (s State) enter(e Event, phase fleet.Phase, reason Reason, message string) State {
	if s.Phase == fleet.Ready {
		s = s.settle(e.At)
	}
	s.Phase, s.Reason, s.Message, s.Since = phase, reason, message, e.At
	s.Progress, s.RetryAt, s.waking, s.freeing = Progress{}, time.Time{}, false, false
	return s
}

// ask begins a start: others may have to make room for it first.
func (s State) ask(e Event, why Reason) (State, []Effect) {
	s.cause, s.again = why, false
	return s.enter(e, fleet.Pending, "", ""), []Effect{{Do: Admit}}
}

func (s State) launch(e Event) (State, []Effect) {
	if s.Asleep {
		return s.wake(e)
	}
	if s.Starts > 0 && s.cause != SupervisorRestarted {
		s.Restarts++
	}
	s = s.enter(e, fleet.Starting, "", "").begun(e.At)
	return s, append([]Effect{{Do: Launch, Reason: s.cause}}, s.limits()...)
}

// begun counts a new server. Its start is at; zero when that is not known.
func (s State) begun(at time.Time) State {
	s.Starts++
	s.Launched, s.dying, s.ailment = at, "", ""
	return s
}

// limits are those of a start.
func (s State) limits() []Effect {
	if s.Policy.Remote { // it may come at any time
		return nil
	}
	return []Effect{{Do: Schedule, Then: Late, After: s.Policy.StartTimeout}, s.stall()}
}

func (s State) stall() Effect {
	return Effect{Do: Schedule, Then: Stalled, After: s.Policy.StallTimeout}
}

// adopt takes over a server that runs already. Requests that an earlier supervisor sent there may be in flight.
func (s State) adopt(e Event) (State, []Effect) {
	s.history.Reason, s.history.Message = "", ""
	if s.Starts == 0 { // otherwise an earlier supervisor has counted it
		s = s.begun(time.Time{})
	}
	why := WasAdopted
	if s.Policy.Remote { // nothing else is to be expected
		why = ""
	}
	switch {
	case s.Desired == Stopped:
		return s.enter(e, fleet.Draining, Requested, draining), []Effect{{Do: Drain}}
	case e.Message == "":
		return s.ready(e, why), nil
	}
	return s.enter(e, fleet.Starting, why, e.Message), s.limits()
}

// load follows a start.
func (s State) load(e Event) (State, []Effect) {
	switch e.Kind {
	case Progressed:
		s.Progress, s.Message = e.Progress, e.Progress.String()
		return s, []Effect{s.stall()}
	case Stalled:
		return s.condemn(StartStalled, s.sofar(fmt.Sprintf("no progress for %s", s.Policy.StallTimeout)))
	}
	return s.condemn(StartTimeout, s.sofar(fmt.Sprintf("not ready within %s", s.Policy.StartTimeout)))
}

// sofar adds how far a start had come.
func (s State) sofar(message string) string {
	if s.Progress.Stage == "" {
		return message
	}
	return message + "; it had come to: " + s.Progress.String()
}

// condemn ends a server for what it did.
func (s State) condemn(why Reason, message string) (State, []Effect) {
	s.dying, s.Reason, s.Message = why, why, message
	return s, []Effect{{Do: Terminate}}
}

// probed takes in what a health check said. Before a server is ready it says nothing against it.
func (s State) probed(e Event) (State, []Effect) {
	s.ailment = e.Message
	well := e.Message == ""
	switch {
	case well && (s.Phase == fleet.Starting || s.Phase == fleet.Unhealthy):
		return s.ready(e, ""), nil
	case well:
		s.strikes = 0
	case s.Phase == fleet.Ready:
		return s.strike(e)
	case s.Phase == fleet.Starting && s.Policy.Remote: // nothing else tells a person why it does not become ready
		s.Message = e.Message
	}
	return s, nil
}

func (s State) ready(e Event, why Reason) State {
	s = s.enter(e, fleet.Ready, why, "")
	s.ReadyAt, s.strikes = e.At, 0
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
	return s.condemn(LivenessFailed, e.Message)
}

func (s State) ended(e Event) (State, []Effect) {
	if !s.lives() {
		return s, nil
	}
	condemned := s.dying
	s.LastExit, s.dying, s.ailment = e.Exit, "", ""
	if s.Asleep { // the next start needs a new one, and that is all
		s.Asleep = false
		if s.Phase == fleet.Stopped {
			s.Message = "in its sleep " + e.Exit.String()
		}
		return s, nil
	}
	if s.Phase != fleet.Draining && s.Phase != fleet.Stopping {
		return s.crash(e, condemned)
	}
	switch {
	case s.again:
		return s.ask(e, s.cause)
	case s.Policy.Devices && !s.halted:
		return s.free(e)
	}
	return s.enter(e, fleet.Stopped, rest(s.Reason), ""), nil
}
