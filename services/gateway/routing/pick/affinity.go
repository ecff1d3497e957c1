package pick

import (
	"math"

	"github.com/fluidmcp/fluidmcp/internal/splitmix"
)

const (
	// overload is how far a backend's load may exceed its part of the whole before keys are sent elsewhere (Mirrokni,
	// Thorup, Zadimoghaddam, "Consistent Hashing with Bounded Loads", 2016).
	overload = 1.25
	// spare is the load that a favourite may have in any case. With a handful of requests batching has room, and an average
	// of one or two would send every second request away from its cache.
	spare = 4
)

// Rendezvous returns the favourite of a key: always the same one of the same candidates, in proportion to their shares.
// When one leaves, only its keys move; when a share grows, keys move only to it (weighted rendezvous hashing, Schindelhauer
// and Schomaker, 2005).
func Rendezvous(usable []Candidate, key uint64) int {
	best, high := 0, 0.0
	for i, c := range usable {
		if score := c.score(key); score > high {
			best, high = i, score
		}
	}
	return best
}

// score is larger than any other with a probability in proportion to the share.
func (c Candidate) score(key uint64) float64 {
	uniform := (float64(splitmix.Mix(key^c.Key)>>12) + 0.5) / (1 << 52) // over 0 and below 1, exactly
	return -c.share() / math.Log(uniform)
}

// Affinity returns the favourite of a key as long as it is not overloaded, and else the cheapest of those that are not.
// Among equals the key decides, so that what overflows finds a cache as well.
func Affinity(usable []Candidate, key uint64) int {
	total, shares := 1.0, 0.0 // the new request included
	for _, c := range usable {
		total += c.Load
		shares += c.share()
	}
	fits := func(c Candidate) bool {
		return c.Load+1 <= max(spare, math.Ceil(overload*total*c.share()/shares))
	}
	favourite := Rendezvous(usable, key)
	if fits(usable[favourite]) {
		return favourite
	}
	best := -1
	for i, c := range usable {
		if fits(c) && (best < 0 || c.cost() < usable[best].cost() ||
			c.cost() == usable[best].cost() && c.score(key) > usable[best].score(key)) {
			best = i
		}
	}
	return max(best, 0) // of whole loads one fits, because the bounds add up to more than all of them
}
