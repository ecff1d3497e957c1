package engine

import (
	"slices"
	"time"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/latency"
)

// step is the work of one iteration.
type step struct {
	batch    []*Sequence
	budget   int           // tokens that may still be scheduled
	load     latency.Batch // what the batch costs
	next     time.Duration // earliest deadline of a running sequence that the step does not serve
	end      time.Duration // of the step that runs
	last     time.Duration // when the last step was done
	inFlight bool
}

// schedule chooses the work of a step as vLLM's V1 scheduler does: running sequences in order, giving up others where
// blocks run out, and then, if none was given up, waiting ones.
func (e *Engine) schedule(now time.Duration) {
	st := &e.step
	st.batch, st.budget, st.load, st.next = st.batch[:0], e.cfg.MaxNumBatchedTokens, latency.Batch{}, never
	if e.paused == pausedAll {
		return
	}
	if !e.scheduleRunning(now) {
		st.batch = slices.DeleteFunc(st.batch, func(s *Sequence) bool { return !s.inStep })
		st.next = atOnce // others may run in its place
	} else if e.paused == unpaused {
		e.admit(now)
	}
}

// scheduleRunning returns false if it gave up a sequence.
func (e *Engine) scheduleRunning(now time.Duration) bool {
	paced, whole := e.paced(), true
	for i := 0; i < len(e.running) && e.step.budget > 0; i++ {
		s := e.running[i]
		n := s.total - s.computed
		if paced && n <= 1 && s.due > now {
			e.step.next = min(e.step.next, s.due)
			continue
		}
		n = min(n, e.step.budget)
		for !e.fits(s, s.computed+n) {
			whole = false
			victim, at := e.victim()
			e.preempt(victim, at)
			if at < i {
				i--
			}
			if victim == s {
				return false
			}
		}
		e.schedules(s, n)
	}
	return whole
}

// fits gives a sequence the blocks for its first tokens, if there are as many.
func (e *Engine) fits(s *Sequence, tokens int) bool {
	if tokens <= len(s.table)*e.cfg.BlockSize {
		return true
	}
	need := e.blocks(tokens) - len(s.table)
	if need > e.pool.Free() {
		return false
	}
	s.table = e.pool.Alloc(s.table, need)
	return true
}

func (e *Engine) blocks(tokens int) int { return (tokens + e.cfg.BlockSize - 1) / e.cfg.BlockSize }

// schedules puts n tokens of a sequence, which has the blocks for them, into the step.
func (e *Engine) schedules(s *Sequence, n int) {
	st := &e.step
	st.batch = append(st.batch, s)
	st.budget -= n
	s.inStep, s.scheduled = true, n
	if s.computed < s.Prompt || n > 1 {
		st.load.Prefill += n
	}
	s.computed += n
	if s.computed == s.total {
		st.load.Sequences++
		st.load.Context += s.computed
	}
	if e.cfg.PrefixCaching && s.computed >= (s.remembered+1)*e.cfg.BlockSize {
		e.remember(s, s.computed/e.cfg.BlockSize)
	}
}

// remember tells the cache of full blocks, which others may use from now on.
func (e *Engine) remember(s *Sequence, full int) {
	s.Chain.Extend(full, s.Output)
	known := s.Chain.Blocks()
	for ; s.remembered < min(full, len(known)); s.remembered++ {
		e.pool.Remember(s.table[s.remembered], known[s.remembered])
	}
}

// victim is the running sequence to be given up, and where it is: the last one admitted, or, by priority, the least
// important and among these the last to arrive.
func (e *Engine) victim() (*Sequence, int) {
	at := len(e.running) - 1
	if e.cfg.Policy == Priority {
		for i, s := range e.running {
			if v := e.running[at]; s.rank > v.rank || s.rank == v.rank && s.turn > v.turn {
				at = i
			}
		}
	}
	return e.running[at], at
}

// preempt sends a running sequence back to the head of the queue. It keeps its tokens and computes them again.
func (e *Engine) preempt(s *Sequence, at int) {
	e.running = slices.Delete(e.running, at, at+1)
	if s.inStep {
		e.unschedule(s)
	}
	e.release(s)
	s.computed, s.remembered = 0, 0
	s.state = waiting
	s.preempted++
	if e.cfg.Policy == FCFS {
		e.before--
		s.turn = e.before
	}
	e.waiting.add(s)
}

// unschedule takes a sequence out of the step. What it would have brought is lost.
func (e *Engine) unschedule(s *Sequence) {
	st := &e.step
	s.inStep = false
	st.budget += s.scheduled
	if s.computed == s.total {
		st.load.Sequences--
		st.load.Context -= s.computed
	}
	if s.computed-s.scheduled < s.Prompt || s.scheduled > 1 {
		st.load.Prefill -= s.scheduled
	}
}

// admit takes waiting sequences in for as long as there are places, tokens and blocks for the whole of the next one. One
// whose adapter has no place is passed over. An engine that had nothing to do begins with the first sequence that comes: others of
// the same request reach vLLM's scheduler while that step runs.
func (e *Engine) admit(now time.Duration) {
	alone := e.alone
	e.alone = false
	var passed []*Sequence
	for e.step.budget > 0 && len(e.waiting) > 0 && len(e.running) < e.cfg.MaxNumSeqs {
		s := e.waiting[0]
		if !e.adapterFits(s.LoRA) {
			e.defers(s, true)
			passed = append(passed, e.waiting.next())
			continue
		}
		if !e.begin(s, now) || alone {
			break
		}
	}
	for _, s := range passed {
		e.waiting.add(s)
	}
}

// begin admits the first of the waiting sequences, if the step has room for it. The last token is always computed, because
// the next one comes from it.
func (e *Engine) begin(s *Sequence, now time.Duration) bool {
	var prefix, free int
	lookUp := e.cfg.PrefixCaching && !s.SkipCache
	if lookUp {
		most := (s.total - 1) / e.cfg.BlockSize
		s.Chain.Extend(most, s.Output)
		known := s.Chain.Blocks()
		prefix, free = e.pool.Match(known[:min(most, len(known))])
	}
	hit := prefix * e.cfg.BlockSize
	n := min(s.total-hit, e.step.budget)
	if n < s.total-hit && !e.cfg.ChunkedPrefill {
		return false
	}
	if e.blocks(s.total)-prefix+free > e.pool.Free() {
		return false
	}
	e.waiting.next()
	e.defers(s, false)
	s.table = e.pool.Take(s.table, s.Chain.Blocks()[:prefix])
	s.computed, s.remembered = hit, prefix
	s.state = running
	e.running = append(e.running, s)
	if s.started < 0 {
		s.started = now
		if s.ttft = s.delays.First(); s.Continues {
			s.ttft = s.delays.Next()
		}
	}
	if s.preempted == 0 {
		s.cached = hit
		if lookUp {
			e.it.PrefixRequests++
			e.it.PrefixQueries += s.total
			e.it.PrefixHits += hit
		}
	}
	s.due = max(s.due, now+s.ttft) // one that comes back is computed again, and the rest of it is late
	e.fits(s, hit+n)
	e.schedules(s, n)
	return true
}
