package supervisor

import (
	"context"
	"flag"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
)

var (
	units  = flag.Int("units", 50, "of the simulated fleet")
	events = flag.Int("events", 1000, "that befall the simulated fleet")
)

// TestSimulation lives through an hour of a large and unlucky fleet on virtual time: units of simulated servers that load for up to
// a minute, crashes, hangs and wishes, and a gateway. What must never happen is looked for at every step.
func TestSimulation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := newSimulation(t)
		ctx, stop := context.WithCancel(t.Context())
		var all sync.WaitGroup
		all.Go(func() { sim.gateway(ctx) })
		living, endUnits := context.WithCancel(ctx)
		var running sync.WaitGroup
		for _, i := range sim.instances() {
			running.Go(func() { i.Runner.Run(living) })
		}
		time.Sleep(5 * time.Minute) // everybody is ready
		if ready := sim.count(fleet.Ready); ready != *units {
			t.Errorf("%d units are ready", ready)
		}
		heap := heapInUse()
		for range *events {
			time.Sleep(time.Hour / time.Duration(*events))
			sim.happen(ctx)
		}
		time.Sleep(25 * time.Minute) // and everything settles
		if n := sim.count(fleet.Ready) + sim.count(fleet.Stopped) + sim.count(fleet.Failed); n != *units {
			t.Errorf("%d units have settled: %s", n, sim.counts())
		}
		t.Logf("%d units and %d events: %s", *units, *events, sim.counts())
		t.Logf("heap %.1f MB with all of them ready; %d goroutines", heap/1e6, runtime.NumGoroutine())
		endUnits()
		running.Wait()
		if n := sim.count(fleet.Stopped); n != *units {
			t.Errorf("after the end %d units are stopped", n)
		}
		stop()
		all.Wait()
		processor, most := used(t)
		t.Logf("%d statuses of units, %d snapshots of the fleet: %v of processor time for an hour and a half, at most %.0f MB resident",
			sim.statuses, sim.snapshots, processor.Round(10*time.Millisecond), most/1e6)
	})
}

func heapInUse() float64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc)
}

// used is the processor time of this process, and the most that it had resident, in bytes.
func used(t *testing.T) (processor time.Duration, most float64) {
	t.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		t.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano()), float64(used.Maxrss) * 1024 // as Linux counts it
}
