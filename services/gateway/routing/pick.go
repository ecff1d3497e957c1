package routing

// Candidate is a backend as a policy sees it.
type Candidate struct {
	Inflight int64
	Down     bool // refused or failed its last probe or connection
}

// Pick returns the index of the candidate with the fewest requests in flight. Among equals turn goes round. One that is
// down is chosen only when all are: then trying is the quickest way to learn that one is back. It returns -1 for none.
func Pick(candidates []Candidate, turn uint64) int {
	best := -1
	for i := range candidates {
		at := int((turn + uint64(i)) % uint64(len(candidates)))
		if best < 0 || better(candidates[at], candidates[best]) {
			best = at
		}
	}
	return best
}

func better(a, b Candidate) bool {
	if a.Down != b.Down {
		return b.Down
	}
	return a.Inflight < b.Inflight
}
