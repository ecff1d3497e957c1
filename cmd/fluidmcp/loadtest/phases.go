package loadtest

import (
	"sync"
	"time"
)

// phases says which requests are the warm-up, which are measured, and when no more are sent. What is measured begins with
// the first request that is neither within the number nor within the time of the warm-up.
type phases struct {
	warmupRequests int
	warmupTime     time.Duration
	requests       int                     // to measure; 0 when length ends the run
	length         time.Duration           // in which measured requests are sent
	begin          func(due time.Duration) // is called for the first request that is measured, before its turn is given

	mu             sync.Mutex
	sent, measured int
	began          time.Duration // when what is measured did
}

// turn is one request's place in the run.
type turn struct {
	number int // from 0, the warm-up included
	warmup bool
}

// next gives the turn of a request that is due so long after the start. It returns false when the run is over.
func (p *phases) next(due time.Duration) (turn, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	t := turn{number: p.sent}
	if p.measured == 0 && (p.sent < p.warmupRequests || due < p.warmupTime) {
		p.sent++
		t.warmup = true
		return t, true
	}
	if p.measured == 0 {
		p.began = due
		p.begin(due)
	}
	if p.requests > 0 && p.measured >= p.requests || p.length > 0 && due-p.began >= p.length {
		return t, false
	}
	p.sent++
	p.measured++
	return t, true
}

// over tells whether the time in which measured requests are sent has passed, so long after the start.
func (p *phases) over(elapsed time.Duration) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.length > 0 && p.measured > 0 && elapsed-p.began >= p.length
}
