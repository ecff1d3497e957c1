package probe

import (
	"context"
	"fmt"
	"hash/maphash"
	"net/http"
	"strings"
	"sync"
	"time"
)

// slots is into how many parts an interval is divided. Each backend has one.
const slots = 16

// spread calls ask once an interval for each backend, by id and base URL, until ctx ends, and waits for the calls. The
// slots are another choice in each process, so gateways that started together do not ask together.
func spread(ctx context.Context, interval time.Duration, backends func() map[string]string, ask func(id, base string, now time.Time)) {
	seed := maphash.MakeSeed()
	tick := time.NewTicker(max(interval/slots, time.Millisecond))
	defer tick.Stop()
	var asking sync.WaitGroup
	defer asking.Wait()
	for slot := uint64(0); ; slot++ {
		now := time.Now() // before they are looked up, so that what changes in between does so later
		for id, base := range backends() {
			if (maphash.String(seed, id)+slot)%slots == 0 {
				asking.Go(func() { ask(id, base, now) })
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// get asks a backend and takes less than an interval, so that the next time finds it free.
func get(ctx context.Context, transport http.RoundTripper, base, path string, interval time.Duration, read func(*http.Response) error) error {
	ctx, cancel := context.WithTimeout(ctx, interval-interval/slots)
	defer cancel()
	where := strings.TrimSuffix(base, "/") + path
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, where, nil)
	if err != nil {
		return fmt.Errorf("probe %s: %w", where, err)
	}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return fmt.Errorf("probe %s: %w", where, err)
	}
	defer resp.Body.Close()
	if err := read(resp); err != nil {
		return fmt.Errorf("probe %s: %w", where, err)
	}
	return nil
}
