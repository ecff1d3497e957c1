package supervisor

import (
	"fmt"
	"os"
	"strings"

	"go.uber.org/zap"

	"github.com/fluidmcp/fluidmcp/internal/version"
	"github.com/fluidmcp/fluidmcp/services/supervisor/rollout"
	"github.com/fluidmcp/fluidmcp/services/supervisor/store"
)

// The reasons of events of the supervisor itself.
const (
	supervisorStarted = "SupervisorStarted"
	supervisorEnded   = "SupervisorEnded"
)

// recordStart tells that the supervisor begins, and how the one before has ended.
func (s *Supervisor) recordStart() {
	message := fmt.Sprintf("FluidMCP %s, pid %d", version.Get().Version, os.Getpid())
	switch known, _ := s.store.Events.After(0); {
	case len(known) == 0:
	case known[len(known)-1].Reason == supervisorEnded:
		message += "; the one before had ended as it was asked to"
	default:
		message += "; the one before was killed"
	}
	s.store.Events.Add(store.Event{Reason: supervisorStarted, Message: message})
}

func (s *Supervisor) recordEnd() {
	s.store.Events.Add(store.Event{Reason: supervisorEnded, Message: "every model server that does not outlive it has ended"})
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
