package unit

import (
	"context"
	"errors"
	"time"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
)

// ErrEnded is returned by Do once the unit's Run is over.
var ErrEnded = errors.New("the supervisor is ending")

// Driver starts model servers. An error of Start may be a Finding; another one is StartFailed, and may pass.
type Driver interface {
	Start() (Server, error)
}

// Adopter is a Driver whose servers can be there before their unit.
type Adopter interface {
	// Adopt returns the server that runs already, or nil. It is asked once, before anything else. After an error the unit backs off
	// and then calls Start, which has to see to it that there are not two.
	Adopt() (Server, error)
}

// Server is one that a Driver started.
type Server interface {
	PID() int          // 0 when it is no process of this machine
	Done() <-chan Exit // gives one value once nothing of the server is left
	Stop()             // makes it end, if need be by force; may be called again
}

// Leaver is a Server that may go on without its unit.
type Leaver interface {
	// Leave ends the watch over the server and leaves it as it is. It returns when nothing of the server comes any more.
	Leave()
}

// Config is what a unit works with. The functions are called by the unit's goroutines.
type Config struct {
	Policy Policy
	Before Before
	Driver Driver
	// Admit is asked before every start, and returns when it may begin. Meanwhile waiting tells why not yet. Its error is that of
	// Driver.Start. release is called once: when the server is ready, or has ended before. When ctx ends nobody waits any more.
	// nil lets every start begin.
	Admit         func(ctx context.Context, waiting func(Reason, string)) (release func(), err error)
	Probe         func(ctx context.Context, ready bool) error // asks the server how it is; ready: whether it was ready before
	Sleep         func(ctx context.Context) error             // puts the server to sleep; for Policy.Sleep
	Wake          func(ctx context.Context) error             // wakes it
	Drain         func(ctx context.Context)                   // returns when nothing is in flight any more, or it took too long
	Explain       func(Exit) Finding                          // why a server ended that should not have; nil knows nothing
	Free          func(ctx context.Context) string            // returns when devices have a server's memory back, or it took too long, with what they lack; for Policy.Devices
	Changed       func(Status)                                // called after each event, before its effects begin
	Launching     func(Reason)                                // called before each start after the first
	Jitter        func() float64                              // random from 0 to 1
	ProbeStarting time.Duration                               // between two probes of a server that starts
	ProbeReady    time.Duration                               // between two probes after that
}

// Status is a state with the process that it speaks of.
type Status struct {
	State
	PID int // 0 when there is none
}

// Unit is one model server. Its Run is the only writer of its state.
type Unit struct {
	cfg      Config
	wishes   chan wish
	progress latest[Progress]
	done     chan struct{} // closed when Run is over
}

type wish struct {
	event Event
	reply chan Status
}

// NewUnit returns a unit that does nothing until Run.
func NewUnit(cfg Config) *Unit {
	if cfg.Admit == nil {
		cfg.Admit = func(context.Context, func(Reason, string)) (func(), error) { return func() {}, nil }
	}
	if cfg.Explain == nil {
		cfg.Explain = func(Exit) Finding { return Finding{} }
	}
	return &Unit{cfg: cfg, wishes: make(chan wish), progress: newLatest[Progress](), done: make(chan struct{})}
}

// First is what there is to say of the unit before it has said anything.
func (u *Unit) First() State {
	s := New(u.cfg.Policy, u.cfg.Before, time.Now())
	if s.Desired == Running && s.Phase == fleet.Stopped { // it is about to be started or taken over
		s = s.enter(Event{At: s.Since}, fleet.Pending, "", "").observe(s.Since)
	}
	return s
}

// Do passes a wish on, an event from Start to Configured with its Reason, By and Policy, and returns the status that follows at once.
func (u *Unit) Do(ctx context.Context, e Event) (Status, error) {
	w := wish{e, make(chan Status, 1)}
	select {
	case u.wishes <- w:
		return <-w.reply, nil
	case <-u.done:
		return Status{}, ErrEnded
	case <-ctx.Done():
		return Status{}, ctx.Err()
	}
}

// Progressed tells that the server has come further with its start. It never blocks; of several that come faster than they are
// taken in the last one counts.
func (u *Unit) Progressed(p Progress) { u.progress.put(p) }

// latest is a mailbox with room for one: what is put there replaces what nobody has taken out yet.
type latest[T any] chan T

func newLatest[T any]() latest[T] { return make(latest[T], 1) }

func (l latest[T]) put(v T) {
	for {
		select {
		case l <- v:
			return
		default:
		}
		select {
		case <-l:
		default:
		}
	}
}

// Run keeps the server as people want it until ctx ends; then it drains and ends the server, unless that outlives it, and returns.
func (u *Unit) Run(ctx context.Context) {
	defer close(u.done)
	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	l := newLoop(u.cfg, work)
	defer l.waits.Wait()
	defer cancel()
	defer func() { l.release() }()
	defer l.depart()
	l.begin(ctx)
	ending := ctx.Done()
	for !l.state.finished() {
		select {
		case <-ending:
			ending = nil
			l.apply(Event{Kind: Halt, By: "supervisor"})
		case w := <-u.wishes:
			l.apply(w.event)
			w.reply <- l.status()
		case p := <-u.progress:
			l.apply(Event{Kind: Progressed, Progress: p})
		case why := <-l.waiting:
			l.apply(why)
		case answer := <-l.admitted:
			l.take(answer)
		case exit := <-l.ended:
			l.end(exit)
		case <-l.timers[Due]:
			l.apply(Event{Kind: Due})
		case <-l.timers[Stalled]:
			l.apply(Event{Kind: Stalled})
		case <-l.timers[Late]:
			l.apply(Event{Kind: Late})
		case e := <-l.turned:
			l.turned = nil
			l.apply(e)
			if l.probeDue != nil { // none is on its way, and the next one may be seconds off
				l.probeDue = time.After(0)
			}
		case lack := <-l.freed:
			l.apply(Event{Kind: Freed, Message: lack})
		case <-l.drained:
			l.drained = nil
			l.apply(Event{Kind: Drained})
		case <-l.probeDue:
			l.probe()
		case err := <-l.probed:
			l.judge(err)
		}
	}
}
