package engine

import (
	"context"
	"math"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/engine/clock"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/engine/kv"
)

// AbortReason is the finish reason of requests that the engine itself ends.
const AbortReason = "abort"

// Engine is created by New and works while Run does.
type Engine struct {
	cfg      Config
	observer Observer
	clock    clock.Clock
	epoch    time.Time // instants are counted from it
	poke     chan struct{}

	mu       sync.Mutex
	inbox    []func() // to be done by who takes the next turn
	refusing bool     // Submit
	gone     bool     // Run has returned
	timer    clock.Timer

	turns sync.Mutex // held by who takes the engine's turns: Run, or for a while a submitter (see help)

	// guarded by turns
	did      []func() // the inbox before, whose memory is used again
	pool     *kv.Pool
	waiting  queue
	running  []*Sequence // in the order in which they were admitted
	came     int64       // sequences
	before   int64       // of sequences that came back and go before all others; negative
	step     step
	paused   pause
	pauses   []finishing     // wait for the engine to stand still
	asleep   map[string]bool // parts of the memory that were given up
	idle     []chan struct{} // closed once nothing runs or waits
	changed  bool            // since the observer was told
	alone    bool            // the next step admits one sequence: see admit
	deferred int             // waiting sequences
	it       Iteration
	woken    []*Sequence // by this step
	loras    []adapter   // that have had an output and have not ended

	unfinished, prefilling atomic.Int64 // sequences; tokens of prompts without a first token
	nWaiting, cacheUsed    atomic.Int64 // after the last step
	shown                  atomic.Pointer[State]
}

// never is the instant that does not come, atOnce one that always has.
const (
	never  = time.Duration(math.MaxInt64)
	atOnce = time.Duration(math.MinInt64)
)

// New returns an engine with a configuration that is valid.
func New(cfg Config, observer Observer) *Engine {
	e := &Engine{cfg: cfg, observer: observer, clock: cfg.Clock, epoch: cfg.Clock.Now(), poke: make(chan struct{}, 1),
		timer: cfg.Clock.NewTimer(), pool: kv.NewPool(cfg.NumBlocks, cfg.PrefixCaching), asleep: map[string]bool{}}
	e.shown.Store(&State{})
	return e
}

// Load is the state of the engine at one moment.
type Load struct {
	Waiting    int     // sequences
	CacheUsage float64 // share of the KV cache in use, 0 to 1
}

// Load returns the state after the last step.
func (e *Engine) Load() Load {
	return Load{Waiting: int(e.nWaiting.Load()),
		CacheUsage: float64(e.cacheUsed.Load()) / float64(max(e.cfg.NumBlocks-1, 1))}
}

// Unfinished is how many sequences have not ended.
func (e *Engine) Unfinished() int { return int(e.unfinished.Load()) }

// Run works until ctx ends, and then ends all sequences. It must be called once.
func (e *Engine) Run(ctx context.Context) {
	defer e.leave()
	for ctx.Err() == nil {
		if !e.advance() {
			continue
		}
		select {
		case <-ctx.Done():
		case <-e.poke:
		case <-e.timer.C():
		}
	}
}

// advance takes one turn. It returns true when there is nothing to do until the timer fires or somebody pokes.
func (e *Engine) advance() bool {
	e.turns.Lock()
	defer e.turns.Unlock()
	e.work()
	now := e.now()
	next := e.turn(now)
	return (next > now || e.clock.Virtual()) && e.rest(next)
}

// work does what others asked for. It returns false when there was nothing.
func (e *Engine) work() bool {
	for did := false; ; did = true {
		e.mu.Lock()
		e.inbox, e.did = e.did[:0], e.inbox
		e.mu.Unlock()
		if len(e.did) == 0 {
			return did
		}
		for _, f := range e.did {
			f()
		}
		clear(e.did)
	}
}

// rest arms the timer for the next instant. It returns false when there is something to do at once.
func (e *Engine) rest(next time.Duration) bool {
	if next != never && next != atOnce {
		next = max(e.gathered(next), e.spread())
	}
	if e.clock.Virtual() {
		e.settle()
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case len(e.inbox) > 0 || next <= e.now():
		return false
	case next == never:
		e.timer.Stop()
	default:
		e.timer.Reset(e.epoch.Add(next))
	}
	return true
}

// Steps that serve a few of many sequences cost more than they deliver, so tokens that are due at nearly the same time wait
// for each other: some microseconds for each sequence, and never as long as anybody would notice.
const (
	spreadEach = 4 * time.Microsecond
	spreadMost = time.Millisecond
	spreadPart = 16 // of the time between tokens, or to the first one
)

// spread is the earliest instant of the next step that serves deadlines. In virtual time steps cost nothing.
func (e *Engine) spread() time.Duration {
	if e.clock.Virtual() || !e.paced() || len(e.running) < 2 {
		return 0
	}
	return e.step.last + min(time.Duration(len(e.running))*spreadEach, spreadMost, e.cfg.Latency.MeanITL()/spreadPart)
}

// gathered is when the first tokens that are due at nearly the same time as one at next are due too. Requests that came together
// came some microseconds one after the other, and in vLLM a step that computes prompts takes longer than that: their first
// tokens come out of one step. In virtual time what comes together comes at one instant.
func (e *Engine) gathered(next time.Duration) time.Duration {
	if e.clock.Virtual() || !e.paced() || e.prefilling.Load() == 0 {
		return next
	}
	within, first, last := min(spreadMost, e.cfg.Latency.MeanTTFT()/spreadPart), false, next
	for _, s := range e.running {
		if s.generated == 0 && s.due <= next+within {
			first = first || s.due == next
			last = max(last, s.due)
		}
	}
	if !first {
		return next
	}
	return last
}

// patience is how often the engine lets others run after a step in virtual time, before it goes on.
const patience = 200

// settle gives those who were woken the chance to take their tokens before time goes on.
func (e *Engine) settle() {
	n := 0
	for _, s := range e.woken {
		for ; len(s.Wake) > 0 && n < patience; n++ {
			runtime.Gosched()
		}
	}
}

func (e *Engine) now() time.Duration { return e.clock.Since(e.epoch) }

// post has f done before the next turn. It returns false when Run has returned.
func (e *Engine) post(f func()) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.gone {
		return false
	}
	e.put(f)
	e.nudge()
	return true
}

// put is post without a nudge. The caller holds mu.
func (e *Engine) put(f func()) {
	e.inbox = append(e.inbox, f)
	e.timer.Hold()
}

// nudge has Run look what there is to do.
func (e *Engine) nudge() {
	select {
	case e.poke <- struct{}{}:
	default: // it is about to look
	}
}

// do is post that waits until f is done.
func (e *Engine) do(f func()) bool {
	done := make(chan struct{})
	ok := e.post(func() { f(); close(done) })
	if ok {
		<-done
	}
	return ok
}

// leave ends what is there. Nothing comes after it.
func (e *Engine) leave() {
	e.mu.Lock()
	e.refusing, e.gone = true, true
	e.timer.Stop()
	e.mu.Unlock()
	e.turns.Lock()
	defer e.turns.Unlock()
	e.work()
	e.step.inFlight = false
	e.abortAll()
	e.turn(e.now())
}
