package unit

import (
	"time"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
)

// Desired is what people want of a unit. What is, is its phase.
type Desired string

// What people can want.
const (
	Running  Desired = "running"
	Stopped  Desired = "stopped"
	OnDemand Desired = "on_demand" // it runs while somebody asks for it
)

// Policy is what the models file wants of a unit.
type Policy struct {
	Restart      bool          // a server that fails is started again
	Remote       bool          // somebody else runs the server: it is watched, never ended
	Outlives     bool          // the server goes on when the supervisor ends
	OnDemand     bool          // the server is started when somebody asks for it
	Sleep        bool          // a server that retires is put to sleep, when it can
	Devices      bool          // the server takes memory of devices, and is stopped when they have it back
	StartTimeout time.Duration // from the start of a server to its being ready, at most
	StallTimeout time.Duration // the same without any progress
}

// Status is a state with the process that it speaks of.
type Status struct {
	State
	PID int // 0 when there is none
}

// State is all that is known of a unit.
//
//	stopped ──start, wanted──► pending ──admitted──► starting ──probe ok──► ready ◄──probes──► unhealthy
//	   ▲ ▲                     ▲ ▲ │                  │  │                   │ │                 │ │
//	   │ └──────── stop ───────│─│─┤                  │  │ exit              │ │ exit            │ │ exit
//	   │                       │ │ │ refused          │  │                   │ │                 │ │
//	   │                       │ │ └──────┬───────────│──┴───────────────────│─┴─────────────────│─┘
//	   │                       │ │        ▼           │                      │                   │
//	   │                       │ └─due─ backoff, or   │                      │                   │
//	   │                       │          failed      │ stop, restart,       │ stop, restart,    │ stop, restart,
//	   │                       │                      ▼ retire               ▼ retire            │ retire
//	   │                       │                     stopping ◄──drained── draining ◄────────────┘
//	   │                       │                      │                      │
//	   │ freed                 │ to start anew        │ exit                 │ exit
//	   └───────────────────────┴──────────────────────┴──────────────────────┘
//
// A failure leads to failed when it is one too many, trying again would not help, or the policy is not to. From backoff and failed a
// start or restart leads to pending, a stop to stopped. A server that is being ended for what it did goes on to stopping without a
// drain. A server that runs already is adopted once, from stopped, or from what an earlier supervisor left as failed, to ready or
// starting. Only pending, backoff, failed and stopped are without a server, or with one that sleeps (sleep.go); stopping may last until
// its memory is freed (free.go). Once stopped, only a person's start or restart leads on, and a demand where Desired says so.
type State struct {
	Policy     Policy
	Desired    Desired
	Phase      fleet.Phase
	Reason     Reason    // of Phase, "" when the phase explains itself
	Message    string    // one sentence for people
	By         string    // whose wish led to Phase, "" when nobody's did
	Since      time.Time // of Phase
	Asleep     bool      // there is a server all the same, which sleeps; of the phases that have none
	Progress   Progress  // of Phase starting; without a Stage nothing is known
	Launched   time.Time // when the present or last server was started or woken; zero when that was before the supervisor
	ReadyAt    time.Time // when it became ready; zero when it is not
	RetryAt    time.Time // end of Phase backoff
	Starts     int       // of servers, all, with those adopted
	Restarts   int       // of them those after the first, without those for which a new supervisor is the reason
	Failures   int       // of servers, all
	Failure    Finding   // the last
	FailedAt   time.Time // when that was; zero as long as there was none
	LastExit   Exit
	Conditions Conditions

	history FailureHistory
	row     int    // failures since the last healthy time, for the backoff
	strikes int    // failed health checks in a row
	ailment string // what the last one said, "" that all is well
	dying   Reason // why the server is being ended although it should run
	again   bool   // start anew once the server has ended
	nap     bool   // the server that drains or stops is to sleep
	waking  bool   // the server that starts did sleep, and still may
	cause   Reason // of the next start
	halted  bool   // nothing more is wanted
	freeing bool   // there is no server any more, in Phase stopping all the same
}

// New is a unit before its first event.
func New(p Policy, before Before, now time.Time) State {
	s := State{Policy: p, Desired: before.Desired, Phase: fleet.Stopped, Since: now, Starts: before.Starts, Restarts: before.Restarts, history: before.Failures}
	s.row = len(within(s.history.Times, now))
	if s.Desired != Stopped {
		s.Desired = s.wanted()
	}
	switch {
	case s.Desired == Stopped:
		s.Message = "it was stopped before this supervisor began, and stays so until somebody starts it"
	case s.history.Reason != "":
		s.Phase, s.Reason, s.Since = fleet.Failed, s.history.Reason, s.history.last(now)
		s.Message = "the supervisor before this one gave it up: " + s.history.Message
	case s.Desired == OnDemand:
		s.Reason = ByDemand
	}
	return s.observe(now)
}

// First is what there is to say of a unit before its first event is in.
func First(p Policy, before Before, now time.Time) State {
	s := New(p, before, now)
	if s.Desired == Running && s.Phase == fleet.Stopped { // it is about to be started or taken over
		s = s.enter(Event{At: now}, fleet.Pending, "", "").observe(now)
	}
	return s
}

// wanted is what the unit is for unless a person stops it.
func (s State) wanted() Desired {
	if s.Policy.OnDemand {
		return OnDemand
	}
	return Running
}

// Routable tells whether new requests may go to the server.
func (s State) Routable() bool { return s.Phase == fleet.Ready }

// lives tells whether there is a server.
func (s State) lives() bool { return s.Up() || s.Asleep }

// Up tells whether there is one that is awake.
func (s State) Up() bool {
	switch s.Phase {
	case fleet.Pending, fleet.Backoff, fleet.Failed, fleet.Stopped:
		return false
	}
	return !s.freeing
}

// Finished tells whether nothing more will happen.
func (s State) Finished() bool {
	return s.halted && (s.Policy.Remote || s.Policy.Outlives || s.Phase == fleet.Stopped && !s.Asleep)
}
