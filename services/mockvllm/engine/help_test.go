package engine

import (
	"context"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/engine/clock"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/engine/kv"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/latency"
)

// TestSubmitterServes: nobody runs the engine, and what takes no time is over all the same when Submit returns.
func TestSubmitterServes(t *testing.T) {
	f := func(name string, m latency.Model, r Request, over bool, steps int) {
		t.Helper()
		n := &notes{}
		e := New(with(func(cfg *Config) { cfg.Latency, cfg.BlockSize = m, 1 }), n) // so that no step is like the one before
		r.Prompt, r.Reason, r.Wake = 5, "length", make(chan struct{}, 1)
		seqs, err := e.Submit(r)
		if err != nil {
			t.Fatal(err)
		}
		if got := unfinished(seqs[0]); got == over || len(seqs[0].Wake) > 0 != over || len(n.steps) != steps {
			t.Errorf("%s: unfinished %t, %d wakes, %d steps; want over %t after %d", name, got, len(seqs[0].Wake), len(n.steps), over, steps)
		}
	}
	f("plain", latency.Model{}, Request{Tokens: 16}, true, 16)
	f("as long as a submitter works", latency.Model{}, Request{Tokens: mostHelp}, true, mostHelp)
	f("longer", latency.Model{}, Request{Tokens: mostHelp + 1}, false, mostHelp)
	f("streamed", latency.Model{}, Request{Tokens: 16, Every: 1}, false, 0)
	f("with a delay", latency.Model{ITL: latency.Constant(ms)}, Request{Tokens: 16}, false, 0)
	f("with a profile", latency.Model{Profile: &latency.Profile{StepBase: 9000}}, Request{Tokens: 16}, false, 0)
}

// TestRepeatedSteps: of steps that are told of together the same is told as of each by itself.
func TestRepeatedSteps(t *testing.T) {
	f := func(name string, cfg Config, least int, tokens ...int) {
		t.Run(name, func(t *testing.T) {
			prompt := ids(1, 10)
			requests := make([]Request, len(tokens))
			for i, n := range tokens {
				requests[i] = Request{Index: i, N: len(tokens), Prompt: len(prompt), Tokens: n, Reason: "length", Wake: make(chan struct{}, 1),
					Chain: kv.NewChain(cfg.BlockSize, "", "", prompt), Output: func(k int) int { return 100*i + k }}
			}
			h := byHand(t, cfg)
			one, err := h.Submit(requests...)
			if err != nil {
				t.Fatal(err)
			}
			h.all()
			synctest.Test(t, func(t *testing.T) { // the clock stands still
				cfg.Clock = clock.Real{}
				n := &notes{}
				e := New(cfg, n)
				other, err := e.Submit(requests...)
				if err != nil {
					t.Fatal(err)
				}
				equal(t, "tokens", delivered(other), delivered(one))
				equal(t, "blocks in use", e.pool.Used(), 0)
				all := kv.NewChain(cfg.BlockSize, "", "", append(slices.Clone(prompt), ids(0, tokens[0])...))
				was, _ := h.pool.Match(all.Blocks())
				is, _ := e.pool.Match(all.Blocks())
				equal(t, "remembered blocks", is, was)
				if saved := len(h.steps) - len(n.steps); saved < least {
					t.Errorf("of %d steps %d were told of with others, want %d", len(h.steps), saved, least)
				}
				equal(t, "steps", unrolled(n.steps), h.steps, cmpopts.IgnoreFields(Iteration{}, "At", "Repeats"))
			})
		})
	}
	of := func(size int) Config {
		return with(func(c *Config) { c.BlockSize, c.MaxModelLen = size, 1000 })
	}
	f("one block", of(128), 12, 16)
	f("two tokens", of(128), 0, 2)
	f("a block for each token", of(1), 0, 16)
	f("several blocks", of(16), 30, 60)
	f("choices that end after each other", of(32), 20, 7, 30, 12)
	f("nothing is remembered", with(func(c *Config) { c.BlockSize, c.PrefixCaching = 16, false }), 30, 60)
	f("not all at a time", with(func(c *Config) { c.BlockSize, c.MaxNumSeqs = 128, 1 }), 10, 16, 16)
}

// unrolled has a step for each of those that were told of together.
func unrolled(steps []Iteration) (all []Iteration) {
	for _, it := range steps {
		for range 1 + it.Repeats {
			all = append(all, it)
		}
	}
	return all
}

// TestSubmittersAndRun: submitters, Run and pauses take turns, and everybody gets all tokens.
func TestSubmittersAndRun(t *testing.T) {
	n := &counter{}
	e := New(Default(), n)
	ctx, stop := context.WithCancel(t.Context())
	var running, asking sync.WaitGroup
	running.Go(func() { e.Run(ctx) })
	const askers, each, tokens = 6, 100, 20
	for i := range askers {
		asking.Go(func() {
			for k := range each {
				wake := make(chan struct{}, 1)
				seqs, err := e.Submit(Request{ID: strconv.Itoa(i), Prompt: 5, Tokens: tokens, Reason: "length", Wake: wake, Every: k % 2 * 7})
				if err != nil {
					t.Error(err)
					return
				}
				for unfinished(seqs[0]) {
					<-wake
				}
			}
		})
	}
	for range 20 {
		<-e.Pause(PauseKeep, false)
		e.Resume()
	}
	asking.Wait()
	stop()
	running.Wait()
	if n.tokens != askers*each*tokens || e.Unfinished() != 0 {
		t.Errorf("%d tokens, want %d; %d unfinished", n.tokens, askers*each*tokens, e.Unfinished())
	}
}
