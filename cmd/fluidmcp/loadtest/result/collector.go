package result

import (
	"cmp"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/fluidmcp/fluidmcp/cmd/fluidmcp/loadtest/client"
)

// Names of the latencies. Those of Scheduled count from when the plan wanted the request sent, the others from its sending:
// a server that stalls holds back requests that only the former see (coordinated omission).
const (
	TTFT          = "ttft" // to the first token
	ITL           = "itl"  // between two chunks that bring text
	TPOT          = "tpot" // from the first to the last token, for each token after the first
	E2E           = "e2e"  // to the end of the answer
	TTFTScheduled = "ttft_scheduled"
	E2EScheduled  = "e2e_scheduled"
)

// Collector takes samples. It is safe for concurrent use and keeps figures, not samples.
type Collector struct {
	mu            sync.Mutex
	open          bool // requests are scheduled
	latencies     map[string]*hdrhistogram.Histogram
	lag           *hdrhistogram.Histogram
	failures      map[client.Outcome]*Failure
	requests      Requests
	tokens        Tokens
	chunks        int // of all streams, failed ones and those of the warm-up included
	sent          int // with the warm-up
	unreported    int // answers without usage
	first, latest time.Time
	series        *series
}

// NewCollector collects a run that began at start. In an open loop requests have a schedule.
func NewCollector(open bool, start time.Time) *Collector {
	return &Collector{open: open, latencies: map[string]*hdrhistogram.Histogram{}, lag: fine(), failures: map[client.Outcome]*Failure{}, series: &series{start: start, width: narrowest}}
}

// Add takes a sample. Those of the warm-up only count towards what the client did.
func (c *Collector) Add(s *client.Sample, warmup bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sent++
	c.chunks += s.Chunks
	if warmup {
		c.requests.Warmup++
		return
	}
	if c.first.IsZero() || s.Scheduled.Before(c.first) {
		c.first = s.Scheduled
	}
	if s.Outcome == client.Cut {
		c.requests.Cut++
		return
	}
	if s.Done.After(c.latest) {
		c.latest = s.Done
	}
	if s.Outcome.Failed() {
		c.fail(s)
		return
	}
	c.succeed(s)
}

// Lagged notes how much later than possible the client sent a scheduled request.
func (c *Collector) Lagged(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	record(c.lag, d)
}

func (c *Collector) fail(s *client.Sample) {
	c.requests.Failed++
	c.series.at(s.Done).failed++
	f := c.failures[s.Outcome]
	if f == nil {
		f = &Failure{Kind: string(s.Outcome), Example: s.Detail}
		c.failures[s.Outcome] = f
	}
	f.Count++
}

func (c *Collector) succeed(s *client.Sample) {
	c.requests.OK++
	c.tokens.Input += s.PromptTokens
	c.tokens.Output += s.OutputTokens
	if !s.Reported {
		c.unreported++
	}
	end := c.series.at(s.Done)
	end.ok++
	c.latency(end, E2E, s.Done.Sub(s.Sent))
	if c.open {
		c.latency(end, E2EScheduled, s.Done.Sub(s.Scheduled))
	}
	if s.First.IsZero() {
		end.tokens += float64(s.OutputTokens)
		return
	}
	c.latency(end, TTFT, s.First.Sub(s.Sent))
	if c.open {
		c.latency(end, TTFTScheduled, s.First.Sub(s.Scheduled))
	}
	if s.OutputTokens > 1 {
		c.latency(end, TPOT, s.Last.Sub(s.First)/time.Duration(s.OutputTokens-1))
	}
	// A chunk may hold several tokens, or a part of one; each brings its share.
	share := float64(s.OutputTokens) / float64(len(s.Gaps)+1)
	at := s.First
	c.series.at(at).tokens += share
	for _, gap := range s.Gaps {
		at = at.Add(gap)
		bucket := c.series.at(at)
		bucket.tokens += share
		c.latency(bucket, ITL, gap)
	}
}

func (c *Collector) latency(b *bucket, name string, d time.Duration) {
	h := c.latencies[name]
	if h == nil {
		h = fine()
		c.latencies[name] = h
	}
	record(h, d)
	b.record(name, d)
}

// Progress is how far a run is.
type Progress struct {
	Requests
	TTFT, E2E Distribution // without curves
	Tokens    int
}

// Progress reads how far the run is.
func (c *Collector) Progress() Progress {
	c.mu.Lock()
	defer c.mu.Unlock()
	short := func(name string) Distribution {
		h := c.latencies[name]
		if h == nil {
			return Distribution{}
		}
		return Distribution{Count: h.TotalCount(), P50: milliseconds(h.ValueAtPercentile(50)), P99: milliseconds(h.ValueAtPercentile(99))}
	}
	return Progress{c.requests, short(TTFT), short(E2E), c.tokens.Output}
}

// Summary gives the figures of a run that is over.
func (c *Collector) Summary() Summary {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := Summary{Requests: c.requests, Tokens: c.tokens, Latencies: map[string]Distribution{}, Failures: []Failure{},
		Unreported: c.unreported, Sent: c.sent, Chunks: c.chunks, Series: c.series.intervals(c.first)}
	s.Seconds = max(0, c.latest.Sub(c.first).Seconds())
	s.Requests.Sent = s.Requests.OK + s.Requests.Failed + s.Requests.Cut
	if over := s.Requests.OK + s.Requests.Failed; over > 0 {
		s.ErrorRate = float64(s.Requests.Failed) / float64(over)
	}
	if s.Seconds > 0 {
		s.RequestsPerSecond = float64(s.Requests.OK) / s.Seconds
		s.TokensPerSecond = float64(s.Tokens.Output) / s.Seconds
	}
	for name, h := range c.latencies {
		s.Latencies[name] = distribution(h)
	}
	if c.open {
		lag := distribution(c.lag)
		s.Lag = &lag
	}
	for _, f := range slices.Sorted(maps.Keys(c.failures)) {
		s.Failures = append(s.Failures, *c.failures[f])
	}
	slices.SortStableFunc(s.Failures, func(a, b Failure) int { return cmp.Compare(b.Count, a.Count) })
	return s
}
