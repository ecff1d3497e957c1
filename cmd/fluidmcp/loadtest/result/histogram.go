package result

import (
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// A histogram holds microseconds up to a day.
const longest = int64(24 * time.Hour / time.Microsecond)

// fine tells values apart that differ by a thousandth, coarse by a hundredth; the latter is for points of a chart.
func fine() *hdrhistogram.Histogram   { return hdrhistogram.New(1, longest, 3) }
func coarse() *hdrhistogram.Histogram { return hdrhistogram.New(1, longest, 2) }

func record(h *hdrhistogram.Histogram, d time.Duration) {
	_ = h.RecordValue(min(max(0, d.Microseconds()), longest)) // within the bounds it takes every value
}

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
	P999  float64 `json:"p99_9"`
	Max   float64 `json:"max"`
	Curve []Point `json:"curve"`
}

// Point of a distribution: so many percent of the values are at most Value milliseconds.
type Point struct {
	Percentile float64 `json:"percentile"`
	Value      float64 `json:"ms"`
}

func milliseconds(microseconds int64) float64 { return float64(microseconds) / 1000 }

func distribution(h *hdrhistogram.Histogram) Distribution {
	at := func(percentile float64) float64 { return milliseconds(h.ValueAtPercentile(percentile)) }
	d := Distribution{Count: h.TotalCount(), Mean: h.Mean() / 1000, Min: milliseconds(h.Min()), P50: at(50), P75: at(75),
		P90: at(90), P95: at(95), P99: at(99), P999: at(99.9), Max: milliseconds(h.Max()), Curve: []Point{}}
	for _, b := range h.CumulativeDistributionWithTicks(5) {
		d.Curve = append(d.Curve, Point{b.Quantile, milliseconds(b.ValueAt)})
	}
	return d
}
