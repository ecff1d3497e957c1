package load

import (
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Percentiles of samples, in µs, exact to three digits.
type Percentiles struct {
	Count int64   `json:"count"`
	P50   float64 `json:"p50"`
	P99   float64 `json:"p99"`
	Max   float64 `json:"max"`
}

// samples takes as much memory for an hour as for a second.
type samples struct{ h *hdrhistogram.Histogram }

func newSamples() *samples {
	return &samples{hdrhistogram.New(100, int64(10*time.Minute), 3)}
}

func (s *samples) add(d time.Duration) {
	_ = s.h.RecordValue(min(max(int64(d), 100), int64(9*time.Minute))) // never out of range
}

func (s *samples) percentiles() Percentiles {
	at := func(p float64) float64 { return float64(s.h.ValueAtPercentile(p)) / 1e3 }
	return Percentiles{Count: s.h.TotalCount(), P50: at(50), P99: at(99), Max: float64(s.h.Max()) / 1e3}
}
