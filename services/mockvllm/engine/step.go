package engine

import (
	"cmp"
	"slices"
	"sync/atomic"
	"time"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/engine/kv"
)

// turn does what is due at now, and returns when to come back.
func (e *Engine) turn(now time.Duration) time.Duration {
	e.woken = e.woken[:0]
	next := e.iterate(now)
	if e.changed {
		e.report(now)
	}
	e.finishPauses()
	if len(e.running)+len(e.waiting) == 0 {
		for _, idle := range e.idle {
			close(idle)
		}
		e.idle = nil
	}
	return next
}

// paced tells that sequences have deadlines of their own, and that steps take no time.
func (e *Engine) paced() bool { return e.cfg.Latency.Profile == nil }

// iterate ends the step that is over, and begins or does the next one.
func (e *Engine) iterate(now time.Duration) time.Duration {
	st := &e.step
	start := now
	if st.inFlight {
		if now < st.end {
			return st.end
		}
		st.inFlight = false
		start = st.end // and not now: a late wake-up delays nothing that comes after it
		e.complete(now)
	}
	e.schedule(now)
	if len(st.batch) == 0 {
		return st.next
	}
	if d := e.cfg.Latency.Step(st.load); d > 0 {
		st.inFlight, st.end = true, start+d
		return st.end
	}
	e.complete(now)
	if len(e.waiting) > 0 || st.budget == 0 || !e.paced() {
		return atOnce
	}
	return st.next
}

// complete delivers the tokens of the step.
func (e *Engine) complete(now time.Duration) {
	st := &e.step
	paced, over := e.paced(), false
	for _, s := range st.batch {
		if !s.inStep {
			continue // it has left meanwhile
		}
		s.inStep = false
		if s.computed < s.total || paced && s.due > now {
			if s.computed == s.total {
				st.next = min(st.next, s.due)
			} else {
				st.next = atOnce
			}
			continue
		}
		e.deliver(s, now)
		if s.generated == s.Tokens {
			e.end(s)
			e.finish(s, s.Reason, now)
			over = true
		} else if paced {
			s.due += s.delays.Next()
			st.next = min(st.next, s.due)
		}
		if s.wakes() {
			e.woken = append(e.woken, s)
		}
	}
	if over {
		e.running = slices.DeleteFunc(e.running, func(s *Sequence) bool { return s.state == ended })
	}
	st.last = now
	e.report(now)
	for _, s := range e.woken {
		s.wake()
	}
}

// deliver counts a token, or the vector that is made of a prompt.
func (e *Engine) deliver(s *Sequence, now time.Duration) {
	it := &e.it
	e.output(s, now)
	it.Preemptions += s.preempted - s.told
	s.told = s.preempted
	if s.generated == 0 {
		it.PromptCached += s.cached
		it.PromptComputed += s.Prompt - s.cached
	}
	if s.Pooled {
		return
	}
	if s.generated == 0 {
		e.prefilling.Add(-int64(s.Prompt))
		e.enter(s.LoRA)
	}
	it.Generated++
	s.generated++
	s.total++
}

// output counts what vLLM's front end hears of a sequence. It takes the end of one that the engine aborts for a token, as
// far as latencies go.
func (e *Engine) output(s *Sequence, now time.Duration) {
	it := &e.it
	it.Outputs++
	if s.generated == 0 {
		s.first = now
		it.FirstTokens = append(it.FirstTokens, now-s.arrived)
	} else {
		it.Gaps = append(it.Gaps, now-s.last)
	}
	s.last = now
}

// finish records a sequence that ended otherwise than by its client.
func (e *Engine) finish(s *Sequence, reason string, now time.Duration) {
	f := Finished{ID: s.ID, Reason: reason, Prompt: s.Prompt, Cached: s.cached, Generated: s.generated,
		MaxTokens: s.MaxTokens, Preemptions: s.told, EndToEnd: now - s.arrived}
	kin := s.family
	kin.longest = max(kin.longest, s.generated)
	if kin.open--; kin.open == 0 {
		f.N, f.MaxGenerated = kin.n, kin.longest
	}
	if s.generated > 0 || s.Pooled && reason == s.Reason {
		f.Queue, f.Prefill, f.Decode, f.Inference = s.started-s.queued, s.first-s.started, s.last-s.first, s.last-s.started
	}
	if s.generated > 1 {
		f.PerOutputToken = f.Decode / time.Duration(s.generated-1)
	}
	e.it.Finished = append(e.it.Finished, f)
}

// end frees what a sequence has, which is in no queue any more.
func (e *Engine) end(s *Sequence) {
	e.release(s)
	e.defers(s, false)
	if s.inStep {
		e.unschedule(s)
	}
	if s.generated > 0 {
		e.exit(s.LoRA)
	}
	s.state = ended
	s.Chain, s.Output = kv.Chain{}, nil // a slow client may keep the sequence for long
	e.uncount(s)
}

func (e *Engine) release(s *Sequence) {
	e.pool.Release(s.table)
	s.table = s.table[:0]
}

// defers notes whether a sequence waits for something else than capacity. One that did counts as such until it runs.
func (e *Engine) defers(s *Sequence, is bool) {
	if s.deferred == is {
		return
	}
	s.deferred = is
	if is {
		e.deferred++
	} else {
		e.deferred--
	}
}

// remove takes a sequence out of its queue.
func (e *Engine) remove(s *Sequence) {
	if s.state == waiting {
		e.waiting.remove(s)
		return
	}
	i := slices.Index(e.running, s)
	e.running = slices.Delete(e.running, i, i+1)
}

// abortAll ends all sequences, in the order in which they came.
func (e *Engine) abortAll() {
	all := slices.Concat(e.running, e.waiting)
	slices.SortStableFunc(all, func(a, b *Sequence) int { return cmp.Compare(a.arrived, b.arrived) })
	now := e.now()
	e.running, e.waiting = nil, nil
	for _, s := range all {
		e.output(s, now)
		e.end(s)
		e.finish(s, AbortReason, now)
		s.wake()
		e.changed = true
	}
}

// report tells the observer and Load how the engine stands.
func (e *Engine) report(now time.Duration) {
	it := &e.it
	it.At = e.epoch.Add(now)
	it.Running = len(e.running)
	it.Waiting, it.Deferred = len(e.waiting)-e.deferred, e.deferred
	it.KVUsage = e.pool.Usage()
	for _, a := range e.loras {
		it.LoRAs = append(it.LoRAs, a.name)
	}
	publish(&e.nWaiting, len(e.waiting))
	publish(&e.cacheUsed, e.pool.Used())
	e.changed = false
	e.observer.Step(it)
	it.begin()
}

// publish stores what has changed: most steps change nothing, and a store has all processors wait.
func publish(at *atomic.Int64, n int) {
	if at.Load() != int64(n) {
		at.Store(int64(n))
	}
}
