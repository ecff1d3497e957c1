package supervisor

import (
	"context"
	"sync"
	"time"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
	"github.com/fluidmcp/fluidmcp/services/supervisor/board"
	"github.com/fluidmcp/fluidmcp/services/supervisor/gateways"
	"github.com/fluidmcp/fluidmcp/services/supervisor/swap"
	"github.com/fluidmcp/fluidmcp/services/supervisor/unit"
)

const (
	// byRequest and byRule are who wanted what a request, or a rule of the supervisor, made to be done.
	byRequest = "gateway"
	byRule    = "supervisor"
	// forgotten is how long a start that waits for its turn goes on waiting when no request waits for it any more. A client that was
	// told to come again does so within it.
	forgotten = 15 * time.Second
)

// meet has the models on demand started, retired and evicted, as gateways tell and swap groups allow, until ctx ends.
func (s *Supervisor) meet(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		news, changed := s.gateways.Heard(), s.board.Changed()
		for _, n := range s.demands() {
			s.notify(ctx, n)
		}
		for _, id := range s.swaps.Settle(s.swapLimits(), s.swapUse) {
			if m := s.board.Find(id); m != nil {
				s.notify(ctx, notice{m, unit.Event{Kind: unit.Retire, Reason: unit.Evicted, By: byRule}})
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-news:
		case <-changed:
		case <-tick.C:
		}
	}
}

// use is what is known of the need for a model.
type use struct {
	gateways.Use
	needed bool // a model that depends on it runs, or waits for it
}

// notice is something that all servers of a model are to be told.
type notice struct {
	model *board.Model
	event unit.Event
}

func (s *Supervisor) notify(ctx context.Context, n notice) {
	if n.event.Kind == unit.Retire && n.event.Reason != unit.ByDemand {
		s.metrics.retired(n.model.ID, n.event.Reason)
	}
	for _, i := range s.board.Servers(n.model) {
		_, _ = i.Unit.Do(ctx, n.event) // a unit that has ended, or a supervisor that ends, has no use for it
	}
}

// demands are the notices that follow from what gateways say.
func (s *Supervisor) demands() (all []notice) {
	now := time.Now()
	s.board.Each(func(m *board.Model) {
		if first := m.Foremost(); first.Desired == unit.OnDemand && !m.Leaving {
			if e, ok := demand(m, first, s.use(m), now); ok {
				all = append(all, notice{m, e})
			}
		}
	})
	return all
}

// demand is what a model on demand is to be told. The board is locked.
func demand(m *board.Model, first unit.Status, u use, now time.Time) (e unit.Event, ok bool) {
	switch first.Phase {
	case fleet.Stopped, fleet.Draining, fleet.Stopping:
		if u.needed {
			return unit.Event{Kind: unit.Wanted, By: byRule}, true
		}
		return unit.Event{Kind: unit.Wanted, By: byRequest}, u.Queued > 0
	case fleet.Ready:
		patience := m.Demand.IdleTimeout
		return unit.Event{Kind: unit.Retire, Reason: unit.Idle, By: byRule}, patience > 0 && u.Idle(first.ReadyAt, now) >= patience
	case fleet.Pending:
		return unit.Event{Kind: unit.Retire, Reason: unit.ByDemand, By: byRule}, first.By == byRequest && u.Idle(first.Since, now) >= forgotten
	}
	return e, false
}

// use is what gateways say of the requests for a model, and models that depend on it. The board is locked.
func (s *Supervisor) use(m *board.Model) use {
	servers := make([]string, len(m.Servers))
	for n, i := range m.Servers {
		servers[n] = i.ID
	}
	u := use{Use: s.gateways.Use(m.ID, servers)}
	u.needed = s.board.AnyOf(m.ID, func(i *board.Instance) bool {
		return i.Status.Reason == unit.WaitingForDependency || i.Status.Phase != fleet.Pending && !i.Rests()
	})
	u.Busy = u.Busy || u.needed
	return u
}

// place has a server wait until its model has a place in its swap group. It is kept for as long as the server has memory: moved gives
// it back.
func (s *Supervisor) place(ctx context.Context, i *board.Instance, waiting waits) (release func(), err error) {
	var group string
	s.board.Read(func() { group = i.Model.Demand.SwapGroup })
	release = func() {}
	if group == "" {
		return release, nil
	}
	return release, s.swaps.Enter(ctx, group, i.Model.ID, i.ID, func(why string) { waiting(unit.WaitingForSlot, why) })
}

// moved tells the swap groups where a server is. One that belongs to none has no place.
func (s *Supervisor) moved(i *board.Instance, now unit.Status) {
	var group string
	s.board.Read(func() { group = i.Model.Demand.SwapGroup })
	if group == "" {
		now.Phase = fleet.Stopped
	}
	s.swaps.Moved(group, i.Model.ID, i.ID, swap.Server{Phase: now.Phase, Launched: now.Launched, ReadyAt: now.ReadyAt})
}

func (s *Supervisor) swapLimits() map[string]swap.Limits {
	limits := map[string]swap.Limits{}
	s.board.Read(func() {
		for name, g := range s.groups {
			limits[name] = swap.Limits(g)
		}
	})
	return limits
}

// swapUse says whether a model is at work. What nobody knows of counts as that.
func (s *Supervisor) swapUse(id string) swap.Use {
	m := s.board.Find(id)
	if m == nil {
		return swap.Use{}
	}
	var u use
	s.board.Read(func() { u = s.use(m) })
	return swap.Use{Busy: u.Busy || !u.Heard, Last: u.Last, Needed: u.needed}
}

// retires tells whether an instance ends only because nobody needs it, or others need its room.
func retires(i *board.Instance) bool {
	return i.Status.Reason == unit.Idle || i.Status.Reason == unit.Evicted || i.Status.By == byRequest
}

// limited is the context of a drain, which ends so long after somebody asked for it.
func (s *Supervisor) limited(ctx context.Context, i *board.Instance, patience time.Duration) (context.Context, func()) {
	ctx, cancel := context.WithCancel(ctx)
	var limit sync.WaitGroup
	limit.Go(func() {
		s.asked(ctx, i)
		select {
		case <-ctx.Done():
		case <-time.After(patience):
			cancel()
		}
	})
	return ctx, func() { cancel(); limit.Wait() }
}

// asked returns when somebody wants an instance to end. One that only retires has all the time that its requests take.
func (s *Supervisor) asked(ctx context.Context, i *board.Instance) {
	for {
		changed, leaves := s.board.Changed(), false
		s.board.Read(func() { leaves = retires(i) })
		if !leaves {
			return
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return
		}
	}
}
