package result

import (
	"math"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// longest is the most that a histogram holds, in microseconds: a day.
const longest = int64(24 * time.Hour / time.Microsecond)

// tally collects one latency. The histogram rounds, so what need not be rounded stands beside it.
type tally struct {
	hist          *hdrhistogram.Histogram // microseconds
	min, max, sum time.Duration
}

// A fine tally tells values apart that differ by a thousandth, a coarse one by a hundredth; the latter is for points of a chart.
func fine() *tally   { return &tally{hist: hdrhistogram.New(1, longest, 3)} }
func coarse() *tally { return &tally{hist: hdrhistogram.New(1, longest, 2)} }

func (t *tally) add(d time.Duration) {
	d = max(0, d)
	if t.hist.TotalCount() == 0 {
		t.min = d
	}
	t.min, t.max, t.sum = min(t.min, d), max(t.max, d), t.sum+d
	_ = t.hist.RecordValue(min(d.Microseconds(), longest)) // within the bounds it takes every value
}

func (t *tally) merge(other *tally) {
	t.min, t.max, t.sum = min(t.min, other.min), max(t.max, other.max), t.sum+other.sum
	t.hist.Merge(other.hist) // drops nothing: both have the same bounds
}

// at is the smallest value that so many percent of the values do not exceed, in milliseconds: of 60 values, the 60th is the p99.
func (t *tally) at(percent float64) float64 {
	n := float64(t.hist.TotalCount())
	if n == 0 {
		return 0
	}
	rank := math.Ceil(percent/100*n - 1e-6)                   // 99.9 percent of 1000 are 999, not the least bit more
	value := t.hist.ValueAtPercentile(100 * (rank - .25) / n) // the library takes the rank nearest to its percentage
	return min(max(float64(value)/1000, milliseconds(t.min)), milliseconds(t.max))
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// Distribution is one latency, in milliseconds.
type Distribution struct {
	Count int64   `json:"count"`
	Mean  float64 `json:"mean"`
	Min   float64 `json:"min"`
	P50   float64 `json:"p50"`
	P75   float64 `json:"p75"`
	P90   float64 `json:"p90"`
	P95   float64 `json:"p95"`
	P99   float64 `json:"p99"`
	P999  float64 `json:"p999"` // 99.9
	Max   float64 `json:"max"`
	Curve []Point `json:"curve"`
}

// Point of a distribution: so many percent of the values are at most Value milliseconds.
type Point struct {
	Percentile float64 `json:"percentile"`
	Value      float64 `json:"ms"`
}

func (t *tally) distribution() Distribution {
	d := Distribution{Count: t.hist.TotalCount(), Min: milliseconds(t.min), P50: t.at(50), P75: t.at(75), P90: t.at(90), P95: t.at(95),
		P99: t.at(99), P999: t.at(99.9), Max: milliseconds(t.max), Curve: []Point{}}
	if d.Count == 0 {
		return d
	}
	d.Mean = milliseconds(t.sum / time.Duration(d.Count))
	for _, b := range t.hist.CumulativeDistributionWithTicks(5) {
		d.Curve = append(d.Curve, Point{b.Quantile, min(float64(b.ValueAt)/1000, d.Max)})
	}
	return d
}
