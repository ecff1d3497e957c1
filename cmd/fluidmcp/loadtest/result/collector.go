package result

import (
	"cmp"
	"maps"
	"slices"
	"sync"
	"time"

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
	mu         sync.Mutex
	open       bool // requests are scheduled
	latencies  map[string]*tally
	lag        *tally
	failures   map[client.Outcome]*Failure
	requests   Requests
	tokens     Tokens
	chunks     int       // of all streams, failed ones and those of the warm-up included
	sent       int       // with the warm-up
	unreported int       // answers without usage
	unsent     int       // planned requests that there was no time to send
	began      time.Time // the first request that is measured was due
	lastSent   time.Time
	lastDone   time.Time // of those that succeeded: one that hangs until its timeout is no part of the throughput
	lastEnd    time.Time // of all
	series     *series
}

// NewCollector collects a run. In an open loop requests have a schedule.
func NewCollector(open bool) *Collector {
	return &Collector{open: open, latencies: map[string]*tally{}, lag: fine(), failures: map[client.Outcome]*Failure{}, series: &series{width: narrowest}}
}

// Begin tells when the first request that is measured is due. It comes before the first Add of one.
func (c *Collector) Begin(at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.began, c.series.start = at, at
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
	if s.Sent.After(c.lastSent) {
		c.lastSent = s.Sent
	}
	if s.Outcome == client.Cut {
		c.requests.Cut++
		return
	}
	if s.Done.After(c.lastEnd) {
		c.lastEnd = s.Done
	}
	if s.Outcome.Failed() {
		c.fail(s)
		return
	}
	c.succeed(s)
}

// Unsent counts a request that was planned and then not sent, because the run ended while it waited for a place.
func (c *Collector) Unsent() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.unsent++
}

// Lagged notes how much later than possible the client sent a scheduled request.
func (c *Collector) Lagged(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lag.add(d)
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
	if s.Done.After(c.lastDone) {
		c.lastDone = s.Done
	}
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
	if s.OutputTokens > 1 && len(s.Gaps) > 0 { // one that came in one piece has no pace
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
	t := c.latencies[name]
	if t == nil {
		t = fine()
		c.latencies[name] = t
	}
	t.add(d)
	b.record(name, d)
}

// Progress is how far a run is.
type Progress struct {
	Requests
	TTFT, E2E Brief
}

// Progress reads how far the run is.
func (c *Collector) Progress() Progress {
	c.mu.Lock()
	defer c.mu.Unlock()
	brief := func(name string) Brief {
		if t := c.latencies[name]; t != nil {
			return Brief{t.at(50), t.at(99)}
		}
		return Brief{}
	}
	return Progress{c.requests, brief(TTFT), brief(E2E)}
}

// Summary gives the figures of a run that is over.
func (c *Collector) Summary() Summary {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := Summary{Requests: c.requests, Tokens: c.tokens, Latencies: map[string]Distribution{}, Failures: []Failure{},
		Unreported: c.unreported, Sent: c.sent, Chunks: c.chunks, Series: c.series.intervals(c.lastEnd)}
	s.Requests.Unsent = c.unsent
	s.Seconds = max(0, c.lastDone.Sub(c.began).Seconds())
	s.Requests.Sent = s.Requests.OK + s.Requests.Failed + s.Requests.Cut
	if span := c.lastSent.Sub(c.began).Seconds(); span > 0 {
		s.SentPerSecond = float64(s.Requests.Sent-1) / span
	}
	if over := s.Requests.OK + s.Requests.Failed; over > 0 {
		s.ErrorRate = float64(s.Requests.Failed) / float64(over)
	}
	if s.Seconds > 0 {
		s.RequestsPerSecond = float64(s.Requests.OK) / s.Seconds
		s.TokensPerSecond = float64(s.Tokens.Output) / s.Seconds
	}
	for name, t := range c.latencies {
		s.Latencies[name] = t.distribution()
	}
	if c.open {
		lag := c.lag.distribution()
		s.Lag = &lag
	}
	for _, f := range slices.Sorted(maps.Keys(c.failures)) {
		s.Failures = append(s.Failures, *c.failures[f])
	}
	slices.SortStableFunc(s.Failures, func(a, b Failure) int { return cmp.Compare(b.Count, a.Count) })
	return s
}
