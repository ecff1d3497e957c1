package engine

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
)

// ErrStopping is returned by Submit once the engine no longer takes requests.
var ErrStopping = errors.New("engine is stopping")

// Reasons of an OverloadError, as vllm:admission_rejections_total has them.
const (
	QueuedRequests = "max_num_queued_reqs"
	QueuedTokens   = "max_num_queued_tokens" //nolint:gosec // no credential
)

// OverloadError is returned by Submit and Admit when a queue limit is reached. vLLM answers 503.
type OverloadError struct {
	Reason string // QueuedRequests or QueuedTokens
}

func (e *OverloadError) Error() string { return "queue limit reached: " + e.Reason }

// Admit checks the queue limits for a request that will take n sequences, as vLLM does before it looks at the values of a
// request, and again when it submits it. Sequences that have not ended count for the first limit, prompts without a first
// token for the second, in whole.
func (e *Engine) Admit(n int) error {
	if limit := e.cfg.MaxQueuedReqs; limit != nil && int(e.unfinished.Load())+n > *limit {
		return &OverloadError{Reason: QueuedRequests}
	}
	if limit := e.cfg.MaxQueuedTokens; limit != nil && int(e.prefilling.Load()) >= *limit {
		return &OverloadError{Reason: QueuedTokens}
	}
	return nil
}

// Refusing tells whether requests are no longer taken.
func (e *Engine) Refusing() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.refusing
}

// Submit queues requests, which run side by side, all or none. It does not wait for the engine. What is to have no token has
// ended when it returns.
func (e *Engine) Submit(requests ...Request) ([]*Sequence, error) {
	seqs := make([]*Sequence, len(requests))
	arrived := e.now()
	var kin *family
	for i, r := range requests {
		if r.Prompt < 1 || r.Prompt+min(r.Tokens, 1) > e.cfg.MaxModelLen || r.Tokens < 0 {
			return nil, fmt.Errorf("a prompt of %d tokens and an answer of %d do not fit in %d", r.Prompt, r.Tokens, e.cfg.MaxModelLen)
		}
		if room := e.cfg.MaxModelLen - r.Prompt; r.Tokens > room {
			r.Tokens, r.Reason = room, "length"
		}
		if r.Tokens == 0 && !r.Pooled {
			seqs[i] = Ended(r, 0)
			continue
		}
		s := &Sequence{Request: r, total: r.Prompt, arrived: arrived, queued: -1, started: -1, first: -1, last: -1,
			delays: e.cfg.Latency.Delays(delaysOf(r))}
		if kin == nil || kin.open == kin.n {
			s.own.n = max(r.N, 1)
			kin = &s.own
		}
		kin.open++
		s.family = kin
		if e.cfg.Policy == Priority {
			s.rank = r.Priority
		}
		seqs[i] = s
	}
	queued := seqs
	if slices.ContainsFunc(seqs, hasEnded) {
		queued = slices.DeleteFunc(slices.Clone(seqs), hasEnded)
	}
	if err := e.enqueue(queued); err != nil {
		return seqs, err
	}
	if len(queued) > 0 && !e.help(queued) {
		e.nudge()
	}
	return seqs, nil
}

// Ended is a sequence that ended with so many tokens, and that the engine need not see.
func Ended(r Request, tokens int) *Sequence {
	s := &Sequence{Request: r, state: ended, generated: tokens, first: -1}
	s.wake()
	return s
}

func hasEnded(s *Sequence) bool {
	_, over := s.Progress()
	return over
}

func unfinished(s *Sequence) bool { return !hasEnded(s) }

// delaysOf is what the delays of a sequence follow from. The first choice has those of the request.
func delaysOf(r Request) string {
	if r.Index == 0 {
		return r.ID
	}
	return r.ID + "#" + strconv.Itoa(r.Index)
}

// enqueue counts sequences and has them wait.
func (e *Engine) enqueue(seqs []*Sequence) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.refusing {
		return ErrStopping
	}
	if len(seqs) == 0 {
		return nil
	}
	for i, s := range seqs {
		if i > 0 && s.family == seqs[i-1].family {
			continue
		}
		if err := e.Admit(s.family.open); err != nil {
			for _, before := range seqs[:i] {
				e.uncount(before)
			}
			return err
		}
		for _, kin := range seqs[i : i+s.family.open] {
			e.unfinished.Add(1)
			e.prefilling.Add(int64(kin.Prompt))
		}
	}
	e.put(func() {
		e.alone = e.alone || len(e.running)+len(e.waiting) == 0
		now := e.now()
		for _, s := range seqs {
			s.queued = now
			s.turn = e.came
			e.came++
			e.waiting.add(s)
		}
		// vLLM tells of what waits with each step, and makes none while it is paused.
		e.changed = e.changed || e.paused == unpaused || e.paused == pausedNew && len(e.running) > 0
	})
	return nil
}

// uncount takes a sequence out of what the queue limits look at.
func (e *Engine) uncount(s *Sequence) {
	e.unfinished.Add(-1)
	if s.generated == 0 {
		e.prefilling.Add(-int64(s.Prompt))
	}
}

// Abort ends sequences whose client has left, before the next step. Those that have ended are not touched.
func (e *Engine) Abort(seqs ...*Sequence) {
	if !slices.ContainsFunc(seqs, unfinished) {
		return
	}
	e.do(func() {
		for _, s := range seqs {
			if s.state != ended {
				e.remove(s)
				e.end(s)
				s.wake()
				e.changed = true
			}
		}
	})
}

// Refuse lets no further request in and returns a channel that is closed once all that were in are over.
func (e *Engine) Refuse() <-chan struct{} {
	e.mu.Lock()
	e.refusing = true
	e.mu.Unlock()
	idle := make(chan struct{})
	if !e.post(func() { e.idle = append(e.idle, idle) }) {
		close(idle)
	}
	return idle
}

// Stop lets no further request in and ends all others with the finish reason "abort" and the tokens they have.
func (e *Engine) Stop() {
	e.mu.Lock()
	e.refusing = true
	e.mu.Unlock()
	e.do(e.abortAll)
}
