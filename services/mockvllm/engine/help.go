package engine

import (
	"math"
	"slices"
	"time"
)

// mostHelp is how many turns a submitter takes, so that none works for others for long.
const mostHelp = 64

// help takes turns in the place of Run where these take no time and nobody looks at the tokens before the last: then seqs are
// over without that another goroutine has to be woken, and to wake this one. It returns whether nothing is left for Run.
func (e *Engine) help(seqs []*Sequence) bool {
	if !e.cfg.Latency.Zero() || e.clock.Virtual() || slices.ContainsFunc(seqs, func(s *Sequence) bool { return s.Every > 0 }) || !e.turns.TryLock() {
		return false
	}
	defer e.turns.Unlock()
	now := never
	for range mostHelp {
		if e.work() || now == never { // else no time passes from turn to turn
			now = e.now()
		}
		e.repeat(now)
		switch next := e.turn(now); {
		case next == never:
			return true
		case next > now || !slices.ContainsFunc(seqs, unfinished):
			return false
		}
	}
	return false
}

// repeat makes at once the steps of now that are like the one before: each gives every running sequence a token, and that is all.
// What a step costs is mostly to tell of it.
func (e *Engine) repeat(now time.Duration) {
	n := e.alike(now)
	if n == 0 {
		return
	}
	it := &e.it
	for _, s := range e.running {
		s.computed += n
		s.total += n
		s.generated += n
		it.Gaps = append(it.Gaps, 0)
	}
	it.Outputs, it.Generated, it.Repeats = len(e.running), len(e.running), n-1
	e.report(now)
}

// alike is how many steps of now change nothing but the number of tokens that the running sequences have: nobody comes, ends, is
// woken or needs a block.
func (e *Engine) alike(now time.Duration) int {
	if len(e.running) == 0 || len(e.waiting) > 0 || e.paused != unpaused || e.changed {
		return 0
	}
	n := math.MaxInt
	for _, s := range e.running {
		if s.Every > 0 || s.generated == 0 || s.last != now || s.told != s.preempted || s.computed+1 != s.total {
			return 0
		}
		blocks := len(s.table) * e.cfg.BlockSize // tokens that it has room for
		n = min(n, s.Tokens-1-s.generated, blocks-s.computed)
	}
	return max(n, 0)
}
