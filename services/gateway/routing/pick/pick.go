package pick

import (
	"slices"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
)

// Candidate is a backend as a policy sees it.
type Candidate struct {
	Index   int  // the caller's, to know it again
	Down    bool // refused or failed its last probe or connection
	Ejected bool // failed too often in a row
	Tried   bool // failed this request already

	Key    uint64  // hash of its id, the same in every gateway
	Load   float64 // requests that it works on or has waiting
	KVUse  float64 // 0 to 1, of its KV cache; 0 when unknown
	Weight float64 // relative share of traffic, over 0
	Warmth float64 // over 0, 1 once it takes its whole share
	Credit float64 // turns that smooth owes it
}

// share is its part of the traffic in relation to the others.
func (c Candidate) share() float64 { return c.Weight * c.Warmth }

// Request is what a policy may go by.
type Request struct {
	Prefix  uint64 // hash of the prompt's beginning; 0 when there is none
	Session uint64 // hash of the session's name; 0 when there is none
	Random  uint64 // drawn anew for each request
}

// Usable keeps, in place, the candidates that should be asked: of those not tried yet the sound ones, else those that are
// ejected, else those that are down, because then trying is the quickest way to learn that one is back. When more than
// half of all are out, ejections do not count: too few backends would carry the load of the others, and fail next.
func Usable(all []Candidate) []Candidate {
	out := 0
	for _, c := range all {
		if c.Down || c.Ejected {
			out++
		}
	}
	ignore := 2*out > len(all)
	worse := func(c Candidate) int {
		switch {
		case c.Down:
			return 2
		case c.Ejected && !ignore:
			return 1
		}
		return 0
	}
	best := 3
	for _, c := range all {
		if !c.Tried {
			best = min(best, worse(c))
		}
	}
	return slices.DeleteFunc(all, func(c Candidate) bool { return c.Tried || worse(c) > best })
}

// Choose returns the position of the backend for a request, or -1 when there is no candidate. Smooth policies change the
// credits.
func Choose(policy fleet.Policy, usable []Candidate, r Request) int {
	if len(usable) == 0 {
		return -1
	}
	if r.Session != 0 {
		return Rendezvous(usable, r.Session)
	}
	switch policy {
	case fleet.PrefixAffinity:
		if r.Prefix != 0 {
			return Affinity(usable, r.Prefix)
		}
	case fleet.RoundRobin:
		return smooth(usable, func(c Candidate) float64 { return c.Warmth })
	case fleet.Weighted:
		return smooth(usable, Candidate.share)
	}
	return LeastLoad(usable, r.Random)
}
