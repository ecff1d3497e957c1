package probe

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/fluidmcp/fluidmcp/internal/rawnet"
)

// Prober asks every backend for its health, again and again.
type Prober struct {
	Transport http.RoundTripper
	Interval  time.Duration                                  // between two probes of a backend, and the most that one may take
	Backends  func() map[string]string                       // base URLs by id
	SetUp     func(id string, up bool, asked time.Time) bool // false when the probe does not count
	Log       *zap.Logger

	mu   sync.Mutex
	down map[string]bool // by the last probe, to log changes only
}

// Run probes until ctx ends.
func (p *Prober) Run(ctx context.Context) {
	p.down = make(map[string]bool)
	spread(ctx, p.Interval, p.backends, func(id, base string, now time.Time) {
		// Any answer below 500 is health: servers other than vLLM may not know /health.
		err := get(ctx, p.Transport, base, "/health", p.Interval, func(resp *http.Response) error {
			if resp.StatusCode >= http.StatusInternalServerError {
				return errors.New(resp.Status)
			}
			return nil
		})
		late := err != nil && time.Since(now) > p.Interval
		if ctx.Err() != nil || rawnet.Exhausted(err) || late {
			return // the gateway stops, or had no descriptor, or no processor in time; that says nothing about the backend
		}
		if p.SetUp(id, err == nil, now) {
			p.note(id, err)
		}
	})
}

// backends forgets those that are gone.
func (p *Prober) backends() map[string]string {
	now := p.Backends()
	p.mu.Lock()
	defer p.mu.Unlock()
	maps.DeleteFunc(p.down, func(id string, _ bool) bool { _, ok := now[id]; return !ok })
	return now
}

func (p *Prober) note(id string, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if down := err != nil; down != p.down[id] {
		p.down[id] = down
		p.Log.Info("backend changed", zap.String("backend", id), zap.Bool("up", !down), zap.Error(err))
	}
}
