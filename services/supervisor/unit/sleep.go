package unit

import "github.com/fluidmcp/fluidmcp/internal/fleet"

// A server that retires can be put to sleep in place of being ended. Its process stays, beside a phase that has none.
//
//	draining ──drained──► stopping ──slept──► stopped ──wanted──► pending ──admitted──► starting ──woken, probe ok──► ready
//	                       │ did not            └──────────┬──────────┘                    │ did not
//	                       ▼                       stop, restart, exit                     ▼
//	                      ended                            ▼                              ended, a failure
//	                                                  ended, no failure
const asleep = "its server sleeps"

// drained goes on to the end of the server, or to its sleep.
func (s State) drained(e Event) (State, []Effect) {
	s = s.enter(e, fleet.Stopping, s.Reason, "")
	if s.nap {
		return s, []Effect{{Do: Sleep}}
	}
	return s, []Effect{{Do: Terminate}}
}

// slept takes in whether the server went to sleep.
func (s State) slept(e Event) (State, []Effect) {
	s.nap = false
	if e.Message != "" {
		s.Message = "it is ended, because it did not go to sleep: " + e.Message
		return s, []Effect{{Do: Terminate}}
	}
	s.Asleep = true
	if s.again {
		return s.ask(e, s.cause)
	}
	return s.enter(e, fleet.Stopped, rest(s.Reason), asleep), nil
}

// wake begins a start for which there is a server already.
func (s State) wake(e Event) (State, []Effect) {
	s = s.enter(e, fleet.Starting, "", "waking up")
	s.Asleep, s.waking, s.Launched, s.ailment = false, true, e.At, ""
	return s, append([]Effect{{Do: Wake}}, s.limits()...)
}

// woken takes in whether the server woke up. When it did, a probe tells that it is ready; one that sleeps says so too.
func (s State) woken(e Event) (State, []Effect) {
	s.waking = false
	if e.Message != "" {
		return s.condemn(StartFailed, "it did not wake up: "+e.Message)
	}
	return s, nil
}
