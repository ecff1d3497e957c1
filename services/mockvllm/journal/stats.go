package journal

import (
	"cmp"
	"slices"
)

// Stats are counts of the requests since the start or the last Clear.
type Stats struct {
	InFlight int64    `json:"in_flight"`
	Requests int      `json:"requests"` // that are over
	Aborted  ByWhom   `json:"aborted"`
	Counts   []Counts `json:"counts"` // by path, status and outcome, in this order
}

// ByWhom tells requests apart that got no whole answer.
type ByWhom struct {
	Client int `json:"client"`
	Server int `json:"server"`
	Fault  int `json:"fault"`
}

// Counts is how many requests ended alike, and what they were sent.
type Counts struct {
	Path     string `json:"path"`
	Status   int    `json:"status"`
	Outcome  string `json:"outcome"`
	Requests int    `json:"requests"`
	Tokens   int    `json:"tokens"`
}

// mostCounts bounds what clients that invent paths can cost; others are counted as the path "other".
const mostCounts = 1000

type countKey struct {
	path    string
	status  int
	outcome string
}

// count is called with the lock.
func (j *Journal) count(r *Record) {
	switch r.AbortedBy {
	case ByClient:
		j.aborted.Client++
	case ByServer:
		j.aborted.Server++
	case ByFault:
		j.aborted.Fault++
	}
	if c := j.counted; c == nil || c.Path != r.Path || c.Status != r.Status || c.Outcome != r.Outcome {
		j.counted = j.countsOf(countKey{r.Path, r.Status, r.Outcome})
	}
	j.counted.Requests++
	j.counted.Tokens += r.Tokens
}

// countsOf finds where requests are counted, or makes the place.
func (j *Journal) countsOf(key countKey) *Counts {
	c := j.counts[key]
	if c == nil && len(j.counts) >= mostCounts {
		key.path = "other"
		c = j.counts[key]
	}
	if c == nil {
		c = &Counts{Path: key.path, Status: key.status, Outcome: key.outcome}
		j.counts[key] = c
	}
	return c
}

// Stats returns the counts.
func (j *Journal) Stats() Stats {
	j.mu.Lock()
	defer j.mu.Unlock()
	s := Stats{InFlight: j.inFlight.Load(), Requests: j.recorded, Aborted: j.aborted, Counts: []Counts{}}
	for _, c := range j.counts {
		s.Counts = append(s.Counts, *c)
	}
	slices.SortFunc(s.Counts, func(a, b Counts) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Status, b.Status), cmp.Compare(a.Outcome, b.Outcome))
	})
	return s
}
