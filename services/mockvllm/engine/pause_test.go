package engine

import (
	"errors"
	"testing"
	"time"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/latency"
)

// over tells whether a channel is closed.
func over(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// TestPauseAbort agrees with a real server that was paused with 16 running and 2 waiting: the end counts as an output
// without a token, so that each of the former adds a gap and each of the latter a time to first token.
func TestPauseAbort(t *testing.T) {
	h := byHand(t, with(func(c *Config) { c.MaxNumSeqs, c.Latency = 2, paced }))
	seqs := h.submit(Request{Prompt: 10, Tokens: 50}, Request{Prompt: 10, Tokens: 50}, Request{Prompt: 10, Tokens: 50})
	h.turn()
	h.time.at = h.time.at.Add(115 * ms)
	h.turn()
	h.turn()
	h.time.at = h.time.at.Add(ms)
	var done <-chan struct{}
	h.do(func() { done = h.Pause(PauseAbort, true) })
	h.turn()
	equal(t, "over", over(done), true)
	equal(t, "tokens", delivered(seqs), []int{-2, -2, 0})
	sum, _ := h.sum()
	equal(t, "prompt, generated", []int{sum.PromptComputed, sum.Generated}, []int{20, 4})
	equal(t, "first tokens", sum.FirstTokens, []time.Duration{115 * ms, 115 * ms, 116 * ms})
	equal(t, "gaps", sum.Gaps, []time.Duration{0, 0, ms, ms})
	it := h.last()
	equal(t, "the last step", []int{it.Outputs, it.TotalTokens(), it.Running, it.Waiting}, []int{3, 0, 0, 0})
	equal(t, "finished", sum.Finished[1:], []Finished{
		{Reason: "abort", Prompt: 10, Generated: 2, N: 1, MaxGenerated: 2, Prefill: 115 * ms, Decode: ms, Inference: 116 * ms,
			EndToEnd: 116 * ms, PerOutputToken: ms},
		{Reason: "abort", Prompt: 10, N: 1, EndToEnd: 116 * ms},
	})

	// What comes while it is paused waits, and no step tells of it.
	late := h.submit(Request{Prompt: 10, Tokens: 1})
	steps := len(h.steps)
	equal(t, "next", h.turn(), never)
	equal(t, "steps", len(h.steps), steps)
	h.do(h.Resume)
	h.all()
	equal(t, "tokens", delivered(late), []int{-1})
}

func TestPauseWait(t *testing.T) {
	h := byHand(t, with(func(c *Config) { c.MaxNumSeqs, c.Latency = 1, paced }))
	seqs := h.submit(Request{Prompt: 10, Tokens: 2}, Request{Prompt: 10, Tokens: 2})
	h.turn()
	var done <-chan struct{}
	h.do(func() { done = h.Pause(PauseWait, true) })
	h.turn()
	equal(t, "over", over(done), false)
	equal(t, "state", h.State(), State{Paused: true, Sleeping: true})
	h.all()
	equal(t, "over", over(done), true)
	equal(t, "tokens", delivered(seqs), []int{-2, 0})
	h.do(h.Resume)
	h.all()
	equal(t, "tokens", delivered(seqs), []int{-2, -2})
	equal(t, "state", h.State(), State{})
}

func TestPauseKeep(t *testing.T) {
	f := func(clear bool, next time.Duration, preemptions int) {
		t.Helper()
		h := byHand(t, seats(2))
		s := h.submit(Request{Prompt: 10, Tokens: 3})
		h.turn()
		h.time.at = h.time.at.Add(100 * ms)
		h.turn()
		var done <-chan struct{}
		h.do(func() { done = h.Pause(PauseKeep, clear) })
		steps := len(h.steps)
		h.time.at = h.time.at.Add(time.Minute)
		equal(t, "next", h.turn(), never)
		equal(t, "over", over(done), true)
		equal(t, "steps", len(h.steps), steps)
		equal(t, "tokens", delivered(s), []int{1})
		h.do(h.Resume)
		h.turn()
		sum, _ := h.sum()
		equal(t, "gaps", len(sum.Gaps), 1-preemptions) // at once, unless it has to be computed again
		h.all()
		sum, _ = h.sum()
		equal(t, "gaps", sum.Gaps, []time.Duration{time.Minute + next, 10 * ms})
		equal(t, "preemptions", sum.Preemptions, preemptions)
	}
	f(false, 0, 0)
	f(true, 100*ms, 1)
}

func TestSleep(t *testing.T) {
	h := byHand(t, Default())
	is := func(want State) {
		t.Helper()
		h.turn()
		equal(t, "state", h.State(), want)
	}
	sleep := func(level int) { h.do(func() { h.Sleep(level, PauseAbort) }) }
	wake := func(want bool, tags ...string) {
		t.Helper()
		var awake bool
		h.do(func() { awake = h.Wake(tags...) })
		equal(t, "awake", awake, want)
	}
	h.submit(h.prompt(ids(0, 200), 1))
	h.all()
	is(State{})
	sleep(1)
	is(State{Paused: true, Sleeping: true})
	s := h.submit(h.prompt(ids(0, 200), 1))
	h.all()
	equal(t, "tokens", delivered(s), []int{0})
	wake(false, "weights")
	wake(false, "nope")
	wake(false, "scheduling")
	is(State{Paused: true, Sleeping: true})
	wake(true, "kv_cache")
	is(State{})
	h.all()
	equal(t, "tokens", delivered(s), []int{-1})
	sum, _ := h.sum()
	equal(t, "hits: sleep forgets", sum.PrefixHits, 0)

	sleep(2)
	is(State{Paused: true, Sleeping: true})
	h.do(h.Resume) // the memory is still away
	is(State{Sleeping: true})
	wake(true)
	is(State{})

	h.submit(h.prompt(ids(0, 200), 1)) // remembered since the last wake-up
	h.all()
	sleep(0)
	is(State{Paused: true, Sleeping: true})
	h.do(h.Resume)
	is(State{})
	wake(true)
	is(State{})
	h.submit(h.prompt(ids(0, 200), 1))
	h.all()
	sum, _ = h.sum()
	equal(t, "hits: level 0 does not forget", sum.PrefixHits, 128)
}

func TestResetPrefixCache(t *testing.T) {
	h := byHand(t, Default())
	reset := func(preempt, want bool) {
		t.Helper()
		var ok bool
		h.do(func() { ok = h.ResetPrefixCache(preempt) })
		equal(t, "reset", ok, want)
	}
	s := h.submit(h.prompt(ids(0, 200), 5), h.prompt(ids(0, 200), 5))
	h.turn()
	reset(false, false)
	h.turn()
	equal(t, "tokens", delivered(s), []int{2, 2})
	reset(true, true)
	equal(t, "waiting", []int{len(h.running), len(h.waiting)}, []int{0, 2})
	h.turn()
	equal(t, "tokens", delivered(s), []int{3, 3})
	h.all()
	sum, _ := h.sum()
	equal(t, "preemptions, hits", []int{sum.Preemptions, sum.PrefixHits}, []int{2, 128})
	reset(false, true)
	h.submit(h.prompt(ids(0, 200), 1))
	h.all()
	sum, _ = h.sum()
	equal(t, "hits", sum.PrefixHits, 128)
}

// TestAResetLosesTheStepThatRuns: its token comes later, and once.
func TestAResetLosesTheStepThatRuns(t *testing.T) {
	h := byHand(t, with(func(c *Config) {
		c.Latency = latency.Model{Profile: &latency.Profile{PrefillTokensPerSecond: 1e9, StepBase: 10_000}}
	}))
	s := h.submit(Request{Prompt: 10, Tokens: 3})
	h.turn()
	h.do(func() { h.ResetPrefixCache(true) })
	h.time.at = h.time.at.Add(20 * ms)
	h.turn()
	equal(t, "tokens", delivered(s), []int{0})
	h.all()
	equal(t, "tokens", delivered(s), []int{-3})
	sum, _ := h.sum()
	equal(t, "first token", sum.FirstTokens[0].Round(ms), 20*ms)
}

func TestQueueLimits(t *testing.T) {
	limit := func(n int) *int { return &n }
	reason := func(err error) string {
		var overload *OverloadError
		if errors.As(err, &overload) {
			return overload.Reason
		}
		return ""
	}
	h := byHand(t, with(func(c *Config) { c.MaxQueuedReqs, c.Latency = limit(3), paced }))
	seqs := h.submit(Request{Prompt: 10, Tokens: 1, N: 2}, Request{Prompt: 10, Tokens: 1, N: 2, Index: 1})
	f := func(n int, want string) {
		t.Helper()
		equal(t, "limit", reason(h.Admit(n)), want)
		equal(t, "unfinished", h.Unfinished(), 2)
	}
	f(1, "")
	f(2, "max_num_queued_reqs")
	_, err := h.Submit(Request{Prompt: 10, Tokens: 1}, Request{Prompt: 10, Tokens: 1})
	equal(t, "two prompts", reason(err), "max_num_queued_reqs")
	f(1, "")
	h.do(func() { h.Abort(seqs...) })
	equal(t, "unfinished", h.Unfinished(), 0)
	equal(t, "limit", reason(h.Admit(3)), "")

	h = byHand(t, with(func(c *Config) { c.MaxQueuedTokens, c.Latency = limit(15), paced }))
	h.submit(Request{Prompt: 10, Tokens: 2})
	equal(t, "10 of 15", reason(h.Admit(1)), "")
	h.submit(Request{Prompt: 10, Tokens: 2})
	equal(t, "20 of 15", reason(h.Admit(1)), "max_num_queued_tokens")
	h.turn()
	equal(t, "still", reason(h.Admit(1)), "max_num_queued_tokens")
	h.time.at = h.time.at.Add(100 * ms)
	h.turn()
	equal(t, "after the first token", reason(h.Admit(1)), "")

	h = byHand(t, with(func(c *Config) { c.MaxQueuedReqs = limit(0) }))
	equal(t, "0 refuses all", reason(h.Admit(1)), "max_num_queued_reqs")
}

func TestChoicesOfARequestCountOnce(t *testing.T) {
	h := byHand(t, Default())
	h.submit(Request{ID: "a", Prompt: 11, Tokens: 5, N: 2, MaxTokens: 5}, Request{ID: "a", Index: 1, Prompt: 11, Tokens: 3, N: 2, MaxTokens: 5},
		Request{ID: "b", Prompt: 11, Tokens: 1})
	h.all()
	sum, count := h.sum()
	var got [][]int
	for _, f := range sum.Finished {
		got = append(got, []int{f.N, f.MaxGenerated, f.Generated, f.MaxTokens})
	}
	equal(t, "n, longest, generated, max_tokens", got, [][]int{{1, 1, 1, 0}, {0, 0, 3, 5}, {2, 5, 5, 5}})
	equal(t, "iterations, tokens", []int{count, sum.TotalTokens()}, []int{5, 33 + 9})
}

// TestAClientThatLeaves moves what it has used, and nothing that is told of whole requests.
func TestAClientThatLeaves(t *testing.T) {
	h := byHand(t, with(func(c *Config) { c.MaxNumSeqs = 1 }))
	seqs := h.submit(Request{Prompt: 11, Tokens: 50}, Request{Prompt: 11, Tokens: 50})
	for range 4 {
		h.turn()
	}
	h.do(func() { h.Abort(seqs...) })
	equal(t, "next", h.turn(), never)
	sum, count := h.sum()
	equal(t, "prompt, queries, generated, first, gaps, finished, iterations",
		[]int{sum.PromptComputed, sum.PrefixQueries, sum.Generated, len(sum.FirstTokens), len(sum.Gaps), len(sum.Finished), count},
		[]int{11, 11, 4, 1, 3, 0, 4})
	it := h.last()
	equal(t, "gauges", []any{it.Running, it.Waiting, it.KVUsage, it.Outputs}, []any{0, 0, 0.0, 0})
	equal(t, "tokens", delivered(seqs), []int{-4, 0})
}

func TestWakesAreSparse(t *testing.T) {
	h := byHand(t, Default())
	f := func(every int, want ...int) {
		t.Helper()
		wake := make(chan struct{}, 1)
		seqs, err := h.Submit(Request{Prompt: 1, Tokens: 10, Wake: wake, Every: every})
		if err != nil {
			t.Fatal(err)
		}
		var got []int
		for range 10 {
			h.turn()
			if over(wake) {
				got = append(got, delivered(seqs)...)
			}
		}
		equal(t, "tokens at each wake", got, want)
	}
	f(0, -10)
	f(1, 1, 2, 3, 4, 5, 6, 7, 8, 9, -10)
	f(4, 1, 5, 9, -10)
	f(100, 1, -10)
}
