package cost

import (
	"math"
	"runtime/metrics"
	"testing"
	"time"
)

func TestUse(t *testing.T) {
	m := Start()
	for m.Use().CPU == 0 { // until the kernel has noticed
		for i := range 1000 {
			_ = math.Sqrt(float64(i))
		}
	}
	if u := m.Use(); u.Share <= 0 || u.Share > 1.5 || u.Delayed < 0 {
		t.Errorf("%+v", u)
	}
	if Files() == 0 {
		t.Error("the limit of open files is not known")
	}
}

func TestPercentile(t *testing.T) {
	buckets := []float64{0, .001, .01, math.Inf(1)}
	h := func(counts ...uint64) *metrics.Float64Histogram {
		return &metrics.Float64Histogram{Buckets: buckets, Counts: counts}
	}
	f := func(want time.Duration, now ...uint64) {
		t.Helper()
		if got := percentile(h(10, 10, 10), h(now...), .99); got != want {
			t.Errorf("%v: %s, want %s", now, got, want)
		}
	}
	f(0, 10, 10, 10)
	f(time.Millisecond, 110, 11, 10)
	f(10*time.Millisecond, 110, 12, 10)
	f(10*time.Millisecond, 10, 10, 11)
}
