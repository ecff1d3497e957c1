package servers

import (
	"go.uber.org/zap"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
	"github.com/fluidmcp/fluidmcp/services/supervisor/board"
	"github.com/fluidmcp/fluidmcp/services/supervisor/unit"
)

// Listener takes in what a unit says, on the unit's goroutine.
type Listener struct {
	servers *Servers
	of      *board.Instance
	last    record
}

// Listen listens to the unit of a server.
func (s *Servers) Listen(i *board.Instance) *Listener { return &Listener{servers: s, of: i} }

// Changed takes in what the unit reports after each event. The board comes before all that can take long, because a backend that
// is not routable any more has to be out of the feed at once; what is kept of the change comes with it, because who reads there that a
// server failed asks why, and a rollout that sees its last server ready ends after that.
func (l *Listener) Changed(now unit.Status) {
	s, i := l.servers, l.of
	saveCrash := rememberCrash(i, s.Board.Status(i), now)
	before := s.Board.Update(i, now, func(before unit.Status) {
		s.remember(i, &l.last, before, now)
		s.count(i.Model.ID, before, now)
	})
	saveCrash()
	s.Demand.Moved(i, now) // when it is on record: who gets its place comes after it
	if before.Phase == now.Phase && before.Starts == now.Starts {
		return
	}
	log := s.Log.With(zap.String("model", i.Model.ID), zap.String("instance", i.ID))
	fields := event(before, now)
	switch now.Phase {
	case fleet.Ready:
		if loaded(before, now) {
			fields = append(fields, zap.Duration("took", now.ReadyAt.Sub(now.Launched)))
		}
		log.Info("model is ready", fields...)
	case fleet.Backoff, fleet.Failed, fleet.Unhealthy:
		log.Warn("model is "+words[now.Phase], fields...)
	default:
		log.Info("model is "+words[now.Phase], fields...)
	}
}

// count has the metrics tell of a change.
func (s *Servers) count(model string, before, now unit.Status) {
	if before.Failures != now.Failures {
		s.Metrics.Failed(model, now.Failure.Reason)
	}
	if loaded(before, now) {
		s.Metrics.Started(model, now.ReadyAt.Sub(now.Launched))
	}
}

// loaded tells whether a start has come to its end: the server is ready.
func loaded(before, now unit.Status) bool {
	return now.Phase == fleet.Ready && before.Phase == fleet.Starting && !now.Policy.Remote && !now.Launched.IsZero()
}

// words says a phase in a sentence.
var words = map[fleet.Phase]string{
	fleet.Stopped: "stopped", fleet.Pending: "pending", fleet.Starting: "starting", fleet.Unhealthy: "unhealthy",
	fleet.Draining: "draining", fleet.Stopping: "stopping", fleet.Backoff: "backing off", fleet.Failed: "failed",
}

// event is what there is to say of a change of phase.
func event(before, now unit.Status) []zap.Field {
	var fields []zap.Field
	if now.PID != 0 {
		fields = append(fields, zap.Int("pid", now.PID))
	}
	if now.Reason != "" {
		fields = append(fields, zap.String("reason", string(now.Reason)))
	}
	if text := board.Message(now.State); text != "" {
		fields = append(fields, zap.String("detail", text))
	}
	if before.LastExit != now.LastExit && !now.Policy.Remote {
		fields = append(fields, zap.Int("code", now.LastExit.Code))
		if now.LastExit.Signal != "" {
			fields = append(fields, zap.String("signal", now.LastExit.Signal))
		}
	}
	return fields
}
