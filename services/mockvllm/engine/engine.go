package engine

import (
	"container/heap"
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"time"
)

// ErrStopping is returned by Submit once the engine no longer takes requests.
var ErrStopping = errors.New("engine is stopping")

// AbortReason is the finish reason of requests that the engine itself ends.
const AbortReason = "abort"

// Pace says when tokens are due.
type Pace interface {
	Due(start time.Time, i int) time.Time
}

// Observer is told what happened, from the engine's goroutine.
type Observer interface {
	// LookedUp is called when a sequence begins to run, where there is a prefix cache: it had cached tokens of the prompt.
	LookedUp(s *Sequence, cached int)
	// Token is called for each token. gap is the time since the one before; for the first one, since the arrival.
	Token(s *Sequence, first bool, gap time.Duration)
	// Finished is called for sequences that ended by themselves or with the engine, not for those whose client left.
	Finished(s *Sequence, reason string, took Durations)
}

// BlockTokens and Blocks size the KV cache like the CPU build of vLLM with 1 GiB of it. One block is never used.
const (
	BlockTokens = 128
	Blocks      = 8192
)

// Engine is created by New and works while Run does.
type Engine struct {
	maxRunning int
	pace       Pace
	observer   Observer

	commands chan func()
	done     chan struct{} // closed when Run returns

	// owned by Run
	waiting  []*Sequence
	prefixes *prefixCache // nil: none
	running  runningHeap
	stopping bool
	idle     []chan struct{} // closed once nothing runs or waits

	nRunning, nWaiting, nBlocks atomic.Int64
}

// New returns an engine that runs at most maxRunning sequences at a time.
func New(maxRunning int, prefixCaching bool, pace Pace, observer Observer) *Engine {
	e := &Engine{maxRunning: maxRunning, pace: pace, observer: observer,
		commands: make(chan func()), done: make(chan struct{})}
	if prefixCaching {
		e.prefixes = newPrefixCache(Blocks - 1)
	}
	return e
}

// Load is the state of the engine at one moment.
type Load struct {
	Running, Waiting int
	CacheUsage       float64 // share of the KV cache in use, 0 to 1
}

// Load returns the state after the last step.
func (e *Engine) Load() Load {
	return Load{Running: int(e.nRunning.Load()), Waiting: int(e.nWaiting.Load()),
		CacheUsage: float64(e.nBlocks.Load()) / (Blocks - 1)}
}

// Run delivers tokens until ctx ends. It must be called once.
func (e *Engine) Run(ctx context.Context) {
	defer close(e.done)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		if next, ok := e.step(time.Now()); ok {
			timer.Reset(time.Until(next))
		} else {
			timer.Stop()
		}
		select {
		case <-ctx.Done():
			e.stop()
			return
		case f := <-e.commands:
			f()
		case <-timer.C:
		}
	}
}

// do runs f in the engine's goroutine. It returns false when the engine is gone.
func (e *Engine) do(f func()) bool {
	ran := make(chan struct{})
	select {
	case e.commands <- func() { f(); close(ran) }:
		<-ran
		return true
	case <-e.done:
		return false
	}
}

// Submit queues requests, which run side by side.
func (e *Engine) Submit(requests ...Request) ([]*Sequence, error) {
	seqs := make([]*Sequence, len(requests))
	refused := false
	ok := e.do(func() {
		if refused = e.stopping; refused {
			return
		}
		for i, r := range requests {
			seqs[i] = &Sequence{Request: r, arrived: time.Now(), index: -1}
			e.waiting = append(e.waiting, seqs[i])
		}
	})
	if refused || !ok {
		return nil, ErrStopping
	}
	return seqs, nil
}

// Abort ends sequences whose client has left. Those that already ended are not touched.
func (e *Engine) Abort(seqs ...*Sequence) {
	e.do(func() {
		for _, s := range seqs {
			e.remove(s)
		}
	})
}

// Refuse lets no further request in and returns a channel that is closed once all that were in are over.
func (e *Engine) Refuse() <-chan struct{} {
	idle := make(chan struct{})
	if !e.do(func() { e.stopping = true; e.idle = append(e.idle, idle) }) {
		close(idle)
	}
	return idle
}

// Stop lets no further request in and ends all others with the finish reason "abort" and the tokens they have.
func (e *Engine) Stop() { e.do(e.stop) }

func (e *Engine) stop() {
	e.stopping = true
	for _, s := range slices.Concat(e.waiting, e.running) {
		took := s.durations(time.Now())
		e.remove(s)
		e.observer.Finished(s, AbortReason, took)
	}
	e.publish()
}

// step admits, delivers what is due at now, and returns the next deadline.
func (e *Engine) step(now time.Time) (next time.Time, ok bool) {
	for {
		e.admit(now)
		if len(e.running) == 0 || e.running[0].due.After(now) {
			break
		}
		e.deliver(e.running[0], now)
	}
	e.publish()
	if len(e.running) == 0 {
		return time.Time{}, false
	}
	return e.running[0].due, true
}

func (e *Engine) admit(now time.Time) {
	for len(e.waiting) > 0 && len(e.running) < e.maxRunning {
		s := e.waiting[0]
		e.waiting = e.waiting[1:]
		s.state, s.started = running, now
		s.due = e.pace.Due(now, 0)
		heap.Push(&e.running, s)
		e.nBlocks.Add(s.blocks())
		if e.prefixes != nil {
			e.observer.LookedUp(s, e.prefixes.admit(s.Prefix, s.Prompt))
		}
	}
}

func (e *Engine) deliver(s *Sequence, now time.Time) {
	since, first := s.last, s.delivered == 0
	if first {
		since, s.first = s.arrived, now
	}
	before := s.blocks()
	s.last = now
	s.delivered++
	e.observer.Token(s, first, now.Sub(since))
	if s.delivered == s.Tokens {
		heap.Remove(&e.running, s.index)
		e.nBlocks.Add(-before)
		s.state = ended
		e.observer.Finished(s, s.Reason, s.durations(now))
	} else {
		e.nBlocks.Add(s.blocks() - before)
		s.due = e.pace.Due(s.started, s.delivered)
		heap.Fix(&e.running, s.index)
	}
	s.publish()
}

// remove takes a sequence out of the engine, whatever its state.
func (e *Engine) remove(s *Sequence) {
	switch s.state {
	case ended:
		return
	case running:
		heap.Remove(&e.running, s.index)
		e.nBlocks.Add(-s.blocks())
	case waiting:
		e.waiting = slices.DeleteFunc(e.waiting, func(w *Sequence) bool { return w == s })
	}
	s.state = ended
	s.publish()
}

// publish shows the state to Load and to those who wait for the engine to be idle.
func (e *Engine) publish() {
	e.nRunning.Store(int64(len(e.running)))
	e.nWaiting.Store(int64(len(e.waiting)))
	if len(e.running)+len(e.waiting) > 0 {
		return
	}
	for _, idle := range e.idle {
		close(idle)
	}
	e.idle = nil
}
