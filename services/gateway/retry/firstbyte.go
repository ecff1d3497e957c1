package retry

import (
	"slices"
	"sync"
	"time"
)

const (
	// remembered is how many of the last answers tell how long one takes to begin.
	remembered = 256
	// enough answers have to be known before one is called slow.
	enough = 20
	// renewed is after how many answers the percentile is reckoned anew.
	renewed = 64
)

// FirstBytes knows how long the last answers of a model took to begin. The zero value knows none.
type FirstBytes struct {
	mu       sync.Mutex
	times    [remembered]time.Duration
	n        int // ever seen
	p95      time.Duration
	reckoned int // n, when p95 was
}

// Add notes the time of one answer.
func (f *FirstBytes) Add(took time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.times[f.n%remembered] = took
	f.n++
}

// P95 is the time in which 95 of 100 answers began. It reports false as long as too few are known.
func (f *FirstBytes) P95() (time.Duration, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.n < enough {
		return 0, false
	}
	if f.reckoned == 0 || f.n-f.reckoned >= renewed {
		known := slices.Clone(f.times[:min(f.n, remembered)])
		slices.Sort(known)
		f.p95, f.reckoned = known[len(known)*95/100], f.n
	}
	return f.p95, true
}
