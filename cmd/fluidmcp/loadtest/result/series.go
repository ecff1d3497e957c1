package result

import (
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// series is a run in at most points intervals of equal width. When it outgrows them, two and two become one.
type series struct {
	start   time.Time
	width   time.Duration
	buckets []*bucket
}

const (
	points    = 120
	narrowest = 250 * time.Millisecond
)

type bucket struct {
	ok, failed int
	tokens     float64
	latencies  map[string]*hdrhistogram.Histogram
}

func newBucket() *bucket { return &bucket{latencies: map[string]*hdrhistogram.Histogram{}} }

// at returns the interval of a time. The start is the earliest one there is.
func (s *series) at(t time.Time) *bucket {
	since := max(0, t.Sub(s.start))
	for int(since/s.width) >= points {
		s.halve()
	}
	for len(s.buckets) <= int(since/s.width) {
		s.buckets = append(s.buckets, newBucket())
	}
	return s.buckets[since/s.width]
}

func (s *series) halve() {
	s.width *= 2
	for i := 0; i < len(s.buckets); i += 2 {
		b := s.buckets[i]
		if i+1 < len(s.buckets) {
			b.merge(s.buckets[i+1])
		}
		s.buckets[i/2] = b
	}
	s.buckets = s.buckets[:(len(s.buckets)+1)/2]
}

func (b *bucket) record(name string, d time.Duration) {
	h := b.latencies[name]
	if h == nil {
		h = coarse()
		b.latencies[name] = h
	}
	record(h, d)
}

func (b *bucket) merge(other *bucket) {
	b.ok, b.failed, b.tokens = b.ok+other.ok, b.failed+other.failed, b.tokens+other.tokens
	for name, h := range other.latencies {
		if mine := b.latencies[name]; mine != nil {
			mine.Merge(h) // drops nothing: both have the same bounds
		} else {
			b.latencies[name] = h
		}
	}
}

// Series is how the run went over time.
type Series struct {
	Interval  float64    `json:"interval_seconds"`
	Intervals []Interval `json:"intervals"`
}

// Interval holds what ended in it: requests at their end, tokens and the gaps between them as they came.
type Interval struct {
	Start             float64          `json:"start_seconds"` // since the first request that is measured
	RequestsPerSecond float64          `json:"requests_per_second"`
	TokensPerSecond   float64          `json:"tokens_per_second"`
	Failed            int              `json:"failed"`
	Latencies         map[string]Brief `json:"latencies"`
}

// Brief is a latency within one interval, in milliseconds.
type Brief struct {
	P50 float64 `json:"p50"`
	P99 float64 `json:"p99"`
}

// intervals leaves out what came before first, which is the warm-up.
func (s *series) intervals(first time.Time) Series {
	all := Series{Interval: s.width.Seconds(), Intervals: []Interval{}}
	lead := first.Sub(s.start)
	for i, b := range s.buckets {
		begin := time.Duration(i)*s.width - lead
		if begin+s.width <= 0 {
			continue
		}
		in := Interval{Start: max(0, begin.Seconds()), Failed: b.failed, Latencies: map[string]Brief{},
			RequestsPerSecond: float64(b.ok) / all.Interval, TokensPerSecond: b.tokens / all.Interval}
		for name, h := range b.latencies {
			in.Latencies[name] = Brief{milliseconds(h.ValueAtPercentile(50)), milliseconds(h.ValueAtPercentile(99))}
		}
		all.Intervals = append(all.Intervals, in)
	}
	return all
}
