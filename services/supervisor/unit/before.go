package unit

import "time"

// Before is what is known of a unit from an earlier supervisor.
type Before struct {
	Desired  Desired // "" when nothing is
	Starts   int
	Restarts int
	Failures FailureHistory
}

// FailureHistory is what outlives a supervisor of the failures of a unit. Otherwise one that is itself restarted every few minutes would
// let a model crash for ever.
type FailureHistory struct {
	Times   []time.Time // of the last failures that count, the oldest first
	Reason  Reason      // for which the unit was given up, "" when it was not
	Message string      // that goes with Reason
}

// History returns that of the unit. Its Times are not changed later.
func (s State) History() FailureHistory { return s.history }

// Same tells whether two of them say the same.
func (h FailureHistory) Same(other FailureHistory) bool {
	n := len(h.Times)
	return n == len(other.Times) && h.Reason == other.Reason && h.Message == other.Message &&
		(n == 0 || h.Times[n-1].Equal(other.Times[n-1]))
}

// last is when the last failure was, or now when there was none.
func (h FailureHistory) last(now time.Time) time.Time {
	if n := len(h.Times); n > 0 {
		return h.Times[n-1]
	}
	return now
}

// within returns the times that are not before the window that ends now. It does not share memory with its argument.
func within(times []time.Time, now time.Time) []time.Time {
	kept := make([]time.Time, 0, len(times)+1)
	for _, t := range times {
		if now.Sub(t) < crashWindow {
			kept = append(kept, t)
		}
	}
	return kept
}
