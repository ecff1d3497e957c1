package faults

import (
	"cmp"
	"hash/maphash"
	"math"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"time"
)

// Request is what rules look at.
type Request struct {
	Path      string
	Generates bool // its path makes text
	Header    http.Header
	Key       string // bearer token, "" without one
	Model     string // named in the body; only needed when NeedsModel says so
}

// Injector decides by the rules that were set last. The zero value has none.
type Injector struct {
	mu    sync.Mutex
	set   Set
	began time.Time // when the rules were set
	rules []ruleState
}

// ruleState is the memory of one rule, which begins anew when rules are set.
type ruleState struct {
	matched  int         // requests
	seen     uint64      // of these, those that the share was drawn for
	deck     []bool      // decisions for the current block of requests
	accepted []time.Time // within the window of the rate limit
	each     map[uint64][]time.Time
	fired    bool // the engine has died of it
}

// Put replaces all rules and starts their sequences and windows anew, at now. The set must be valid.
func (in *Injector) Put(s Set, now time.Time) {
	if s.Rules == nil {
		s.Rules = []Rule{}
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	in.set, in.began, in.rules = s, now, make([]ruleState, len(s.Rules))
}

// Get returns the rules.
func (in *Injector) Get() Set {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.set
}

// Any tells whether there are rules.
func (in *Injector) Any() bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	return len(in.set.Rules) > 0
}

// NeedsModel tells whether a rule looks at the model that a body names.
func (in *Injector) NeedsModel() bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	return slices.ContainsFunc(in.set.Rules, func(r Rule) bool { return r.Match.Model != "" })
}

// Decision is what is to be done to a request. RateLimit is never set: who exceeds it has a Status.
type Decision struct {
	Action
	Rules []int // those that have a part in it, by their place in the set, from 0
}

// Decide takes the next decision of each rule for a request that came at now.
func (in *Injector) Decide(r Request, now time.Time) Decision {
	in.mu.Lock()
	defer in.mu.Unlock()
	var all Decision
	for i, rule := range in.set.Rules {
		if rule.onServer() || !rule.Match.request(r) || !rule.Match.Window.open(now.Sub(in.began)) {
			continue
		}
		// Every rule counts every request that it matches, so that one rule's decisions do not depend on another's.
		s := &in.rules[i]
		s.matched++
		if !s.hit(rule.Match.Percent, uint64(in.set.Seed), uint64(i)) ||
			rule.Match.Nth != nil && !slices.Contains(rule.Match.Nth, s.matched) || all.Status != 0 {
			continue
		}
		if rule.Do.RateLimit != nil {
			if wait := s.admit(*rule.Do.RateLimit, r.Key, now); wait > 0 {
				all.Status, all.Message, all.RetryAfter = http.StatusTooManyRequests, "Rate limit exceeded", Duration(wait)
				all.Rules = append(all.Rules, i)
				continue
			}
		}
		if more := all.With(rule.Do); more != all.Action {
			all.Action, all.Rules = more, append(all.Rules, i)
		}
	}
	return all
}

func (m Match) request(r Request) bool {
	if m.Path != r.Path && (m.Path != "" || !r.Generates) || m.Model != "" && m.Model != r.Model || m.Key != "" && m.Key != r.Key {
		return false
	}
	for name, want := range m.Header {
		values := r.Header[name]
		if !slices.Contains(values, want) && (want != "*" || len(values) == 0) {
			return false
		}
	}
	return true
}

// open tells whether t, counted from when the rules were set, is within the window.
func (w *Window) open(t time.Duration) bool {
	return w == nil || t >= time.Duration(w.At) && (w.For == 0 || t-time.Duration(w.At) < time.Duration(w.For))
}

// With adds an action to those of the rules before: delays add up, of all else the first counts, and nothing is added to an
// error.
func (a Action) With(b Action) Action {
	if a.Status != 0 {
		return a
	}
	a.Delay += b.Delay
	if b.Status != 0 {
		a.Status, a.Message, a.Body, a.RetryAfter = b.Status, cmp.Or(b.Message, "Model error"), b.Body, b.RetryAfter
	}
	if a.Stall == nil {
		a.Stall, a.StallFor = b.Stall, b.StallFor
	}
	a.Malformed = cmp.Or(a.Malformed, b.Malformed)
	if a.Cut == nil && a.Reset == nil && a.Death() == "" && a.WrongLength == 0 {
		a.Cut, a.Reset, a.Crash, a.OOM, a.WrongLength = b.Cut, b.Reset, b.Crash, b.OOM, b.WrongLength
	}
	a.Trickle, a.Split, a.Join = cmp.Or(a.Trickle, b.Trickle), cmp.Or(a.Split, b.Split), cmp.Or(a.Join, b.Join)
	return a
}

// Breaks tells whether something happens to the answer on its way.
func (a Action) Breaks() bool {
	a.Delay, a.Status, a.Message, a.Body, a.RetryAfter = 0, 0, "", nil, 0
	return a != Action{}
}

// hit draws the next decision. Within each block of requests the share is exact, its places are shuffled.
func (s *ruleState) hit(percent *float64, seed, rule uint64) bool {
	if percent == nil {
		return true
	}
	hits, size := block(*percent)
	at := int(s.seen % uint64(size)) // less than 10000
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

// mostKeys bounds what clients that invent keys can make a limit remember.
const mostKeys = 10_000

var keySeed = maphash.MakeSeed()

// admit returns 0 for a request within the limit, else the time until one would be.
func (s *ruleState) admit(r Rate, key string, now time.Time) time.Duration {
	if r.Per == "" {
		var wait time.Duration
		s.accepted, wait = within(s.accepted, r, now)
		return wait
	}
	if s.each == nil || len(s.each) >= mostKeys {
		s.each = map[uint64][]time.Time{}
	}
	id := maphash.String(keySeed, key)
	accepted, wait := within(s.each[id], r, now)
	s.each[id] = accepted
	return wait
}

func within(accepted []time.Time, r Rate, now time.Time) ([]time.Time, time.Duration) {
	window := time.Duration(r.Window)
	for len(accepted) > 0 && now.Sub(accepted[0]) >= window {
		accepted = accepted[1:]
	}
	if len(accepted) >= r.Requests {
		return accepted, accepted[0].Add(window).Sub(now)
	}
	return append(accepted, now), 0
}
