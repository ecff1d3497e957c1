package routing

import "time"

const (
	ejectAfter   = 5 // failures in a row
	ejectFor     = 5 * time.Second
	ejectLongest = time.Minute
	// slowStart is how long a backend that begins or returns gets less than its share: its caches are empty, and all the
	// others' overflow would meet it at once.
	slowStart = 10 * time.Second
	coldest   = 0.1 // of its share, at the beginning
)

// Outcome is what a request told of its backend. One that told nothing, because the client left, is not reported.
type Outcome int

// The outcomes.
const (
	Success     Outcome = iota // it answered as a sound server does
	Failure                    // it did not
	Unreachable                // a failure, and no connection was made: the backend is down until it answers again
)

// health is what requests and probes have told of a backend.
//
//	sound ── ejectAfter failures in a row ──► ejected ── ejectFor, doubled each time ──► sound, but the next failure ejects
//	  ▲                                          │
//	  └────── success of a request that began since, from any of them: failures and doubling are forgotten
//
// Beside it, down is the answer of the last probe or connection. A server that is about to end passes probes and fails
// requests, so a probe does not forgive failures.
type health struct {
	down     bool
	failures int       // in a row
	times    int       // ejected, in a row
	until    time.Time // ejected
	since    time.Time // takes traffic
	round    int       // grows when requests that are under way can tell nothing more
}

// begin forgets all: the backend is new, or not what it was.
func (h *health) begin(now time.Time) { *h = health{since: now, round: h.round + 1} }

func (h *health) ejected(now time.Time) bool { return now.Before(h.until) }

// setUp notes whether the backend answers.
func (h *health) setUp(up bool, now time.Time) {
	if up && h.down {
		h.since = now
	}
	h.down = !up
}

// well tells that a success would change nothing.
func (h *health) well() bool { return !h.down && h.failures == 0 && h.times == 0 && h.until.IsZero() }

// report notes the outcome of a request that began in a round. What began before an ejection says nothing about the time
// after it: neither do a hundred failures at once eject for longer, nor does an answer begun earlier bring a backend back.
func (h *health) report(o Outcome, round int, now time.Time) {
	if round != h.round {
		return
	}
	if o == Success {
		h.setUp(true, now)
		h.failures, h.times, h.until = 0, 0, time.Time{}
		return
	}
	if o == Unreachable {
		h.setUp(false, now)
	}
	h.failures++
	if h.failures >= ejectAfter && !h.ejected(now) { // it is asked while ejected when too many others are out
		h.until = now.Add(min(ejectFor<<min(h.times, 10), ejectLongest))
		h.times++
		h.round++
	}
}

// warmth is the part of its share that the backend should get, from coldest to 1.
func (h *health) warmth(now time.Time) float64 {
	since := h.since
	if h.until.After(since) {
		since = h.until
	}
	return min(1, max(coldest, float64(now.Sub(since))/float64(slowStart)))
}
