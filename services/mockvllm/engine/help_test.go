package engine

import (
	"context"
	"strconv"
	"sync"
	"testing"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/latency"
)

// TestSubmitterServes: nobody runs the engine, and what takes no time is over all the same when Submit returns.
func TestSubmitterServes(t *testing.T) {
	f := func(name string, m latency.Model, r Request, over bool, steps int) {
		t.Helper()
		n := &notes{}
		e := New(with(func(cfg *Config) { cfg.Latency = m }), n)
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
