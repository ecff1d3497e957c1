package gateway

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

// feed keeps the router on the supervisor's last snapshot and reports what is in force.
type feed struct {
	client  *fleet.Client
	id      string
	router  *routing.Router
	applied chan struct{}        // a snapshot was put in force
	changed func(*routing.Table) // told about every new table
	log     *zap.Logger

	connected atomic.Bool
	lost      atomic.Pointer[time.Time] // when the feed broke last, while not connected
}

// follow applies snapshots until ctx ends.
func (f *feed) follow(ctx context.Context) {
	// Watch ends with ctx and for no other reason.
	_ = f.client.Watch(ctx, f.apply, f.onLost)
}

func (f *feed) apply(s fleet.Snapshot) {
	if err := f.router.Apply(s); err != nil {
		f.log.Warn("snapshot has unusable backends", zap.Error(err))
	}
	f.changed(f.router.Table())
	f.connected.Store(true)
	f.log.Info("snapshot applied", zap.String("epoch", s.Epoch), zap.Uint64("revision", s.Revision), zap.Int("models", len(s.Models)))
	select {
	case f.applied <- struct{}{}:
	default: // one is waiting already
	}
}

// onLost logs the loss, not each attempt to connect again.
func (f *feed) onLost(err error) {
	if !f.connected.Swap(false) && f.lost.Load() != nil {
		return
	}
	now := time.Now()
	f.lost.Store(&now)
	f.log.Warn("no feed from the supervisor; what is known stays in force", zap.Error(err))
}

// age is how long ago the snapshot in force was last known to be the supervisor's: 0 while connected.
func (f *feed) age() time.Duration {
	lost := f.lost.Load()
	if f.connected.Load() || lost == nil {
		return 0
	}
	return time.Since(*lost)
}

// beat sends a heartbeat at each new snapshot, when a backend that is being drained has become idle, and every second.
// At its end it takes leave, so that no drain waits for this gateway.
func (f *feed) beat(ctx context.Context) {
	tick := time.NewTicker(heartbeatInterval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			f.leave(context.WithoutCancel(ctx))
			return
		case <-f.applied:
		case <-f.router.Idle():
		case <-tick.C:
		}
		if f.connected.Load() {
			f.send(ctx)
		}
	}
}

func (f *feed) send(ctx context.Context) {
	table, inflight := f.router.Inflight()
	ctx, cancel := context.WithTimeout(ctx, heartbeatInterval)
	defer cancel()
	err := f.client.Heartbeat(ctx, f.id, fleet.Heartbeat{Epoch: table.Epoch, Revision: table.Revision, Inflight: inflight})
	if err != nil && ctx.Err() == nil {
		f.log.Debug("heartbeat failed", zap.Error(err)) // the next is a second away; a lost feed is logged once
	}
}

func (f *feed) leave(ctx context.Context) {
	if !f.connected.Load() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, heartbeatInterval)
	defer cancel()
	if err := f.client.Leave(ctx, f.id); err != nil {
		f.log.Debug("leave failed", zap.Error(err)) // the supervisor forgets a silent gateway anyway
	}
}
