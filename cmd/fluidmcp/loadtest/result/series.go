package result

import "time"

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
	latencies  map[string]*tally
}

func newBucket() *bucket { return &bucket{latencies: map[string]*tally{}} }

// at returns the interval of a time.
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
	t := b.latencies[name]
	if t == nil {
		t = coarse()
		b.latencies[name] = t
	}
	t.add(d)
}

func (b *bucket) merge(other *bucket) {
	b.ok, b.failed, b.tokens = b.ok+other.ok, b.failed+other.failed, b.tokens+other.tokens
	for name, t := range other.latencies {
		if mine := b.latencies[name]; mine != nil {
			mine.merge(t)
		} else {
			b.latencies[name] = t
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
	Start             float64          `json:"start_seconds"` // since the first request that is measured was due
	Seconds           float64          `json:"seconds"`       // the last one may have more or less than the others
	RequestsPerSecond float64          `json:"requests_per_second"`
	TokensPerSecond   float64          `json:"tokens_per_second"`
	FailedPerSecond   float64          `json:"failed_per_second"`
	Latencies         map[string]Brief `json:"latencies"`
}

// Brief is a latency within one interval, in milliseconds.
type Brief struct {
	P50 float64 `json:"p50"`
	P99 float64 `json:"p99"`
}

// intervals gives the run until its last request had ended. A last interval that has less than half of its width until then is too
// short for a rate and goes to the one before it.
func (s *series) intervals(end time.Time) Series {
	all := Series{Interval: s.width.Seconds(), Intervals: []Interval{}}
	last := len(s.buckets) - 1
	if last > 0 && end.Sub(s.start)-time.Duration(last)*s.width < s.width/2 {
		s.buckets[last-1].merge(s.buckets[last])
		s.buckets, last = s.buckets[:last], last-1
	}
	for i, b := range s.buckets {
		begin, width := time.Duration(i)*s.width, s.width
		if i == last {
			width = max(end.Sub(s.start)-begin, time.Millisecond)
		}
		all.Intervals = append(all.Intervals, b.interval(begin, width))
	}
	return all
}

func (b *bucket) interval(begin, width time.Duration) Interval {
	seconds := width.Seconds()
	in := Interval{Start: begin.Seconds(), Seconds: seconds, RequestsPerSecond: float64(b.ok) / seconds, TokensPerSecond: b.tokens / seconds,
		FailedPerSecond: float64(b.failed) / seconds, Latencies: map[string]Brief{}}
	for name, t := range b.latencies {
		in.Latencies[name] = Brief{t.at(50), t.at(99)}
	}
	return in
}
