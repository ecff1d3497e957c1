package probe

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"
)

const (
	// believed is for how many intervals a figure is told to be valid: one lost poll does not blind the balance.
	believed = 3
	// seldom is how long a server without vLLM's metrics is left alone. It may be another one after a restart.
	seldom = time.Minute
)

// Poller asks backends for their load, again and again. A server that does not tell it is no failure.
type Poller struct {
	Transport http.RoundTripper
	Interval  time.Duration            // between two polls of a backend
	Backends  func() map[string]string // base URLs by id, of those whose load matters
	SetLoad   func(id string, l Load, valid time.Duration)

	mu     sync.Mutex
	silent map[string]time.Time // until when a base URL is not asked
}

// Run polls until ctx ends.
func (p *Poller) Run(ctx context.Context) {
	p.silent = make(map[string]time.Time)
	spread(ctx, p.Interval, p.backends, func(id, base string, _ time.Time) {
		var load Load
		told := true
		err := get(ctx, p.Transport, base, "/metrics", p.Interval, func(resp *http.Response) (err error) {
			if resp.StatusCode != http.StatusOK {
				told = false
				return nil
			}
			load, told, err = readLoad(resp.Body)
			return err
		})
		switch {
		case err != nil: // whether it answers at all is the prober's question
		case told:
			p.SetLoad(id, load, believed*p.Interval)
		default:
			p.mu.Lock()
			p.silent[base] = time.Now().Add(seldom)
			p.mu.Unlock()
		}
	})
}

// backends leaves out the silent ones, and forgets those that are gone.
func (p *Poller) backends() map[string]string {
	all := p.Backends()
	here := slices.Collect(maps.Values(all))
	p.mu.Lock()
	defer p.mu.Unlock()
	maps.DeleteFunc(p.silent, func(base string, until time.Time) bool {
		return !slices.Contains(here, base) || !time.Now().Before(until)
	})
	maps.DeleteFunc(all, func(_, base string) bool { _, silent := p.silent[base]; return silent })
	return all
}
