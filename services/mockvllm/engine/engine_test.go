package engine

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/latency"
)

func TestTokensComeOnTime(t *testing.T) {
	run(t, seats(2), func(e *Engine, n *notes) {
		seqs := submit(t, e, 3, 1)
		time.Sleep(99 * ms)
		expect(t, seqs, 0, 0)
		time.Sleep(ms)
		expect(t, seqs, 1, -1)
		time.Sleep(19 * ms)
		expect(t, seqs, 2, -1)
		time.Sleep(ms)
		expect(t, seqs, -3, -1)
		sum, count := n.sum()
		equal(t, "first tokens", sum.FirstTokens, []time.Duration{100 * ms, 100 * ms})
		equal(t, "gaps", sum.Gaps, []time.Duration{10 * ms, 10 * ms})
		equal(t, "steps with outputs", count, 3)
		equal(t, "finished", sum.Finished, []Finished{
			{Reason: "length", Prompt: 200, Generated: 1, N: 1, MaxGenerated: 1, Prefill: 100 * ms, Inference: 100 * ms, EndToEnd: 100 * ms},
			{Reason: "length", Prompt: 200, Generated: 3, N: 1, MaxGenerated: 3, Prefill: 100 * ms, Decode: 20 * ms, Inference: 120 * ms,
				EndToEnd: 120 * ms, PerOutputToken: 10 * ms},
		})
	})
}

// TestFirstTokensTogether: requests that came together have their first tokens in one step, and one that came later has its own.
func TestFirstTokensTogether(t *testing.T) {
	run(t, seats(9), func(e *Engine, n *notes) {
		var seqs []*Sequence
		for _, after := range []time.Duration{0, 300 * time.Microsecond, 600 * time.Microsecond, 2 * ms} {
			time.Sleep(after)
			seqs = append(seqs, submit(t, e, 2)...)
		}
		time.Sleep(100*ms - 2*ms - time.Microsecond)
		expect(t, seqs, 0, 0, 0, 0)
		time.Sleep(time.Microsecond)
		expect(t, seqs, 1, 1, 1, 0)
		time.Sleep(2 * ms)
		expect(t, seqs, 1, 1, 1, 1)
		time.Sleep(9 * ms) // the next tokens are due when they would have been
		expect(t, seqs, -2, -2, -2, 1)
		time.Sleep(ms)
		expect(t, seqs, -2, -2, -2, -2)
		var together []int
		for _, step := range n.steps {
			if len(step.FirstTokens) > 0 {
				together = append(together, len(step.FirstTokens))
			}
		}
		equal(t, "first tokens of a step", together, []int{3, 1})
	})
}

func TestOthersWaitForASlot(t *testing.T) {
	run(t, seats(1), func(e *Engine, n *notes) {
		seqs := submit(t, e, 1, 1, 1)
		synctest.Wait()
		equal(t, "load", e.Load(), Load{2, 2.0 / 8191})
		time.Sleep(100 * ms)
		expect(t, seqs, -1, 0, 0)
		time.Sleep(100 * ms)
		expect(t, seqs, -1, -1, 0)
		sum, _ := n.sum()
		equal(t, "queue time of the second one", sum.Finished[1].Queue, 100*ms)
		time.Sleep(100 * ms)
		expect(t, seqs, -1, -1, -1)
		equal(t, "load at the end", e.Load(), Load{})
		equal(t, "unfinished", e.Unfinished(), 0)
	})
	run(t, seats(1), func(e *Engine, n *notes) {
		submit(t, e, 1)
		synctest.Wait()
		submit(t, e, 1, 1)
		synctest.Wait() // no token is due, and those who wait are told of all the same
		equal(t, "waiting", n.last().Waiting, 2)
	})
}

func TestAbortFreesTheSlotAtOnce(t *testing.T) {
	run(t, seats(1), func(e *Engine, n *notes) {
		seqs := submit(t, e, 1000, 1000, 1)
		time.Sleep(105 * ms)
		e.Abort(seqs[0], seqs[1]) // one runs, one waits
		expect(t, seqs, -1, 0, 0)
		time.Sleep(100 * ms)
		expect(t, seqs, -1, 0, -1)
		e.Abort(seqs...) // over already
		equal(t, "finished: clients that left are not counted", n.reasons(), []string{"length"})
	})
}

func TestStopEndsAllWithWhatTheyHave(t *testing.T) {
	run(t, seats(1), func(e *Engine, n *notes) {
		seqs := submit(t, e, 5, 5)
		time.Sleep(115 * ms)
		e.Stop()
		expect(t, seqs, -2, 0)
		if _, over := seqs[1].Progress(); !over {
			t.Error("the waiting one is not over")
		}
		equal(t, "finished", n.reasons(), []string{"abort", "abort"})
		if _, err := e.Submit(Request{Prompt: 1, Tokens: 1}); !errors.Is(err, ErrStopping) {
			t.Errorf("Submit after Stop: %v", err)
		}
	})
}

func TestRefuseWaitsForTheLast(t *testing.T) {
	run(t, seats(1), func(e *Engine, _ *notes) {
		seqs := submit(t, e, 1)
		idle := e.Refuse()
		if _, err := e.Submit(Request{Prompt: 1, Tokens: 1}); !errors.Is(err, ErrStopping) {
			t.Errorf("Submit after Refuse: %v", err)
		}
		<-idle
		expect(t, seqs, -1)
		<-e.Refuse() // nothing is left to wait for
	})
}

func TestAnEngineThatIsGoneRefuses(t *testing.T) {
	run(t, seats(1), func(e *Engine, _ *notes) {
		seqs := submit(t, e, 5)
		e.Stop()
		<-e.Refuse()
		e.Abort(seqs...)
	})
	e := New(seats(1), &notes{})
	e.leave()
	if _, err := e.Submit(Request{Prompt: 1, Tokens: 1}); !errors.Is(err, ErrStopping) {
		t.Errorf("Submit: %v", err)
	}
	e.Stop()
	<-e.Refuse()
	<-e.Pause(PauseAbort, true)
	if e.Wake() || e.ResetPrefixCache(false) {
		t.Error("it works all the same")
	}
}

func TestRequestsThatDoNotFit(t *testing.T) {
	h := byHand(t, with(func(c *Config) { c.MaxModelLen = 100 }))
	for _, r := range []Request{{Prompt: 100, Tokens: 1}, {Prompt: 0, Tokens: 1}, {Prompt: 101, Tokens: 0}, {Prompt: 1, Tokens: -1}} {
		if _, err := h.Submit(r); err == nil {
			t.Errorf("%+v is taken", r)
		}
	}
	seqs := h.submit(Request{Prompt: 90, Tokens: 50, Reason: "stop"})
	h.all()
	equal(t, "tokens", delivered(seqs), []int{-10})
	equal(t, "reasons", h.reasons(), []string{"length"})
}

func TestWhatIsToHaveNoTokenHasEnded(t *testing.T) {
	run(t, with(func(c *Config) { c.MaxModelLen = 100 }), func(e *Engine, n *notes) {
		seqs, err := e.Submit(Request{Prompt: 100, Wake: make(chan struct{}, 1)}, Request{Prompt: 1, Tokens: 1, Wake: make(chan struct{}, 1)})
		require.NoError(t, err)
		<-seqs[0].Wake
		_, over := seqs[0].Progress()
		require.True(t, over)
		<-seqs[1].Wake
		e.Abort(seqs...)
		sum, _ := n.sum()
		require.Equal(t, 1, sum.Generated)
		require.Len(t, sum.Finished, 1)
		e.Refuse()
		_, err = e.Submit(Request{Prompt: 1})
		require.ErrorIs(t, err, ErrStopping)
	})
}

func TestTheObserverHearsOfThePrefixCache(t *testing.T) {
	h := byHand(t, Default())
	h.submit(Request{Prompt: 9, Tokens: 1}, Request{Prompt: 5, Tokens: 1}, Request{Prompt: 7, Tokens: 1, SkipCache: true})
	h.all()
	h.do(func() { h.ResetPrefixCache(false) })
	h.submit(Request{Prompt: 9, Tokens: 1})
	h.all()
	var requests []int
	var resets []bool
	for _, it := range h.steps {
		if it.Outputs > 0 {
			requests, resets = append(requests, it.PrefixRequests), append(resets, it.PrefixReset)
		}
	}
	require.Equal(t, []int{2, 1}, requests)
	require.Equal(t, []bool{false, true}, resets)
}

// TestNothingDrifts: ten minutes are ten minutes.
func TestNothingDrifts(t *testing.T) {
	const tokens = 30_000
	f := func(m latency.Model) {
		t.Helper()
		run(t, with(func(c *Config) { c.Latency = m }), func(e *Engine, _ *notes) {
			began := time.Now()
			wake := make(chan struct{}, 1)
			if _, err := e.Submit(Request{Prompt: 1, Tokens: tokens, Wake: wake}); err != nil {
				t.Fatal(err)
			}
			<-wake
			equal(t, "time", time.Since(began), 10*time.Minute)
		})
	}
	f(latency.Model{TTFT: latency.Constant(20 * ms), ITL: latency.Constant(20 * ms)})
	f(latency.Model{Profile: &latency.Profile{PrefillTokensPerSecond: 1e12, StepBase: 20_000}})
	f(latency.Model{TTFT: latency.Constant(200 * ms), ITL: latency.Constant(200 * ms), Scale: 0.1})
}

// TestLateWakeUps: what is late does not delay what comes after it.
func TestLateWakeUps(t *testing.T) {
	h := byHand(t, seats(2))
	seqs := h.submit(Request{Prompt: 1, Tokens: 5})
	at := func(instant time.Duration, next time.Duration, tokens int) {
		t.Helper()
		h.time.at = h.epoch.Add(instant)
		equal(t, "next", h.turn(), next)
		equal(t, "tokens", delivered(seqs), []int{tokens})
	}
	at(0, 100*ms, 0)
	at(104*ms, 110*ms, 1)
	at(137*ms, 120*ms, 2) // two more are due
	at(137*ms, 130*ms, 3)
	at(137*ms, 140*ms, 4)

	h = byHand(t, with(func(c *Config) {
		c.Latency.Profile = &latency.Profile{PrefillTokensPerSecond: 1000, StepBase: 10_000}
	}))
	seqs = h.submit(Request{Prompt: 10, Tokens: 5})
	at(0, 20*ms, 0)
	at(27*ms, 30*ms, 1)
	at(55*ms, 40*ms, 2)
	at(55*ms, 50*ms, 3)
	at(55*ms, 60*ms, 4)
}

// TestStepsThatTakeNoTime: a profile may say so.
func TestStepsThatTakeNoTime(t *testing.T) {
	h := byHand(t, with(func(c *Config) { c.Latency.Profile = &latency.Profile{PrefillTokensPerSecond: 1e15} }))
	seqs := h.submit(Request{Prompt: 10, Tokens: 5}, Request{Prompt: 10, Tokens: 7})
	h.all()
	equal(t, "tokens", delivered(seqs), []int{-5, -7})
	equal(t, "time", h.now(), time.Duration(0))
}

func TestTokensDueAtNearlyTheSameTimeShareAStep(t *testing.T) {
	run(t, seats(256), func(e *Engine, n *notes) {
		for i := range 200 {
			submit(t, e, 2)
			if i%2 == 0 {
				time.Sleep(10 * time.Microsecond)
			}
		}
		time.Sleep(time.Second)
		sum, count := n.sum()
		equal(t, "tokens", sum.Generated, 400)
		if count > 50 {
			t.Errorf("%d steps delivered 400 tokens", count)
		}
		for _, gap := range sum.Gaps {
			if gap < 9*ms || gap > 11*ms {
				t.Errorf("a token came %s after the one before", gap)
			}
		}
	})
}
