package upstream

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"
)

// Prober asks every backend for its health, again and again.
type Prober struct {
	Transport http.RoundTripper
	Interval  time.Duration // between two rounds, and the most that one probe may take
	Backends  func() map[string]string
	SetUp     func(id string, up bool)
	Log       *zap.Logger

	down map[string]bool // by the last round, to log changes only
}

// Run probes until ctx ends.
func (p *Prober) Run(ctx context.Context) {
	tick := time.NewTicker(p.Interval)
	defer tick.Stop()
	for {
		p.round(ctx)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (p *Prober) round(ctx context.Context) {
	var (
		all  sync.WaitGroup
		mu   sync.Mutex
		down = make(map[string]bool)
	)
	for id, base := range p.Backends() {
		all.Go(func() {
			err := p.probe(ctx, base)
			if ctx.Err() != nil {
				return // the gateway stops; that says nothing about the backend
			}
			p.SetUp(id, err == nil)
			mu.Lock()
			defer mu.Unlock()
			down[id] = err != nil
			if down[id] != p.down[id] {
				p.Log.Info("backend changed", zap.String("backend", id), zap.Bool("up", err == nil), zap.Error(err))
			}
		})
	}
	all.Wait()
	p.down = down
}

// probe takes any answer below 500 for health: servers other than vLLM may not know /health.
func (p *Prober) probe(ctx context.Context, base string) error {
	ctx, cancel := context.WithTimeout(ctx, p.Interval)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(base, "/")+"/health", nil)
	if err != nil {
		return fmt.Errorf("probe %s: %w", base, err)
	}
	resp, err := p.Transport.RoundTrip(req)
	if err != nil {
		return fmt.Errorf("probe %s: %w", base, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode >= http.StatusInternalServerError {
		return fmt.Errorf("probe %s: %s", base, resp.Status)
	}
	return nil
}
