package result

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fluidmcp/fluidmcp/cmd/fluidmcp/loadtest/client"
)

var t0 = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func at(ms int) time.Time { return t0.Add(time.Duration(ms) * time.Millisecond) }

// answer is a stream of three tokens that was scheduled, sent and so on at these milliseconds.
func answer(scheduled, sent, first, gap int) *client.Sample {
	d := time.Duration(gap) * time.Millisecond
	return &client.Sample{Outcome: client.OK, Scheduled: at(scheduled), Sent: at(sent), First: at(first), Last: at(first + 2*gap),
		Done: at(first + 2*gap + 1), Gaps: []time.Duration{d, d}, PromptTokens: 5, OutputTokens: 3, Reported: true, Chunks: 5}
}

func TestSummary(t *testing.T) {
	c := NewCollector(true)
	c.Begin(at(1000))
	c.Add(answer(0, 0, 5000, 900), true) // warm-up
	c.Add(answer(1000, 1050, 1200, 10), false)
	c.Add(answer(1100, 1110, 1300, 20), false)
	c.Add(&client.Sample{Outcome: "http_503", Detail: "full", Scheduled: at(1200), Sent: at(1200), Done: at(3000)}, false)
	c.Add(&client.Sample{Outcome: "http_503", Detail: "still", Scheduled: at(1200), Sent: at(1200), Done: at(1300)}, false)
	c.Add(&client.Sample{Outcome: client.Timeout, Detail: "late", Scheduled: at(1200), Sent: at(1200), Done: at(1300)}, false)
	c.Add(&client.Sample{Outcome: client.Cut, Scheduled: at(1200), Sent: at(1200), Done: at(9000)}, false)
	c.Unsent()
	c.Lagged(3 * time.Millisecond)
	s := c.Summary()
	type figures struct {
		Requests                      Requests
		Tokens                        Tokens
		Failures                      []Failure
		Seconds, Rate, Tokens1, Wrong float64
		Sent, Chunks                  int
	}
	// The failure that took until 3000 is no part of the throughput: the last answer came at 1341.
	seconds := .341
	want := figures{Requests{Sent: 6, OK: 2, Failed: 3, Cut: 1, Unsent: 1, Warmup: 1}, Tokens{10, 6}, []Failure{{"http_503", 2, "full"}, {"timeout", 1, "late"}},
		seconds, 2 / seconds, 6 / seconds, .6, 7, 15}
	got := figures{s.Requests, s.Tokens, s.Failures, s.Seconds, s.RequestsPerSecond, s.TokensPerSecond, s.ErrorRate, s.Sent, s.Chunks}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if want := 5 / .2; s.SentPerSecond != want { // six from 1000 to 1200
		t.Errorf("%g sent per second, want %g", s.SentPerSecond, want)
	}
	f := func(name string, count int64, least, most float64) {
		t.Helper()
		d := s.Latencies[name]
		if d.Count != count || d.Min != least || d.Max != most || d.P50 > d.P99 {
			t.Errorf("%s: %+v, want %d from %g to %g", name, d, count, least, most)
		}
	}
	f(TTFT, 2, 150, 190)
	f(TTFTScheduled, 2, 200, 200)
	f(ITL, 4, 10, 20)
	f(TPOT, 2, 10, 20)
	f(E2E, 2, 171, 231)
	f(E2EScheduled, 2, 221, 241)
	if s.Lag == nil || s.Lag.Count != 1 {
		t.Errorf("lag %+v", s.Lag)
	}
}

func TestNothingMeasured(t *testing.T) {
	s := NewCollector(false).Summary()
	if s.Seconds != 0 || s.RequestsPerSecond != 0 || s.ErrorRate != 0 || len(s.Latencies) != 0 || s.Lag != nil || len(s.Series.Intervals) != 0 {
		t.Errorf("%+v", s)
	}
}

// However long the run, the series has all of it in a bounded number of intervals.
func TestSeries(t *testing.T) {
	for _, hours := range []int{0, 1, 30} {
		c := NewCollector(false)
		c.Begin(at(2000))
		n := 20 + 500*hours
		for i := range n {
			begin := 2000 + i*hours*3_600_000/n
			c.Add(answer(begin, begin, begin+100, 50), false)
		}
		s := c.Summary()
		ok, tokens := 0.0, 0.0
		for _, in := range s.Series.Intervals {
			ok += in.RequestsPerSecond * in.Seconds
			tokens += in.TokensPerSecond * in.Seconds
		}
		if math.Round(ok) != float64(n) || math.Round(tokens) != float64(3*n) {
			t.Errorf("%d h: %g requests and %g tokens of %d and %d", hours, ok, tokens, n, 3*n)
		}
		if got := len(s.Series.Intervals); got == 0 || got > points || s.Series.Intervals[0].Start != 0 {
			t.Errorf("%d h: %d intervals from %g on", hours, got, s.Series.Intervals[0].Start)
		}
	}
}

func TestAnswersWithoutUsageOrTokens(t *testing.T) {
	c := NewCollector(false)
	c.Add(&client.Sample{Outcome: client.OK, Scheduled: t0, Sent: t0, Done: at(100), OutputTokens: 4, Reported: true}, false) // plain
	c.Add(&client.Sample{Outcome: client.OK, Scheduled: t0, Sent: t0, Done: at(100)}, false)                                  // empty stream
	one := answer(0, 0, 50, 0)
	one.Gaps, one.OutputTokens = nil, 1
	c.Add(one, false)
	s := c.Summary()
	if s.Latencies[E2E].Count != 3 || s.Latencies[TTFT].Count != 1 || s.Latencies[TPOT].Count != 0 || s.Unreported != 1 || s.Tokens.Output != 5 {
		t.Errorf("%+v", s)
	}
}

// A percentile is the value of a request: the first one that as many percent of all do not exceed. So one slow request of 60 is their
// p99, as it has to be for a condition on it.
func TestPercentiles(t *testing.T) {
	f := func(n int, percent float64, want float64) {
		t.Helper()
		tally := fine()
		for range n - 1 {
			tally.add(time.Millisecond)
		}
		tally.add(10*time.Second + 123*time.Microsecond)
		if got := tally.at(percent); math.Abs(got-want) > want/1000 {
			t.Errorf("p%g of %d: %g, want %g", percent, n, got, want)
		}
		if d := tally.distribution(); d.Max != 10000.123 || d.P999 > d.Max {
			t.Errorf("%d: %+v", n, d)
		}
	}
	const fast, slow = 1, 10000.123
	f(1, 50, slow)
	f(60, 99, slow)
	f(99, 99, slow)
	f(100, 99, fast)
	f(101, 99, fast)
	f(501, 99.9, slow)
	f(1000, 99.9, fast)
	f(2, 50, fast)
	f(100_000, 99.9, fast)
}

// What was measured ends with the last answer, within an interval. It is no dip in the chart.
func TestSeriesEndsWithoutADip(t *testing.T) {
	for _, ms := range []int{1000, 1100, 1240} {
		c := NewCollector(false)
		c.Begin(t0)
		for i := range ms {
			c.Add(answer(i, i, i, 0), false) // one ends each millisecond
		}
		for _, in := range c.Summary().Series.Intervals {
			if in.RequestsPerSecond < 980 || in.RequestsPerSecond > 1020 {
				t.Errorf("%d ms: %+v", ms, in)
			}
		}
	}
}
