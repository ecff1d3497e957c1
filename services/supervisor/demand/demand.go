package demand

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
	"github.com/fluidmcp/fluidmcp/services/supervisor/board"
	"github.com/fluidmcp/fluidmcp/services/supervisor/gateways"
	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest"
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

// Demand decides which models on demand run.
type Demand struct {
	board    *board.Board
	gateways *gateways.Gateways
	retired  func(model string, why unit.Reason)
	swaps    *swap.Groups
	groups   atomic.Pointer[map[string]swap.Limits]
}

// New knows of no swap group yet. retired is told of each model that is to be stopped or put to sleep.
func New(b *board.Board, g *gateways.Gateways, retired func(model string, why unit.Reason)) *Demand {
	d := &Demand{board: b, gateways: g, retired: retired, swaps: swap.New()}
	d.groups.Store(&map[string]swap.Limits{})
	return d
}

// Meet has the models on demand started, retired and evicted, as gateways tell and swap groups allow, until ctx ends.
func (d *Demand) Meet(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		news, changed := d.gateways.Heard(), d.board.Changed()
		for _, n := range d.demands() {
			d.notify(ctx, n)
		}
		for _, id := range d.swaps.Settle(*d.groups.Load(), d.swapUse) {
			if m := d.board.Find(id); m != nil {
				d.notify(ctx, notice{m, unit.Event{Kind: unit.Retire, Reason: unit.Evicted, By: byRule}})
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

func (d *Demand) notify(ctx context.Context, n notice) {
	if n.event.Kind == unit.Retire && n.event.Reason != unit.ByDemand {
		d.retired(n.model.ID, n.event.Reason)
	}
	for _, i := range d.board.Servers(n.model) {
		_, _ = i.Runner.Do(ctx, n.event) // a unit that has ended, or a supervisor that ends, has no use for it
	}
}

// demands are the notices that follow from what gateways say.
func (d *Demand) demands() (all []notice) {
	now := time.Now()
	d.board.Each(func(m *board.Model) {
		if first := m.Foremost(); first.Desired == unit.OnDemand && !m.Leaving {
			if e, ok := demand(m, first, d.use(m), now); ok {
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
func (d *Demand) use(m *board.Model) use {
	servers := make([]string, len(m.Servers))
	for n, i := range m.Servers {
		servers[n] = i.ID
	}
	u := use{Use: d.gateways.Use(m.ID, servers)}
	u.needed = d.board.AnyOf(m.ID, func(i *board.Instance) bool {
		return i.Status.Reason == unit.WaitingForDependency || i.Status.Phase != fleet.Pending && !i.Rests()
	})
	u.Busy = u.Busy || u.needed
	return u
}

// Place has a server wait until its model has a place in its swap group. It is kept for as long as the server has memory: Moved gives
// it back.
func (d *Demand) Place(ctx context.Context, i *board.Instance, waiting func(unit.Reason, string)) (release func(), err error) {
	var group string
	d.board.Read(func() { group = i.Model.Demand.SwapGroup })
	release = func() {}
	if group == "" {
		return release, nil
	}
	return release, d.swaps.Enter(ctx, group, i.Model.ID, i.ID, func(why string) { waiting(unit.WaitingForSlot, why) })
}

// Moved tells the swap groups where a server is. One that belongs to none has no place.
func (d *Demand) Moved(i *board.Instance, now unit.Status) {
	var group string
	d.board.Read(func() { group = i.Model.Demand.SwapGroup })
	if group == "" {
		now.Phase = fleet.Stopped
	}
	d.swaps.Moved(group, i.Model.ID, i.ID, swap.Server{Phase: now.Phase, Launched: now.Launched, ReadyAt: now.ReadyAt})
}

// Regroup says which swap groups there are by now.
func (d *Demand) Regroup(groups map[string]manifest.SwapGroup) {
	limits := make(map[string]swap.Limits, len(groups))
	for name, g := range groups {
		limits[name] = swap.Limits(g)
	}
	d.groups.Store(&limits)
	d.board.Wake()
}

// swapUse says whether a model is at work. What nobody knows of counts as that.
func (d *Demand) swapUse(id string) swap.Use {
	m := d.board.Find(id)
	if m == nil {
		return swap.Use{}
	}
	var u use
	d.board.Read(func() { u = d.use(m) })
	return swap.Use{Busy: u.Busy || !u.Heard, Last: u.Last, Needed: u.needed}
}

// Retires tells whether an instance ends only because nobody needs it, or others need its room. The board is locked.
func Retires(i *board.Instance) bool {
	return i.Status.Reason == unit.Idle || i.Status.Reason == unit.Evicted || i.Status.By == byRequest
}
