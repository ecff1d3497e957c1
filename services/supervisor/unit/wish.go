package unit

import (
	"cmp"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
)

// draining is the message of that phase.
const draining = "requests in flight may finish"

// wish takes in what people, and the rules for models on demand, want. None of it is a failure of the server.
func (s State) wish(e Event) (State, []Effect) {
	switch e.Kind {
	case Stop:
		s.Desired = Stopped
		return s.end(e, Requested, false)
	case Halt:
		s.halted = true
		if s.Finished() { // gateways go on with a server that does not end
			return s, nil
		}
		if e.Reason != "" {
			return s.end(e, e.Reason, false)
		}
		if s.Desired == Stopped || s.Phase == fleet.Failed { // the next supervisor does not start it
			return s.end(e, Requested, false)
		}
		return s.end(e, SupervisorEnding, false)
	}
	if s.halted {
		return s, nil
	}
	switch e.Kind {
	case Start:
		return s.start(e)
	case Restart:
		return s.restart(e, cmp.Or(e.Reason, Requested))
	case Wanted:
		if s.Desired == OnDemand && s.Phase != fleet.Backoff && s.Phase != fleet.Failed {
			return s.begin(e, ByDemand)
		}
	case Retire:
		if s.Desired == OnDemand {
			return s.retire(e)
		}
	case Configured:
		return s.configure(e)
	}
	return s, nil
}

// configure takes in another policy. What a person stopped stays stopped; what waited for a demand is started when it is no longer
// for that.
func (s State) configure(e Event) (State, []Effect) {
	before := s.Policy
	s.Policy = e.Policy
	s.Policy.Remote, s.Policy.Outlives = before.Remote, before.Outlives
	if s.Desired == Stopped {
		return s, nil
	}
	waited := s.Desired == OnDemand && s.Phase == fleet.Stopped
	s.Desired = s.wanted()
	if waited && s.Desired == Running {
		return s.begin(e, Reconfigured)
	}
	return s, nil
}

func (s State) start(e Event) (State, []Effect) {
	s.Desired = s.wanted()
	if !s.Up() && e.Reason != SupervisorRestarted { // a new supervisor is no reason to forgive
		s = s.forgive()
	}
	return s.begin(e, cmp.Or(e.Reason, Requested))
}

// begin leads to a server when there is none, or none that stays.
func (s State) begin(e Event, why Reason) (State, []Effect) {
	switch s.Phase {
	case fleet.Stopped, fleet.Failed, fleet.Backoff:
		s.By = e.By
		return s.ask(e, why)
	case fleet.Draining, fleet.Stopping:
		s.By, s.again, s.cause, s.Reason = e.By, true, why, Restarting
		if s.freeing { // its start waits for the memory
			return s.ask(e, why)
		}
	}
	return s, nil
}

// restart leads to a new server. Only a person's wish starts one where none is wanted.
func (s State) restart(e Event, why Reason) (State, []Effect) {
	switch {
	case s.Policy.Remote:
		return s, nil
	case why == Requested:
	case s.Asleep && s.Phase == fleet.Stopped: // what sleeps would wake up as what it was
		return s.end(e, ByDemand, false)
	case s.Desired == Stopped || s.Phase == fleet.Stopped:
		return s, nil
	}
	s.Desired = s.wanted()
	s = s.forgive()
	switch {
	case s.Phase == fleet.Pending && !s.Asleep: // it will be a new one
		return s, nil
	case !s.lives():
		return s.begin(e, why)
	}
	s.cause = why
	return s.end(e, Restarting, true)
}

// retire ends a server until it is wanted again. One that failed for good stays failed.
func (s State) retire(e Event) (State, []Effect) {
	switch s.Phase {
	case fleet.Draining, fleet.Stopping, fleet.Stopped, fleet.Failed:
		return s, nil
	case fleet.Pending, fleet.Backoff:
		if s.Asleep {
			s.By = e.By
			return s.enter(e, fleet.Stopped, rest(e.Reason), asleep), nil
		}
	}
	nap := s.Policy.Sleep && s.Phase == fleet.Ready
	s, effects := s.end(e, e.Reason, false)
	s.nap = nap
	return s, effects
}

// end leads the server to its end, and to a new beginning when again.
func (s State) end(e Event, why Reason, again bool) (State, []Effect) {
	stop := []Effect{{Do: Terminate}}
	nap := s.nap
	s.again, s.By, s.nap = again, e.By, false
	if s.Asleep {
		s.Asleep = false
		return s.enter(e, fleet.Stopping, why, ""), stop
	}
	switch s.Phase {
	case fleet.Stopped:
		if s.Desired == Stopped { // it does not wait for a demand any more
			s.Reason, s.Message = rest(why), ""
		}
	case fleet.Pending, fleet.Backoff, fleet.Failed:
		return s.enter(e, fleet.Stopped, rest(why), ""), nil
	case fleet.Starting:
		return s.enter(e, fleet.Stopping, why, ""), stop
	case fleet.Ready, fleet.Unhealthy:
		if s.dying != "" { // what it carries is lost already
			return s.enter(e, fleet.Stopping, why, ""), stop
		}
		return s.enter(e, fleet.Draining, why, draining), []Effect{{Do: Drain}}
	case fleet.Draining:
		s.Reason = why
	case fleet.Stopping:
		s.Reason = why
		switch {
		case nap:
			return s, stop
		case s.freeing && s.halted: // the supervisor does not wait for that
			return s.enter(e, fleet.Stopped, rest(why), ""), nil
		}
	}
	return s, nil
}

// rest is the reason of Phase stopped after what led there. That a person wanted it Desired says already.
func rest(why Reason) Reason {
	if why == Requested {
		return ""
	}
	return why
}
