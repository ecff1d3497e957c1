package unit

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// ErrPermanent is wrapped by a Driver's error when trying again would not help.
var ErrPermanent = errors.New("permanent")

// ErrEnded is returned by Do once the unit's Run is over.
var ErrEnded = errors.New("the supervisor is ending")

// Driver starts model servers.
type Driver interface {
	Start() (Server, error)
}

// Server is one that a Driver started.
type Server interface {
	PID() int          // 0 when it is no process of this machine
	Done() <-chan Exit // gives one value once nothing of the server is left
	Stop()             // makes it end, if need be by force; may be called again
}

// Config is what a unit works with. The functions are called by the unit's goroutines.
type Config struct {
	Policy        Policy
	Driver        Driver
	Probe         func(ctx context.Context, ready bool) error // asks the server how it is; ready: whether it was ready before
	Drain         func(ctx context.Context)                   // returns when nothing is in flight any more, or it took too long
	Changed       func(Status)                                // called after each event, before its effects begin
	Launching     func(Reason)                                // called before each start after the first
	Jitter        func() float64                              // random from 0 to 1
	StartTimeout  time.Duration                               // from start to ready
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
	requests chan request
	done     chan struct{} // closed when Run is over
}

type request struct {
	kind  Kind
	reply chan Status
}

// NewUnit returns a unit that does nothing until Run.
func NewUnit(cfg Config) *Unit {
	return &Unit{cfg: cfg, requests: make(chan request), done: make(chan struct{})}
}

// Do passes a person's wish (Start, Stop or Restart) on and returns the status that follows at once.
func (u *Unit) Do(ctx context.Context, kind Kind) (Status, error) {
	req := request{kind, make(chan Status, 1)}
	select {
	case u.requests <- req:
		return <-req.reply, nil
	case <-u.done:
		return Status{}, ErrEnded
	case <-ctx.Done():
		return Status{}, ctx.Err()
	}
}

// Run starts the server and keeps it as people want it until ctx ends; then it drains and ends the server, and returns.
func (u *Unit) Run(ctx context.Context) {
	defer close(u.done)
	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	l := &loop{Config: u.cfg, work: work, state: New(u.cfg.Policy, time.Now()), endProbes: func() {}}
	defer l.waits.Wait()
	defer cancel()
	l.apply(Event{Kind: Start})
	ending := ctx.Done()
	for !l.state.finished() {
		select {
		case <-ending:
			ending = nil
			l.apply(Event{Kind: Halt})
		case req := <-u.requests:
			l.apply(Event{Kind: req.kind})
			req.reply <- l.status()
		case exit := <-l.ended:
			l.forget()
			l.apply(Event{Kind: Ended, Exit: exit})
		case <-l.retry:
			l.apply(Event{Kind: Due})
		case <-l.late:
			l.apply(Event{Kind: Late, Message: fmt.Sprintf("not ready within %s", l.StartTimeout)})
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
