package loadtest

import (
	"context"
	"time"
)

// places bounds the requests in flight of an open loop.
type places struct {
	taken chan struct{} // nil without a bound
	since time.Time     // when the last wait for a place ended; zero before the first
}

func newPlaces(n int) *places {
	if n == 0 {
		return &places{}
	}
	return &places{taken: make(chan struct{}, n)}
}

// take waits for a place. It returns false when ctx ended first.
func (p *places) take(ctx context.Context) bool {
	if p.taken == nil {
		return true
	}
	select {
	case p.taken <- struct{}{}:
		return true
	default:
	}
	select {
	case p.taken <- struct{}{}:
		p.since = time.Now()
		return true
	case <-ctx.Done():
		return false
	}
}

func (p *places) leave() {
	if p.taken != nil {
		<-p.taken
	}
}
