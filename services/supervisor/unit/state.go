package unit

import (
	"time"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
)

// Desired is what people want of a unit. What is, is its phase.
type Desired string

// What people can want.
const (
	Running Desired = "running"
	Stopped Desired = "stopped"
)

// Reason says in one word why a unit is in its phase.
type Reason string

// The reasons, a closed list.
const (
	Exited         Reason = "Exited"         // the server ended though nobody had asked it to, whatever its exit code
	StartFailed    Reason = "StartFailed"    // the server could not be started
	StartTimeout   Reason = "StartTimeout"   // the server was not ready in time
	LivenessFailed Reason = "LivenessFailed" // the server stopped answering its health check
	CrashLoop      Reason = "CrashLoop"      // the server failed too often
	Requested      Reason = "Requested"      // a person said so
	Restarting     Reason = fleet.Restarting // the server is being ended for a person who wants a new one
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
	// strikeLimit is how many health checks in a row have to fail.
	strikeLimit = 3
)

// Policy is what does not change in the life of a unit.
type Policy struct {
	Restart bool // a server that fails is started again
	Remote  bool // somebody else runs the server: it is watched, never ended
}

// Exit is how a server ended.
type Exit struct {
	Code   int       // of the process; 128 plus the signal's number when a signal ended it, as shells count
	Signal string    // that ended it, such as "killed"; "" for an exit of its own
	At     time.Time // zero as long as there was no exit
}

// State is all that is known of a unit.
//
//	pending ──start──► starting ──probe ok──► ready ◄──probes──► unhealthy
//	                    ▲  │ │                 │ │                 │ │
//	                    │  │ │ exit            │ │ exit            │ │ exit
//	                    │  │ └───────────┬─────┼─┴─────────────────┼─┘
//	                    │  │             ▼     │                   │
//	                    ├──│─due── backoff or failed               │
//	                    │  │                   │                   │
//	                    │  │ stop, restart     │ stop, restart     │ stop, restart
//	                    │  ▼                   ▼                   │
//	                    │ stopping ◄─drained─ draining ◄───────────┘
//	                    │  │                   │
//	                    │  │ exit              │ exit
//	                    │  └─────────┬─────────┘
//	                    │            ▼
//	                    └─start── stopped, or starting at once after a restart
//
// An exit leads to failed when it is one too many, trying again would not help, or the policy is not to. From backoff and failed a
// start or restart leads to starting, a stop to stopped. An unhealthy server that is being ended for it goes on to stopping without
// a drain. Once stopped, only a person's start or restart leads on.
type State struct {
	Policy   Policy
	Desired  Desired
	Phase    fleet.Phase
	Reason   Reason    // of Phase, "" when the phase explains itself
	Message  string    // one sentence for people
	Since    time.Time // of Phase
	Launched time.Time // when the present or last server was started
	ReadyAt  time.Time // when it became ready; zero when it has not
	RetryAt  time.Time // end of Phase backoff
	Starts   int       // of servers, all
	LastExit Exit

	failures []time.Time // within crashWindow
	row      int         // failures since the last healthy time, for the backoff
	strikes  int         // failed health checks in a row
	dying    Reason      // why the server is being ended although it should run
	again    bool        // start anew once the server has ended
	halted   bool        // the supervisor ends
}

// New is a unit before its first start.
func New(p Policy, now time.Time) State {
	return State{Policy: p, Desired: Running, Phase: fleet.Pending, Since: now}
}

// Restarts counts the starts after the first, those that people asked for too.
func (s State) Restarts() int { return max(0, s.Starts-1) }

// Routable tells whether new requests may go to the server.
func (s State) Routable() bool { return s.Phase == fleet.Ready }

// finished tells whether nothing more will happen.
func (s State) finished() bool { return s.halted && (s.Policy.Remote || s.Phase == fleet.Stopped) }

// Kind says what happened.
type Kind int

// The events.
const (
	Start   Kind = iota // a person, or the supervisor at its begin, wants the server to run
	Stop                // a person wants it stopped
	Restart             // a person wants a new server
	Halt                // the supervisor ends
	Due                 // the backoff is over
	Failed              // the server could not be started; Message, Permanent
	Probed              // the server was asked how it is; Message says what is wrong, "" that it is well
	Late                // the time to become ready is over; Message
	Drained             // no request is left on the server, or the time for that is over
	Ended               // the server has ended; Exit
)

// Event is something that happened.
type Event struct {
	Kind      Kind
	At        time.Time
	Message   string
	Permanent bool    // trying again would not help
	Exit      Exit    //
	Jitter    float64 // random, from 0 to 1; shortens a backoff by up to a fifth so that units do not start in step
}

// Do says what an effect is.
type Do int

// The effects.
const (
	Launch    Do = iota // start a server
	Drain               // wait until no gateway sends requests to the server, then Drained
	Terminate           // end the server, then Ended
	Schedule            // Due after After
)

// Effect is something to be done.
type Effect struct {
	Do     Do
	Reason Reason        // of a Launch after the first: why the server is started anew
	After  time.Duration // of Schedule
}
