package retry

import "sync"

const (
	// share of the requests may be sent again.
	share = 0.2
	// reserve is what may be sent again at once. It covers the requests that one of a few backends takes with it when it
	// dies under load, and bounds what an outage adds to the load of those that are left.
	reserve = 200
)

// Budget bounds what retries add to the load of a model: a fifth of its requests, and a reserve. The zero value is full.
type Budget struct {
	mu    sync.Mutex
	spent float64 // of the reserve
}

// Request earns a share of a retry.
func (b *Budget) Request() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.spent = max(0, b.spent-share)
}

// Take uses up one retry and reports false when there is none.
func (b *Budget) Take() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.spent+1 > reserve {
		return false
	}
	b.spent++
	return true
}
