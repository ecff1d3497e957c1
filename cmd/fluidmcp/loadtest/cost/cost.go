// Package cost tells what the load tester itself uses, and where the machine would limit it before the server does.
package cost

import (
	"runtime"
	"syscall"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Meter measures from its start until it is stopped.
type Meter struct {
	began         time.Time
	cpu           time.Duration
	stop, stopped chan struct{}
	late          *hdrhistogram.Histogram // microseconds by which each sleep of the watcher was longer than asked
	peak          float64
}

// Use is what the process used between start and stop of a meter.
type Use struct {
	CPU     time.Duration // user and system time of this process
	Share   float64       // of the processors that the process may use, 0 to 1
	Peak    float64       // the same of the busiest second; Share when there was no whole one
	Delayed time.Duration // the 99th percentile of how late a goroutine woke up; a time that is noted can be late by as much
}

// Start begins to measure.
func Start() *Meter {
	m := &Meter{began: time.Now(), cpu: processTime(), stop: make(chan struct{}), stopped: make(chan struct{}),
		late: hdrhistogram.New(1, time.Hour.Microseconds(), 2)}
	go m.watch()
	return m
}

// Stop ends the measurement. It is called once.
func (m *Meter) Stop() Use {
	close(m.stop)
	<-m.stopped
	u := Use{CPU: processTime() - m.cpu}
	u.Share = share(u.CPU, time.Since(m.began))
	u.Peak = max(m.peak, u.Share)
	u.Delayed = time.Duration(m.late.ValueAtPercentile(99)) * time.Microsecond
	return u
}

// nap is long beside what a timer costs, and short beside the latencies that matter.
const nap = 10 * time.Millisecond

// watch sleeps again and again. How late it wakes shows both queues that hold up a goroutine, Go's and the kernel's.
func (m *Meter) watch() {
	defer close(m.stopped)
	timer := time.NewTimer(nap)
	defer timer.Stop()
	second, cpu := m.began, m.cpu
	for asked := time.Now(); ; asked = time.Now() {
		timer.Reset(nap)
		select {
		case <-m.stop:
			return
		case <-timer.C:
			now := time.Now()                                             // what the timer sends is from before the wait for a processor
			_ = m.late.RecordValue((now.Sub(asked) - nap).Microseconds()) // what is beyond an hour is left out
			if elapsed := now.Sub(second); elapsed >= time.Second {
				used := processTime()
				m.peak = max(m.peak, share(used-cpu, elapsed))
				second, cpu = now, used
			}
		}
	}
}

func share(cpu, wall time.Duration) float64 {
	if wall <= 0 {
		return 0
	}
	return cpu.Seconds() / wall.Seconds() / float64(runtime.GOMAXPROCS(0))
}

func processTime() time.Duration {
	var use syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &use) != nil {
		return 0
	}
	return time.Duration(use.Utime.Nano() + use.Stime.Nano())
}

// Files is how many files, and so connections, the process may have open; 0 when that is unknown.
func Files() uint64 {
	var limit syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit) != nil {
		return 0
	}
	return limit.Cur
}
