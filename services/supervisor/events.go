package supervisor

import (
	"fmt"
	"strings"

	"go.uber.org/zap"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
	"github.com/fluidmcp/fluidmcp/services/supervisor/board"
	"github.com/fluidmcp/fluidmcp/services/supervisor/rollout"
	"github.com/fluidmcp/fluidmcp/services/supervisor/store"
	"github.com/fluidmcp/fluidmcp/services/supervisor/unit"
)

// changed takes in what a unit reports after each event: the board first, because a backend that is not routable any more has
// to be out of the feed at once, then metrics and log.
func (s *Supervisor) changed(i *board.Instance, last *record, now unit.Status) {
	before := s.board.Update(i, now)
	s.remember(i, last, before, now)
	recordCrash(i, before, now)
	if before.Failures != now.Failures {
		s.metrics.failed(i.Model.ID, now.Failure.Reason)
	}
	s.moved(i, now) // when it is on record: who gets its place comes after it
	if before.Phase == now.Phase && before.Starts == now.Starts {
		return
	}
	log := s.log.With(zap.String("model", i.Model.ID), zap.String("instance", i.ID))
	fields := event(before, now)
	switch now.Phase {
	case fleet.Ready:
		if before.Phase == fleet.Starting && !now.Policy.Remote && !now.Launched.IsZero() {
			took := now.ReadyAt.Sub(now.Launched)
			s.metrics.start.WithLabelValues(i.Model.ID).Observe(took.Seconds())
			fields = append(fields, zap.Duration("took", took))
		}
		log.Info("model is ready", fields...)
	case fleet.Backoff, fleet.Failed, fleet.Unhealthy:
		log.Warn("model is "+words[now.Phase], fields...)
	default:
		log.Info("model is "+words[now.Phase], fields...)
	}
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

// rolloutEvents are the reasons of the events of a rollout's end.
var rolloutEvents = map[rollout.State]string{rollout.Done: "RolloutDone", rollout.Failed: "RolloutFailed", rollout.Canceled: "RolloutCanceled"}

// tellRollout takes in what a rollout does. What happens to each server is logged already.
func (s *Supervisor) tellRollout(id string, now rollout.Status) {
	log := s.log.With(zap.String("model", id), zap.String("reason", string(now.Why)), zap.Int("done", now.Done), zap.Int("total", now.Total),
		zap.String("detail", now.Message))
	switch now.State {
	case rollout.Rolling:
		log.Debug("model is rolling")
		return
	case rollout.Done:
		log.Info("rollout is done")
	case rollout.Failed:
		log.Warn("rollout has failed")
	case rollout.Canceled:
		log.Info("rollout was canceled")
	}
	s.metrics.rollouts.WithLabelValues(id, string(now.State)).Inc()
	s.store.Events.Add(store.Event{Model: id, Reason: rolloutEvents[now.State],
		Message: strings.TrimSuffix(fmt.Sprintf("%d of %d servers are new ones; %s", now.Done, now.Total, now.Message), "; ")})
}
