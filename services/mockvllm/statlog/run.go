package statlog

import (
	"context"
	"time"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/engine/clock"
)

// Run arms the clock for a line each interval, and returns what writes them until ctx ends. Nil writes none.
func (l *Logger) Run(ctx context.Context, c clock.Clock, interval time.Duration, write func(line string)) func() {
	if l == nil {
		return func() {}
	}
	next := c.Now().Add(interval)
	timer := c.NewTimer()
	timer.Reset(next)
	return func() {
		defer timer.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-timer.C():
			}
			if line := l.Line(c.Now()); line != "" {
				write(line)
			}
			next = next.Add(interval)
			timer.Reset(next)
		}
	}
}
