package feed

import (
	"context"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
	"github.com/fluidmcp/fluidmcp/services/gateway/routing"
)

// heartbeatInterval is the longest that the supervisor is left without word.
const heartbeatInterval = time.Second

// Feed keeps the router on the supervisor's last snapshot and reports what is in force.
type Feed struct {
	Deps

	applied   chan struct{} // a snapshot was put in force
	news      bulletin      // of the table
	connected atomic.Bool
	lost      atomic.Pointer[time.Time] // when the feed broke last, while not connected
}

// Deps are what a feed works with.
type Deps struct {
	Client  *fleet.Client
	ID      string // of the gateway
	Router  *routing.Router
	Changed func(*routing.Table) // told about every new table
	Demand  func() Demand
	Wanted  <-chan struct{} // receives when the supervisor should hear of Demand at once
	Log     *zap.Logger
}

// Demand is what clients want of models, by id.
type Demand struct {
	Queued   map[string]int
	LastUsed map[string]time.Time
}

// New returns a feed that follows nothing yet.
func New(d Deps) *Feed { return &Feed{Deps: d, applied: make(chan struct{}, 1)} }

// Connected tells whether snapshots come.
func (f *Feed) Connected() bool { return f.connected.Load() }

// News is closed when the next table is in force.
func (f *Feed) News() <-chan struct{} { return f.news.next() }

// Follow applies snapshots until ctx ends.
func (f *Feed) Follow(ctx context.Context) {
	// Watch ends with ctx and for no other reason.
	_ = f.Client.Watch(ctx, f.apply, f.onLost)
}

func (f *Feed) apply(s fleet.Snapshot) {
	if err := f.Router.Apply(s); err != nil {
		f.Log.Warn("snapshot has unusable backends", zap.Error(err))
	}
	f.Changed(f.Router.Table())
	f.news.publish()
	f.connected.Store(true)
	f.Log.Info("snapshot applied", zap.String("epoch", s.Epoch), zap.Uint64("revision", s.Revision), zap.Int("models", len(s.Models)))
	select {
	case f.applied <- struct{}{}:
	default: // one is waiting already
	}
}

// onLost logs the loss, not each attempt to connect again.
func (f *Feed) onLost(err error) {
	if !f.connected.Swap(false) && f.lost.Load() != nil {
		return
	}
	now := time.Now()
	f.lost.Store(&now)
	f.Log.Warn("no feed from the supervisor; what is known stays in force", zap.Error(err))
}

// Age is how long ago the snapshot in force was last known to be the supervisor's: 0 while connected.
func (f *Feed) Age() time.Duration {
	lost := f.lost.Load()
	if f.connected.Load() || lost == nil {
		return 0
	}
	return time.Since(*lost)
}

// Beat sends a heartbeat at each new snapshot, when a backend that is being drained has become idle, when a model is wanted that is
// not there, and every second, so that nothing is lost with one that does not arrive.
// At its end it takes leave, so that no drain waits for this gateway.
func (f *Feed) Beat(ctx context.Context) {
	tick := time.NewTicker(heartbeatInterval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			f.leave(context.WithoutCancel(ctx))
			return
		case <-f.applied:
		case <-f.Router.Idle():
		case <-f.Wanted:
		case <-tick.C:
		}
		if f.connected.Load() {
			f.send(ctx)
		}
	}
}

func (f *Feed) send(ctx context.Context) {
	table, inflight := f.Router.Inflight()
	demand := f.Demand()
	ctx, cancel := context.WithTimeout(ctx, heartbeatInterval)
	defer cancel()
	err := f.Client.Heartbeat(ctx, f.ID, fleet.Heartbeat{Epoch: table.Epoch, Revision: table.Revision, Inflight: inflight,
		Queued: demand.Queued, LastUsed: demand.LastUsed})
	if err != nil && ctx.Err() == nil {
		f.Log.Debug("heartbeat failed", zap.Error(err)) // the next is a second away; a lost feed is logged once
	}
}

func (f *Feed) leave(ctx context.Context) {
	if !f.connected.Load() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, heartbeatInterval)
	defer cancel()
	if err := f.Client.Leave(ctx, f.ID); err != nil {
		f.Log.Debug("leave failed", zap.Error(err)) // the supervisor forgets a silent gateway anyway
	}
}
