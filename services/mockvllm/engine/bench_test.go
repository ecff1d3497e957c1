package engine

import (
	"strconv"
	"testing"
	"time"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/engine/clock"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/engine/kv"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/latency"
)

// counter is an Observer that looks at all gaps, as a histogram would: by how much they are longer or shorter than 10 ms.
type counter struct {
	steps, tokens int
	off           [1000]int // in 10 µs
}

func (c *counter) Step(it *Iteration) {
	c.steps += 1 + it.Repeats
	c.tokens += (1 + it.Repeats) * it.Generated
	for _, gap := range it.Gaps {
		off := (gap - 10*ms).Abs() / (10 * time.Microsecond)
		c.off[min(off, time.Duration(len(c.off)-1))] += 1 + it.Repeats
	}
}

// p99 is how much 99 % of the gaps are off at most.
func (c *counter) p99() time.Duration {
	left := 0
	for _, n := range c.off {
		left += n
	}
	left /= 100
	for i := len(c.off) - 1; i >= 0; i-- {
		if left -= c.off[i]; left < 0 {
			return time.Duration(i+1) * 10 * time.Microsecond
		}
	}
	return 0
}

// BenchmarkStep is a step with 1000 running sequences, each of which gets a token and has somebody who is woken.
func BenchmarkStep(b *testing.B) {
	const running = 1000
	f := func(name string, m latency.Model, caching bool, wakes int) {
		b.Run(name, func(b *testing.B) {
			c := &counter{}
			at := &stopped{time.Unix(1000, 0)}
			e := New(Config{MaxNumSeqs: running, MaxNumBatchedTokens: 8192, MaxModelLen: 1 << 30, BlockSize: 16, NumBlocks: 4 << 20,
				PrefixCaching: caching, ChunkedPrefill: true, Policy: FCFS, Latency: m, Clock: at}, c)
			for i := range running {
				prompt := ids(i, 20)
				r := Request{ID: strconv.Itoa(i), Prompt: len(prompt), Tokens: 1 << 29, Wake: make(chan struct{}, 1), Every: wakes}
				if caching {
					r.Chain, r.Output = kv.NewChain(16, "", "", prompt), func(k int) int { return i + k }
				}
				if _, err := e.Submit(r); err != nil {
					b.Fatal(err)
				}
			}
			e.work()
			for next := time.Duration(0); c.tokens < 2*running; next = e.turn(e.now()) {
				at.at = e.epoch.Add(max(next, 0))
			}
			c.tokens = 0
			b.ReportAllocs()
			b.ResetTimer()
			for b.Loop() {
				at.at = at.at.Add(10 * ms)
				e.turn(e.now())
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(c.tokens), "ns/token")
		})
	}
	pace := latency.Model{TTFT: latency.Constant(ms), ITL: latency.Constant(10 * ms)}
	f("delays", pace, false, 1)
	f("delays, nobody woken", pace, false, 0)
	f("delays, prefix cache", pace, true, 1)
	f("random delays", latency.Model{ITL: distribution("normal:10ms,1ms")}, false, 1)
	f("profile", latency.Model{Profile: &latency.Profile{PrefillTokensPerSecond: 1e6, StepBase: 9000}}, false, 1)
}

// BenchmarkPaced is 1000 streams by the real clock, each with a token every 10 ms, and somebody who takes it.
func BenchmarkPaced(b *testing.B) {
	const running = 1000
	for b.Loop() {
		c := &counter{}
		e := New(with(func(cfg *Config) {
			cfg.MaxNumSeqs, cfg.Latency, cfg.Clock = running, latency.Model{TTFT: distribution("normal:50ms,20ms"), ITL: latency.Constant(10 * ms)}, clock.Real{}
		}), c)
		done := make(chan struct{}, running)
		go e.Run(b.Context())
		for i := range running {
			seqs, err := e.Submit(Request{ID: strconv.Itoa(i), Prompt: 20, Tokens: 200, Reason: "length", Wake: make(chan struct{}, 1), Every: 1})
			if err != nil {
				b.Fatal(err)
			}
			go func() {
				for over := false; !over; _, over = seqs[0].Progress() {
					<-seqs[0].Wake
				}
				done <- struct{}{}
			}()
		}
		for range running {
			<-done
		}
		<-e.Refuse()
		b.ReportMetric(float64(c.tokens)/float64(c.steps), "tokens/step")
		b.ReportMetric(float64(c.p99().Microseconds()), "µs-off-p99")
	}
}
