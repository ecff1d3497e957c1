package engine

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/engine/kv"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/latency"
)

// outputs is what vLLM would count for the prompt and the answer of each step.
func (h *hand) tokens() (got [][2]int) {
	for _, it := range h.steps {
		got = append(got, [2]int{it.PromptComputed, it.Generated})
	}
	return got
}

// TestAPromptTakesSeveralSteps agrees with what was counted on a real server: 1500 prompt tokens with a budget of 512, and
// five tokens, are five iterations with 1505 tokens.
func TestAPromptTakesSeveralSteps(t *testing.T) {
	h := byHand(t, with(func(c *Config) { c.MaxNumBatchedTokens = 512 }))
	seqs := h.submit(Request{Prompt: 1500, Tokens: 5})
	var computed []int
	for range 3 {
		h.turn()
		computed = append(computed, seqs[0].computed)
	}
	equal(t, "computed", computed, []int{512, 1024, 1500})
	h.all()
	equal(t, "steps", h.tokens(), [][2]int{{}, {}, {1500, 1}, {0, 1}, {0, 1}, {0, 1}, {0, 1}})
	sum, count := h.sum()
	equal(t, "iterations", []int{count, sum.TotalTokens()}, []int{5, 1505})
}

func TestRunningSequencesComeBeforePrompts(t *testing.T) {
	h := byHand(t, with(func(c *Config) { c.MaxNumBatchedTokens, c.MaxNumSeqs = 10, 4 }))
	seqs := h.submit(Request{Prompt: 4, Tokens: 9}, Request{Prompt: 4, Tokens: 9}, Request{Prompt: 12, Tokens: 9}, Request{Prompt: 5, Tokens: 9})
	f := func(computed ...int) {
		t.Helper()
		h.turn()
		var got []int
		for _, s := range seqs {
			got = append(got, s.computed)
		}
		equal(t, "computed", got, computed)
	}
	f(4, 4, 2, 0)
	f(5, 5, 10, 0)
	f(6, 6, 12, 5) // the rest of the budget is for the last one, with one token to spare
	f(7, 7, 13, 6)
}

func TestWithoutChunkedPrefillAPromptWaitsForItsBudget(t *testing.T) {
	h := byHand(t, with(func(c *Config) {
		c.MaxNumBatchedTokens, c.MaxModelLen, c.MaxNumSeqs, c.ChunkedPrefill = 100, 100, 8, false
	}))
	seqs := h.submit(Request{Prompt: 60, Tokens: 3}, Request{Prompt: 60, Tokens: 3})
	h.turn()
	equal(t, "tokens", delivered(seqs), []int{1, 0})
	h.turn()
	equal(t, "tokens", delivered(seqs), []int{2, 1})
}

// TestUsageOfTheCache: 16 requests of one block use 16 of 8191.
func TestUsageOfTheCache(t *testing.T) {
	h := byHand(t, with(func(c *Config) { c.MaxNumSeqs = 16 }))
	seqs := h.submit(slices.Repeat([]Request{{Prompt: 11, Tokens: 600}}, 40)...)
	f := func(running, waiting, blocks int) {
		t.Helper()
		it := h.last()
		equal(t, "state", []any{it.Running, it.Waiting, it.KVUsage}, []any{running, waiting, float64(blocks) / 8191})
	}
	h.turn()
	f(16, 24, 16)
	for range 117 { // 128 tokens have their KV with the token 118
		h.turn()
	}
	f(16, 24, 16)
	h.turn()
	f(16, 24, 32)
	h.do(func() { h.Abort(seqs[20:]...) })
	h.turn()
	f(16, 4, 32)
	h.all()
	f(0, 0, 0)
}

// TestPreemption agrees with a real server, which was asked at once for six answers of 900 tokens to prompts of 100 with 19
// blocks of 128 tokens: five preemptions in 1849 iterations, and nothing is looked up or computed twice as far as metrics
// tell.
func TestPreemption(t *testing.T) {
	h := byHand(t, with(func(c *Config) { c.MaxModelLen, c.NumBlocks, c.MaxNumBatchedTokens, c.MaxNumSeqs = 2048, 20, 512, 16 }))
	for i := range 6 {
		r := h.prompt(ids(1000*i, 100), 900)
		r.Output = func(k int) int { return 1_000_000*(i+1) + k }
		h.submit(r)
		if i == 0 { // the others arrive while it is served
			h.turn()
		}
	}
	h.all()
	sum, count := h.sum()
	got := []int{sum.Preemptions, count, sum.PrefixQueries, sum.PrefixHits, sum.PromptComputed, sum.Generated, len(sum.FirstTokens), len(sum.Gaps)}
	equal(t, "preemptions, iterations, queries, hits, prompt, generated, first, gaps", got, []int{5, 1849, 600, 0, 600, 5400, 6, 5394})
	preemptions := 0
	for _, f := range sum.Finished {
		preemptions += f.Preemptions
		equal(t, "finished", []any{f.Reason, f.Generated, f.Computed()}, []any{"length", 900, 100})
	}
	equal(t, "preemptions of the finished", preemptions, 5)
	equal(t, "blocks in use", h.pool.Used(), 0)
}

func TestTheLastOneIsPreemptedAndComesBackFirst(t *testing.T) {
	h := byHand(t, with(func(c *Config) { c.BlockSize, c.NumBlocks, c.MaxModelLen, c.MaxNumSeqs = 4, 9, 32, 3 }))
	seqs := h.submit(Request{Prompt: 11, Tokens: 10}, Request{Prompt: 11, Tokens: 4}, Request{Prompt: 4, Tokens: 1}) // 3 and 3 blocks
	h.turn()
	h.turn() // 12 tokens
	equal(t, "tokens", delivered(seqs), []int{2, 2, -1})
	h.submit(Request{Prompt: 5, Tokens: 8})[0].ID = "late"
	h.turn() // one block more for each, 8 in all
	equal(t, "tokens", delivered(seqs[:2]), []int{3, 3})
	for h.running[len(h.running)-1] == seqs[1] {
		h.turn()
	}
	equal(t, "preempted", seqs[1].preempted, 0) // it ended before blocks ran out
	h.all()

	h = byHand(t, h.cfg)
	seqs = h.submit(Request{Prompt: 11, Tokens: 20}, Request{Prompt: 11, Tokens: 20})
	for seqs[1].preempted == 0 {
		h.turn()
	}
	equal(t, "running", h.running, []*Sequence{seqs[0]}, cmp.Comparer(func(a, b *Sequence) bool { return a == b }))
	late := h.submit(Request{Prompt: 1, Tokens: 1})
	h.turn()
	equal(t, "the late one waits behind it", delivered(late), []int{0})
	h.all()
	equal(t, "tokens", delivered(append(seqs, late...)), []int{-20, -20, -1})
}

func TestPriority(t *testing.T) {
	cfg := with(func(c *Config) {
		c.Policy, c.MaxNumSeqs, c.BlockSize, c.NumBlocks, c.MaxModelLen = Priority, 2, 4, 9, 32
	})
	h := byHand(t, cfg)
	r := func(id string, priority, prompt, tokens int) Request {
		return Request{ID: id, Priority: priority, Prompt: prompt, Tokens: tokens}
	}
	h.submit(r("b", 1, 4, 2), r("a", 0, 4, 2), r("d", 7, 4, 2), r("c", 1, 4, 2), r("first", -1, 4, 2))
	h.all()
	sum, _ := h.sum()
	var order []string
	for _, f := range sum.Finished {
		order = append(order, f.ID)
	}
	equal(t, "order", order, []string{"first", "a", "b", "c", "d"})

	h = byHand(t, cfg)
	low := h.submit(r("low", 5, 9, 20))
	h.turn()
	high := h.submit(r("high", 0, 11, 20))
	for low[0].preempted == 0 {
		h.turn()
	}
	equal(t, "preempted", []int{low[0].preempted, high[0].preempted}, []int{1, 0})
	equal(t, "tokens left of the step", h.step.budget, cfg.MaxNumBatchedTokens-1) // what it had is there for others
	h.all()
	equal(t, "tokens", delivered(append(low, high...)), []int{-20, -20})
	equal(t, "blocks in use", h.pool.Used(), 0)

	f := byHand(t, with(func(c *Config) { c.MaxNumSeqs = 1 })) // fcfs takes no notice
	f.submit(r("b", 1, 4, 1), r("a", 0, 4, 1))
	f.all()
	sum, _ = f.sum()
	equal(t, "first", sum.Finished[0].ID, "b")
}

func TestPrefixCache(t *testing.T) {
	h := byHand(t, Default())
	answer := func(i int) int { return 9000 + i }
	f := func(r Request, hit int) {
		t.Helper()
		before, _ := h.sum()
		h.submit(r)
		h.all()
		after, _ := h.sum()
		queries := r.Prompt
		if r.SkipCache {
			queries = 0
		}
		equal(t, "queries, hits, computed, cached",
			[]int{after.PrefixQueries - before.PrefixQueries, after.PrefixHits - before.PrefixHits,
				after.PromptComputed - before.PromptComputed, after.PromptCached - before.PromptCached},
			[]int{queries, hit, r.Prompt - hit, hit})
		equal(t, "cached, computed", []int{h.last().Finished[0].Cached, h.last().Finished[0].Computed()}, []int{hit, r.Prompt - hit})
	}
	p := func(tokens []int) Request { return h.prompt(tokens, 1) }
	f(p(ids(0, 127)), 0) // no whole block
	f(p(ids(0, 127)), 0)
	f(p(ids(0, 507)), 0)
	f(p(ids(0, 507)), 384)
	f(p(ids(0, 300)), 256) // shares the first two blocks
	f(p(ids(0, 128)), 0)   // the last token is computed
	f(p(ids(0, 129)), 128)
	f(p(ids(1, 300)), 0) // other tokens
	f(p(append(ids(0, 128), ids(7, 200)...)), 128)

	salted := Request{Prompt: 129, Tokens: 1, Chain: kv.NewChain(128, "", "a", ids(0, 129))}
	f(salted, 0)
	f(salted, 128)
	adapted := Request{Prompt: 129, Tokens: 1, LoRA: "a", Chain: kv.NewChain(128, "a", "", ids(0, 129))}
	f(adapted, 0)
	f(adapted, 128)
	skipping := p(ids(0, 507))
	skipping.SkipCache = true
	f(skipping, 0)
	f(Request{Prompt: 507, Tokens: 1}, 0) // nothing is known of it

	// A follow-up finds the answer: 200 and 100 tokens have two full blocks. (As a real server says.)
	turn := h.prompt(ids(5000, 200), 100)
	turn.Output = answer
	f(turn, 0)
	followUp := ids(5000, 200)
	for i := range 100 {
		followUp = append(followUp, answer(i))
	}
	f(p(append(followUp, ids(77, 20)...)), 256)

	// The last token of an answer has no KV: 128 tokens are no full block.
	turn = h.prompt(ids(6000, 100), 28)
	turn.Output = answer
	f(turn, 0)
	followUp = ids(6000, 100)
	for i := range 29 {
		followUp = append(followUp, answer(i))
	}
	f(p(followUp), 0)
}

func TestPromptsOfOneStepShareTheirPrefix(t *testing.T) {
	h := byHand(t, Default())
	r := h.prompt(ids(0, 300), 2)
	h.submit(r, r, r)
	h.turn()
	it := h.last()
	equal(t, "hits, computed, blocks", []any{it.PrefixHits, it.PromptComputed, h.pool.Used()}, []any{512, 900 - 512, 5})
	h.all()
	equal(t, "blocks in use", h.pool.Used(), 0)
}

func TestWithoutPrefixCache(t *testing.T) {
	h := byHand(t, with(func(c *Config) { c.PrefixCaching = false }))
	for range 2 {
		h.submit(h.prompt(ids(0, 300), 2))
		h.all()
	}
	sum, _ := h.sum()
	equal(t, "queries, hits, computed", []int{sum.PrefixQueries, sum.PrefixHits, sum.PromptComputed}, []int{0, 0, 600})
}

// TestAPreemptedSequenceFindsItsOwnBlocks: they are remembered until somebody needs the room.
func TestAPreemptedSequenceFindsItsOwnBlocks(t *testing.T) {
	h := byHand(t, with(func(c *Config) { c.BlockSize, c.MaxModelLen = 4, 100 }))
	r := h.prompt(ids(0, 10), 20)
	r.Output = func(i int) int { return 100 + i }
	s := h.submit(r)[0]
	for range 9 {
		h.turn()
	}
	equal(t, "computed", s.computed, 18)
	h.preempt(s, 0)
	h.turn()
	equal(t, "computed, cached, tokens", []int{s.computed, s.cached, s.generated}, []int{19, 0, 10})
	sum, _ := h.sum()
	equal(t, "queries, hits, preemptions", []int{sum.PrefixQueries, sum.PrefixHits, sum.Preemptions}, []int{10, 0, 1})
	h.all()
}

// An idle vLLM 0.32 that is asked for two choices of 5 tokens makes 6 steps, of 32 tokens with two prompts of 11.
func TestTheFirstOfSeveralBeginsAlone(t *testing.T) {
	h := byHand(t, Default())
	r := Request{Prompt: 11, Tokens: 5, N: 2}
	f := func(name string, steps []int, requests ...Request) {
		t.Helper()
		h.steps = nil
		h.submitAlone(requests...)
		h.all()
		var got []int
		for _, it := range h.steps {
			if it.Outputs > 0 {
				got = append(got, it.TotalTokens())
			}
		}
		equal(t, name, got, steps)
	}
	f("two choices", []int{12, 13, 2, 2, 2, 1}, r, r)
	f("one", []int{12, 1, 1, 1, 1}, Request{Prompt: 11, Tokens: 5})
	f("three prompts", []int{5, 10, 2}, Request{Prompt: 4, Tokens: 1}, Request{Prompt: 4, Tokens: 2}, Request{Prompt: 4, Tokens: 2})
}

// vLLM's pooling models count prompts and no tokens, and the time until the one output as for a first token.
func TestPooledPromptsHaveNoToken(t *testing.T) {
	h := byHand(t, with(func(c *Config) { c.MaxNumBatchedTokens = 300 }))
	pooled := func(n int) Request {
		r := h.prompt(ids(0, n), 0)
		r.Pooled, r.Reason = true, "stop"
		return r
	}
	h.submit(pooled(400), pooled(5))
	h.turn()
	equal(t, "after a part of the first", h.Unfinished(), 2)
	h.all()
	sum, _ := h.sum()
	equal(t, "prompt, generated, first, gaps", []int{sum.PromptComputed, sum.Generated, len(sum.FirstTokens), len(sum.Gaps)}, []int{405, 0, 2, 0})
	for i, f := range sum.Finished {
		equal(t, "finished", []any{f.Reason, f.Prompt, f.Generated, f.MaxTokens, f.N}, []any{"stop", []int{400, 5}[i], 0, 0, 1})
	}
	equal(t, "unfinished, prefilling, blocks", []int{h.Unfinished(), int(h.prefilling.Load()), h.pool.Used()}, []int{0, 0, 0})
	h.submit(pooled(400))
	h.all()
	sum, _ = h.sum()
	equal(t, "hits", sum.PrefixHits, 384)
}

func TestAdaptersBeyondTheLimitAreDeferred(t *testing.T) {
	h := byHand(t, with(func(c *Config) { c.MaxLoRAs = 1 }))
	r := func(id, lora string, tokens int) Request {
		return Request{ID: id, LoRA: lora, Prompt: 4, Tokens: tokens}
	}
	h.submit(r("a1", "a", 2), r("b1", "b", 1), r("a2", "a", 1), r("plain", "", 1))
	h.turn()
	it := h.last()
	equal(t, "running, waiting, deferred", []int{it.Running, it.Waiting, it.Deferred}, []int{1, 0, 1})
	equal(t, "adapters", it.LoRAs, []string{"a"})
	h.all()
	sum, _ := h.sum()
	var order []string
	for _, f := range sum.Finished {
		order = append(order, f.ID)
	}
	equal(t, "order", order, []string{"a2", "plain", "a1", "b1"})
	it = h.last()
	equal(t, "deferred at the end", it.Deferred, 0)
	h.submit(r("a3", "a", 3), r("b2", "b", 3), r("a4", "a", 3))
	h.turn()
	h.preempt(h.running[1], 1)
	equal(t, "a preempted one goes before one that was deferred", h.waiting[0].ID, "a4")
	h.all()
	it = h.last()
	equal(t, "adapters at the end", len(it.LoRAs), 0)
}

// TestAProfileTimesTheWholeBatch: a step takes 10 ms, 1 ms for each sequence, 1 µs for each token that it looks back on,
// and 1 ms for each token of a prompt.
func TestAProfileTimesTheWholeBatch(t *testing.T) {
	h := byHand(t, with(func(c *Config) {
		c.Latency.Profile = &latency.Profile{PrefillTokensPerSecond: 1000, StepBase: 10_000, StepPerSequence: 1000, StepPerContextToken: 1}
	}))
	h.submit(Request{Prompt: 100, Tokens: 3}, Request{Prompt: 200, Tokens: 2})
	at := time.Duration(0)
	for _, took := range []time.Duration{(10 + 2 + 300) * ms, (10 + 2) * ms, (10 + 1) * ms} {
		next := h.turn()
		context := map[time.Duration]time.Duration{312: 300, 12: 302, 11: 102}[took/ms] * time.Microsecond
		equal(t, "step", next-at, took+context)
		at = next
		h.time.at = h.epoch.Add(at)
	}
	equal(t, "next", h.turn(), never)
	sum, _ := h.sum()
	equal(t, "gaps", sum.Gaps, []time.Duration{12*ms + 302*time.Microsecond, 12*ms + 302*time.Microsecond, 11*ms + 102*time.Microsecond})
}
