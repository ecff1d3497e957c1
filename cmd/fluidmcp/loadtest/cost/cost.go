// Package cost tells what the load tester itself uses, and where the machine would limit it before the server does.
package cost

import (
	"math"
	"runtime"
	"runtime/metrics"
	"syscall"
	"time"
)

// Meter measures from its start on.
type Meter struct {
	began   time.Time
	cpu     time.Duration
	waiting *metrics.Float64Histogram
}

// Use is what the process used since the start of a meter.
type Use struct {
	CPU     time.Duration // user and system time of this process
	Share   float64       // of the processors that the process may use, 0 to 1
	Delayed time.Duration // the 99th percentile of how long a goroutine that could run waited for a processor
}

// Start begins to measure.
func Start() *Meter { return &Meter{time.Now(), processTime(), delays()} }

// Use reads the meter.
func (m *Meter) Use() Use {
	u := Use{CPU: processTime() - m.cpu}
	if wall := time.Since(m.began); wall > 0 {
		u.Share = u.CPU.Seconds() / wall.Seconds() / float64(runtime.GOMAXPROCS(0))
	}
	u.Delayed = percentile(m.waiting, delays(), .99)
	return u
}

func processTime() time.Duration {
	var use syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &use) != nil {
		return 0
	}
	return time.Duration(use.Utime.Nano() + use.Stime.Nano())
}

// delays is Go's own record of how long goroutines waited to run: a timestamp can be late by as much.
func delays() *metrics.Float64Histogram {
	sample := []metrics.Sample{{Name: "/sched/latencies:seconds"}}
	metrics.Read(sample)
	if sample[0].Value.Kind() != metrics.KindFloat64Histogram {
		return &metrics.Float64Histogram{}
	}
	return sample[0].Value.Float64Histogram()
}

// percentile is the upper end of the bucket in which the share q of what was counted between two readings is reached.
func percentile(before, now *metrics.Float64Histogram, q float64) time.Duration {
	var total uint64
	for i, n := range now.Counts {
		total += n - before.Counts[i]
	}
	var seen uint64
	for i, n := range now.Counts {
		seen += n - before.Counts[i]
		if total > 0 && float64(seen) >= q*float64(total) {
			if upper := now.Buckets[i+1]; !math.IsInf(upper, 1) {
				return time.Duration(upper * float64(time.Second))
			}
			return time.Duration(now.Buckets[i] * float64(time.Second))
		}
	}
	return 0
}

// Files is how many files, and so connections, the process may have open; 0 when that is unknown.
func Files() uint64 {
	var limit syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit) != nil {
		return 0
	}
	return limit.Cur
}
