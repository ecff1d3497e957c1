package drain

import (
	"cmp"
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fluidmcp/fluidmcp/services/supervisor/board"
	"github.com/fluidmcp/fluidmcp/services/supervisor/demand"
	"github.com/fluidmcp/fluidmcp/services/supervisor/gateways"
)

// Drains waits until servers have nothing in flight.
type Drains struct {
	Board    *board.Board
	Gateways *gateways.Gateways
	Timeout  time.Duration // of a model that has none of its own

	end atomic.Pointer[time.Time] // when every drain has to be over; nil before the supervisor ends
}

// Drain waits until no gateway has a request on the instance, or as long as its model allows from when somebody asked
// for its end. The board says already that it is not routable.
func (d *Drains) Drain(ctx context.Context, i *board.Instance) {
	var patience time.Duration
	var adopted bool
	d.Board.Read(func() {
		patience = d.timeout(i.Model)
		adopted = i.Status.Launched.IsZero() && !i.Status.Policy.Remote
	})
	if end := d.end.Load(); end != nil {
		patience = min(patience, time.Until(*end))
	}
	ctx, cancel := d.limited(ctx, i, patience)
	defer cancel()
	if adopted { // it may carry what was sent before there was this supervisor
		d.Gateways.Introduced(ctx)
	}
	d.Gateways.Drained(ctx, d.Board.Epoch, d.Board.Shown(i), i.ID)
}

// timeout is that of a model. The board is locked.
func (d *Drains) timeout(m *board.Model) time.Duration {
	return cmp.Or(m.Timeouts.Drain, d.Timeout)
}

// Hurry bounds the drains of the supervisor's end, which come one after the other where models depend on each other: all together
// take no longer than the longest alone.
func (d *Drains) Hurry() {
	var longest time.Duration
	d.Board.Each(func(m *board.Model) { longest = max(longest, d.timeout(m)) })
	end := time.Now().Add(longest)
	d.end.Store(&end)
}

// limited is the context of a drain, which ends so long after somebody asked for it.
func (d *Drains) limited(ctx context.Context, i *board.Instance, patience time.Duration) (context.Context, func()) {
	ctx, cancel := context.WithCancel(ctx)
	var limit sync.WaitGroup
	limit.Go(func() {
		d.asked(ctx, i)
		select {
		case <-ctx.Done():
		case <-time.After(patience):
			cancel()
		}
	})
	return ctx, func() { cancel(); limit.Wait() }
}

// asked returns when somebody wants an instance to end. One that only retires has all the time that its requests take.
func (d *Drains) asked(ctx context.Context, i *board.Instance) {
	for {
		changed, leaves := d.Board.Changed(), false
		d.Board.Read(func() { leaves = demand.Retires(i) })
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
