package unit

import (
	"fmt"
	"time"
)

// Kind says what happened.
type Kind int

// The events. From Start to Configured they are wishes, for Unit.Do; what follows is what a unit sees by itself.
const (
	Start      Kind = iota // a person, or the supervisor at its begin, wants the server to run
	Stop                   // a person wants it stopped
	Restart                // somebody wants a new server; Reason
	Wanted                 // somebody asks for a model that is started on demand
	Retire                 // a model that is started on demand is to end until it is wanted again; Reason: Idle or Evicted
	Configured             // the models file has changed: Policy, of which Remote and Outlives stay as they are
	Halt                   // the unit is no longer needed; Reason: why, or "" when the supervisor ends
	Adopted                // a server that runs already was found; Message says what is wrong with it, "" that it is well
	Waiting                // the start has to wait; Reason, Message
	Admitted               // the server may be started
	Due                    // the backoff is over
	Failed                 // the server could not, or must not, be started; Finding
	Progressed             // the server has come further with its start; Progress
	Stalled                // it has not for too long
	Late                   // the time to become ready is over
	Probed                 // the server was asked how it is; Message as of Adopted
	Slept                  // the server was told to sleep; Message says why it does not, "" that it does
	Woken                  // it was told to wake up; Message in the same way
	Drained                // no request is left on the server, or the time for that is over
	Ended                  // the server has ended; Exit, Finding
	Freed                  // its devices have their memory back; Message says what lacks, "" nothing

	kinds // how many there are
)

// Event is something that happened.
type Event struct {
	Kind     Kind
	At       time.Time
	Reason   Reason
	Policy   Policy
	By       string // who wished it, for the records: "" when nobody did
	Message  string
	Finding  Finding
	Progress Progress
	Exit     Exit
	Jitter   float64 // random, from 0 to 1; shortens a backoff by up to a fifth so that units do not start in step
}

// Do says what an effect is.
type Do int

// The effects.
const (
	Admit     Do = iota // ask whether the server may be started, then Admitted or Failed
	Launch              // start a server
	Drain               // wait until no gateway sends requests to the server, then Drained
	Terminate           // end the server, then Ended
	Sleep               // put the server to sleep, then Slept
	Wake                // wake it, then Woken
	Free                // wait until its devices have the memory of the server that has ended back, then Freed
	Schedule            // the event Then after After, unless the phase is left or it is scheduled anew before
)

// Effect is something to be done.
type Effect struct {
	Do     Do
	Reason Reason // of a Launch after the first: why the server is started anew
	Then   Kind   // of Schedule, as After
	After  time.Duration
}

// Unseen is the code of an exit that nobody has seen, such as that of a container while its engine was away.
const Unseen = -1

// Exit is how a server ended.
type Exit struct {
	Code   int       // of the process, or Unseen; 128 plus the signal's number when a signal ended it, as shells count
	Signal string    // that ended it, such as "killed"; "" for an exit of its own
	OOM    bool      // the engine of a container, or the kernel, says that memory ran out
	At     time.Time // zero as long as there was no exit
}

// String says how a server ended.
func (x Exit) String() string {
	if x.Signal != "" {
		return fmt.Sprintf("the server was ended by signal %q", x.Signal)
	}
	if x.Code == Unseen {
		return "the server ended while nobody could see how"
	}
	return fmt.Sprintf("the server exited with code %d", x.Code)
}

// Progress is how far a server is with its start, as its log tells.
type Progress struct {
	Stage   string  // in a few lower-case words, such as "loading weights"
	Percent float64 // 0 to 100; -1 when it is not known
	Message string  // the line that it comes from
}

// String is the progress for people: "loading weights 43 %".
func (p Progress) String() string {
	if p.Percent < 0 {
		return p.Stage
	}
	return fmt.Sprintf("%s %.0f %%", p.Stage, p.Percent)
}
