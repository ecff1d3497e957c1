package mockvllm

import (
	"context"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/statlog"
)

// statistics arms the clock for vLLM's line about the engine, and returns what writes it until ctx ends.
func (s *Server) statistics(ctx context.Context) func() {
	if s.stats == nil {
		return func() {}
	}
	next := s.clock.Now().Add(s.cfg.Scheduler.StatsInterval)
	timer := s.clock.NewTimer()
	timer.Reset(next)
	return func() {
		defer timer.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-timer.C():
			}
			if line := s.stats.Line(s.clock.Now()); line != "" {
				s.console.Info(statlog.Where, "%s", line)
			}
			next = next.Add(s.cfg.Scheduler.StatsInterval)
			timer.Reset(next)
		}
	}
}
