package faults

import (
	"math"
	"math/rand/v2"
	"sync"
	"time"
)

// Verdict is what becomes of one request: it waits, then it goes on or fails.
type Verdict struct {
	Delay      time.Duration
	Status     int // 0: the request goes on
	Message    string
	RetryAfter time.Duration // with status 429
}

// Injector decides by the rules that were set last. The zero value has none.
type Injector struct {
	mu    sync.Mutex
	set   Set
	rules []ruleState
}

// ruleState is the memory of one rule, which begins anew when rules are set.
type ruleState struct {
	seen     uint64      // requests that matched the path
	deck     []bool      // decisions for the current block of requests
	accepted []time.Time // within the window of the rate limit
}

// Put replaces all rules and starts their sequences anew. The set must be valid.
func (in *Injector) Put(s Set) {
	if s.Rules == nil {
		s.Rules = []Rule{}
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	in.set, in.rules = s, make([]ruleState, len(s.Rules))
}

// Get returns the rules.
func (in *Injector) Get() Set {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.set
}

// Decide takes the next decision of each rule for a request that came at now. generates tells whether its path makes text.
func (in *Injector) Decide(path string, generates bool, now time.Time) Verdict {
	in.mu.Lock()
	defer in.mu.Unlock()
	var v Verdict
	for i, r := range in.set.Rules {
		if r.Match.Path != path && (r.Match.Path != "" || !generates) {
			continue
		}
		// Every rule counts every request that it matches, so that one rule's decisions do not depend on another's.
		if !in.rules[i].hit(r.Match.Percent, uint64(in.set.Seed), uint64(i)) || v.Status != 0 {
			continue
		}
		r.Do.apply(&v, &in.rules[i], now)
	}
	return v
}

func (a Action) apply(v *Verdict, state *ruleState, now time.Time) {
	switch {
	case a.RateLimit != nil:
		if wait := state.admit(*a.RateLimit, now); wait > 0 {
			v.Status, v.Message, v.RetryAfter = 429, "Rate limit exceeded", wait
		}
	case a.Status != 0:
		v.Status, v.Message = a.Status, a.Message
		if v.Message == "" {
			v.Message = "Model error"
		}
	default:
		v.Delay += time.Duration(a.Delay)
	}
}

// hit draws the next decision. Within each block of requests the share is exact, its places are shuffled.
func (s *ruleState) hit(percent *float64, seed, rule uint64) bool {
	if percent == nil {
		return true
	}
	hits, size := block(*percent)
	at := int(s.seen % uint64(size))
	if at == 0 {
		rng := rand.New(rand.NewPCG(seed, rule<<32|s.seen/uint64(size)))
		s.deck = make([]bool, size)
		for i := range hits {
			s.deck[i] = true
		}
		rng.Shuffle(size, func(i, j int) { s.deck[i], s.deck[j] = s.deck[j], s.deck[i] })
	}
	s.seen++
	return s.deck[at]
}

// block is the smallest number of requests in which a share, rounded to hundredths of a percent, is whole. A hundred
// requests hold whole blocks of all whole percents.
func block(percent float64) (hits, size int) {
	share := int(math.Round(percent * 100))
	for _, size = range []int{10, 20, 25, 50, 100, 1000, 10000} {
		if share*size%10000 == 0 {
			break
		}
	}
	return share * size / 10000, size
}

// admit returns 0 for a request within the limit, else the time until one would be.
func (s *ruleState) admit(r Rate, now time.Time) time.Duration {
	window := time.Duration(r.Window)
	for len(s.accepted) > 0 && now.Sub(s.accepted[0]) >= window {
		s.accepted = s.accepted[1:]
	}
	if len(s.accepted) >= r.Requests {
		return s.accepted[0].Add(window).Sub(now)
	}
	s.accepted = append(s.accepted, now)
	return 0
}
