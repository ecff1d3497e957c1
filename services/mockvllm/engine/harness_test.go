package engine

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/engine/clock"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/engine/kv"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/latency"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const ms = time.Millisecond

// paced gives the first token after 100 ms and then one each 10 ms.
var paced = latency.Model{TTFT: latency.Constant(100 * ms), ITL: latency.Constant(10 * ms)}

// notes is an Observer that keeps what it is told.
type notes struct {
	mu    sync.Mutex
	steps []Iteration
}

func (n *notes) Step(it *Iteration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	c := *it
	c.LoRAs, c.FirstTokens, c.Gaps, c.Finished = slices.Clone(it.LoRAs), slices.Clone(it.FirstTokens), slices.Clone(it.Gaps), slices.Clone(it.Finished)
	n.steps = append(n.steps, c)
}

// sum adds up all steps. Count is how many vLLM would observe.
func (n *notes) sum() (sum Iteration, count int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, it := range n.steps {
		sum.PrefixQueries += it.PrefixQueries
		sum.PrefixHits += it.PrefixHits
		sum.PromptComputed += it.PromptComputed
		sum.PromptCached += it.PromptCached
		sum.Generated += it.Generated
		sum.Preemptions += it.Preemptions
		sum.FirstTokens = append(sum.FirstTokens, it.FirstTokens...)
		sum.Gaps = append(sum.Gaps, it.Gaps...)
		sum.Finished = append(sum.Finished, it.Finished...)
		if it.Outputs > 0 {
			count++
		}
	}
	return sum, count
}

func (n *notes) last() Iteration {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.steps[len(n.steps)-1]
}

func (n *notes) reasons() (reasons []string) {
	sum, _ := n.sum()
	for _, f := range sum.Finished {
		reasons = append(reasons, f.Reason)
	}
	return reasons
}

// run gives f a working engine on fake time.
func run(t *testing.T, cfg Config, f func(e *Engine, n *notes)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		n := &notes{}
		e := New(cfg, n)
		ctx, stop := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { e.Run(ctx) })
		f(e, n)
		stop()
		running.Wait()
	})
}

// with changes the default configuration.
func with(change func(*Config)) Config {
	cfg := Default()
	change(&cfg)
	return cfg
}

func seats(n int) Config {
	return with(func(c *Config) { c.MaxNumSeqs, c.Latency = n, paced })
}

func submit(t *testing.T, e *Engine, tokens ...int) []*Sequence {
	t.Helper()
	var requests []Request
	for _, n := range tokens {
		requests = append(requests, Request{Prompt: 200, Tokens: n, Reason: "length", Wake: make(chan struct{}, 1), Every: 1})
	}
	seqs, err := e.Submit(requests...)
	if err != nil {
		t.Fatal(err)
	}
	return seqs
}

// expect compares the tokens delivered so far; negative numbers are sequences that are over.
func expect(t *testing.T, seqs []*Sequence, want ...int) {
	t.Helper()
	synctest.Wait()
	equal(t, "tokens", delivered(seqs), want)
}

func delivered(seqs []*Sequence) (got []int) {
	for _, s := range seqs {
		n, over := s.Progress()
		if over {
			n = -n
		}
		got = append(got, n)
	}
	return got
}

func equal(t *testing.T, what string, got, want any, opts ...cmp.Option) {
	t.Helper()
	if diff := cmp.Diff(want, got, opts...); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// hand is an engine whose steps are made by hand, at instants that the test chooses.
type hand struct {
	*Engine
	notes
	t    *testing.T
	time *stopped
}

// stopped is a clock that a test sets. Its timers never fire.
type stopped struct{ at time.Time }

func (s *stopped) Now() time.Time                  { return s.at }
func (s *stopped) Since(t time.Time) time.Duration { return s.at.Sub(t) }
func (s *stopped) Virtual() bool                   { return true }
func (s *stopped) NewTimer() clock.Timer           { return noTimer{} }

type noTimer struct{}

func (noTimer) C() <-chan time.Time { return nil }
func (noTimer) Reset(time.Time)     {}
func (noTimer) Stop()               {}
func (noTimer) Hold()               {}

func byHand(t *testing.T, cfg Config) *hand {
	t.Helper()
	if err := cfg.Validate(); err != nil {
		t.Fatal(err)
	}
	h := &hand{t: t, time: &stopped{time.Unix(1000, 0)}}
	cfg.Clock = h.time
	h.Engine = New(cfg, &h.notes)
	return h
}

// turn makes one step and says when the engine wants to come back.
func (h *hand) turn() time.Duration {
	h.work()
	return h.Engine.turn(h.now())
}

// all makes steps until nothing is left to do, following the deadlines.
func (h *hand) all() {
	for range 100_000 {
		next := h.turn()
		switch {
		case next == never:
			return
		case next > h.now():
			h.time.at = h.epoch.Add(next)
		}
	}
	h.t.Fatal("no end of steps")
}

// do calls what waits for the engine.
func (h *hand) do(f func()) {
	done := make(chan struct{})
	go func() { f(); close(done) }()
	for {
		select {
		case <-done:
			return
		case <-h.poke:
			h.work()
		}
	}
}

// submit has requests arrive together, as they do while a step runs.
func (h *hand) submit(requests ...Request) []*Sequence {
	h.t.Helper()
	seqs := h.submitAlone(requests...)
	h.work()
	h.alone = false
	return seqs
}

// submitAlone has requests arrive one after the other.
func (h *hand) submitAlone(requests ...Request) []*Sequence {
	h.t.Helper()
	for i := range requests {
		r := &requests[i]
		r.Wake = make(chan struct{}, 1)
		if r.Every == 0 {
			r.Every = 1
		}
		if r.Reason == "" {
			r.Reason = "length"
		}
	}
	seqs, err := h.Submit(requests...)
	if err != nil {
		h.t.Fatal(err)
	}
	return seqs
}

// ids is n tokens that begin alike for the same first one.
func ids(first, n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = first + i
	}
	return all
}

func (h *hand) prompt(tokens []int, answer int) Request {
	return Request{Prompt: len(tokens), Tokens: answer, Chain: kv.NewChain(h.cfg.BlockSize, "", "", tokens)}
}
