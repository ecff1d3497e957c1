package engine

import (
	"context"
	"math/rand/v2"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/engine/clock"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/engine/kv"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/latency"
)

// chaos sends random traffic for an hour, by a clock that pass moves. Afterwards nothing may be left; what goroutines are
// is looked at when all tests are done.
func chaos(t *testing.T, c clock.Clock, m latency.Model, pass func(time.Duration)) {
	t.Helper()
	e := New(with(func(cfg *Config) {
		cfg.Clock, cfg.Latency, cfg.MaxNumSeqs, cfg.BlockSize, cfg.NumBlocks, cfg.MaxModelLen = c, m, 8, 16, 40, 512
	}), &notes{})
	ctx, stop := context.WithCancel(t.Context())
	var all sync.WaitGroup
	all.Go(func() { e.Run(ctx) })
	source := rand.New(rand.NewPCG(1, 2))
	for ends := c.Now().Add(time.Hour); c.Now().Before(ends); pass(time.Duration(source.IntN(4000)) * ms) {
		for range source.IntN(4) {
			prompt := ids(source.IntN(3), 1+source.IntN(300))
			r := Request{ID: strconv.Itoa(source.Int()), Prompt: len(prompt), Tokens: 1 + source.IntN(200), Every: source.IntN(3), Wake: make(chan struct{}, 1),
				Chain: kv.NewChain(16, "", "", prompt), Output: func(i int) int { return i }}
			seqs, err := e.Submit(r)
			if err != nil {
				t.Error(err)
				continue
			}
			patience := source.IntN(400)
			all.Go(func() {
				for n, over := 0, false; !over; n, over = seqs[0].Progress() {
					if n > patience {
						e.Abort(seqs...)
					}
					<-seqs[0].Wake
				}
			})
		}
		switch source.IntN(60) {
		case 0:
			e.Pause([]Mode{PauseAbort, PauseKeep, PauseWait}[source.IntN(3)], source.IntN(2) == 0)
		case 1:
			e.Sleep(source.IntN(3), PauseKeep)
		case 2:
			e.ResetPrefixCache(source.IntN(2) == 0)
		default:
			e.Wake()
			e.Resume()
		}
	}
	e.Wake()
	e.Resume()
	idle := e.Refuse()
	for !over(idle) {
		pass(time.Minute)
	}
	equal(t, "load", e.Load(), Load{})
	equal(t, "unfinished", e.Unfinished(), 0)
	stop()
	all.Wait()
	equal(t, "blocks in use", e.pool.Used(), 0)
}

var models = map[string]latency.Model{
	"delays":  {TTFT: distribution("lognormal:200ms,50ms"), ITL: distribution("normal:20ms,5ms"), Seed: 3},
	"profile": {Profile: &latency.Profile{PrefillTokensPerSecond: 5000, StepBase: 20_000, StepPerSequence: 500, StepPerContextToken: 0.1}},
}

func distribution(text string) latency.Distribution {
	d, err := latency.Parse(text)
	if err != nil {
		panic(err)
	}
	return d
}

func TestAnHourOfChaos(t *testing.T) {
	for name, m := range models {
		t.Run("virtual "+name, func(t *testing.T) {
			c := clock.NewManual(time.Unix(1000, 0))
			chaos(t, c, m, func(d time.Duration) {
				if _, err := c.Advance(t.Context(), d); err != nil {
					t.Fatal(err)
				}
			})
		})
		t.Run("real "+name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { chaos(t, clock.Real{}, m, time.Sleep) })
		})
	}
}

// TestAnHourPassesInASecond: tokens keep their times, and who waits for them gets them.
func TestAnHourPassesInASecond(t *testing.T) {
	c := clock.NewManual(time.Unix(1000, 0))
	n := &notes{}
	e := New(with(func(cfg *Config) { cfg.Clock, cfg.Latency = c, paced }), n)
	ctx, stop := context.WithCancel(t.Context())
	var all sync.WaitGroup
	all.Go(func() { e.Run(ctx) })
	const tokens = 40_000
	seqs := submit(t, e, tokens)
	all.Go(func() {
		for over := false; !over; _, over = seqs[0].Progress() {
			<-seqs[0].Wake
		}
	})
	advance := func(d time.Duration, want int) {
		t.Helper()
		if _, err := c.Advance(t.Context(), d); err != nil {
			t.Fatal(err)
		}
		equal(t, "tokens", delivered(seqs), []int{want})
	}
	advance(99*ms, 0)
	advance(ms, 1)
	advance(5*ms, 1)
	advance(5*ms, 2)
	advance(time.Hour, -tokens)
	sum, _ := n.sum()
	equal(t, "end to end", sum.Finished[0].EndToEnd, 100*ms+(tokens-1)*10*ms)
	equal(t, "now", c.Now(), time.Unix(1000, 0).Add(time.Hour+110*ms))
	stop()
	all.Wait()
}

// tokensOf makes all steps and calls f at each token of a sequence.
func (h *hand) tokensOf(s *Sequence, f func(at time.Duration)) {
	for seen, next := 0, time.Duration(0); next != never; {
		next = h.turn()
		if s.generated > seen {
			seen = s.generated
			f(h.now())
		}
		if next > h.now() && next != never {
			h.time.at = h.epoch.Add(next)
		}
	}
}

// TestDelaysFollowFromTheRequest: what else runs makes no difference, nor does the order.
func TestDelaysFollowFromTheRequest(t *testing.T) {
	r := Request{ID: "one", Prompt: 20, Tokens: 100}
	gaps := func(seed int64, others int) (delays []time.Duration) {
		h := byHand(t, with(func(c *Config) { c.Latency = models["delays"]; c.Latency.Seed = seed }))
		for i := range others {
			h.submit(Request{ID: strconv.Itoa(i), Prompt: 10, Tokens: 60})
		}
		s := h.submit(r)[0]
		for at := range 3 {
			h.submit(Request{ID: strconv.Itoa(others + at), Prompt: 10, Tokens: 5})
		}
		last := time.Duration(0)
		h.tokensOf(s, func(at time.Duration) {
			delays = append(delays, at-last)
			last = at
		})
		return delays
	}
	alone := gaps(1, 0)
	if len(alone) != 100 {
		t.Fatalf("%d tokens", len(alone))
	}
	equal(t, "among others", gaps(1, 200), alone)
	h := byHand(t, with(func(c *Config) { c.Latency = models["delays"] }))
	h.submit(Request{ID: "one", N: 2, Prompt: 20, Tokens: 1}, Request{ID: "one", N: 2, Index: 1, Prompt: 20, Tokens: 1})
	h.all()
	if sum, _ := h.sum(); sum.FirstTokens[0] == sum.FirstTokens[1] {
		t.Error("both choices have the same delays")
	}
	if other := gaps(2, 0); other[0] == alone[0] || other[1] == alone[1] {
		t.Error("the seed makes no difference")
	}
}
