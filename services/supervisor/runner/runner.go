package runner

import (
	"context"
	"errors"
	"time"

	"github.com/fluidmcp/fluidmcp/services/supervisor/unit"
)

// ErrEnded is returned by Do once Run is over.
var ErrEnded = errors.New("the supervisor is ending")

// Halted is the cause with which the context of Run ends when this server alone is to end. Any other one is the supervisor's end.
type Halted unit.Reason

// Error makes a Halted a cause.
func (h Halted) Error() string { return string(h) }

// Runner leads one model server through its life. Its Run is the only writer of its state.
type Runner struct {
	cfg      Config
	wishes   chan wish
	progress latest[unit.Progress]
	done     chan struct{} // closed when Run is over
}

type wish struct {
	event unit.Event
	reply chan unit.Status
}

// New returns a runner that does nothing until Run.
func New(cfg Config) *Runner {
	if cfg.Admit == nil {
		cfg.Admit = func(context.Context, func(unit.Reason, string)) (func(), error) { return func() {}, nil }
	}
	if cfg.Explain == nil {
		cfg.Explain = func(unit.Exit) unit.Finding { return unit.Finding{} }
	}
	return &Runner{cfg: cfg, wishes: make(chan wish), progress: newLatest[unit.Progress](), done: make(chan struct{})}
}

// First is what there is to say of the unit before it has said anything.
func (r *Runner) First() unit.State { return unit.First(r.cfg.Policy, r.cfg.Before, time.Now()) }

// Do passes a wish on, an event from Start to Halt with its Reason, By and Policy, and returns the status that follows at once.
func (r *Runner) Do(ctx context.Context, e unit.Event) (unit.Status, error) {
	w := wish{e, make(chan unit.Status, 1)}
	select {
	case r.wishes <- w:
		return <-w.reply, nil
	case <-r.done:
		return unit.Status{}, ErrEnded
	case <-ctx.Done():
		return unit.Status{}, ctx.Err()
	}
}

// Progressed tells that the server has come further with its start. It never blocks; of several that come faster than they are
// taken in the last one counts.
func (r *Runner) Progressed(p unit.Progress) { r.progress.put(p) }

// Run keeps the server as people want it until ctx ends; then it drains and ends the server, unless that outlives it, and returns.
func (r *Runner) Run(ctx context.Context) {
	defer close(r.done)
	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	l := newLoop(r.cfg, work)
	defer l.waits.Wait()
	defer l.depart()
	defer cancel()
	defer func() { l.release() }()
	l.begin(ctx)
	ending := ctx.Done()
	for !l.state.Finished() {
		select {
		case <-ending:
			ending = nil
			why, _ := errors.AsType[Halted](context.Cause(ctx))
			l.wish(unit.Event{Kind: unit.Halt, Reason: unit.Reason(why), By: "supervisor"})
		case w := <-r.wishes:
			l.wish(w.event)
			w.reply <- l.status()
		case p := <-r.progress:
			l.apply(unit.Event{Kind: unit.Progressed, Progress: p})
		case why := <-l.waiting:
			l.apply(why)
		case answer := <-l.admitted:
			l.take(answer)
		case came := <-l.launching:
			l.arrive(ctx, came)
		case exit := <-l.ended:
			l.end(exit)
		case <-l.timers[unit.Due]:
			l.apply(unit.Event{Kind: unit.Due})
		case <-l.timers[unit.Stalled]:
			l.apply(unit.Event{Kind: unit.Stalled})
		case <-l.timers[unit.Late]:
			l.apply(unit.Event{Kind: unit.Late})
		case e := <-l.turned:
			l.turned = nil
			l.apply(e)
			if l.probeDue != nil { // none is on its way, and the next one may be seconds off
				l.probeDue = time.After(0)
			}
		case lack := <-l.freed:
			l.apply(unit.Event{Kind: unit.Freed, Message: lack})
		case <-l.drained:
			l.drained = nil
			l.apply(unit.Event{Kind: unit.Drained})
		case <-l.probeDue:
			l.probe()
		case err := <-l.probed:
			l.judge(err)
		}
	}
}
