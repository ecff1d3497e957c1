// Package memory says how much memory a program may use to spare processor time.
package memory

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync/atomic"
)

const (
	// late is how far the heap of a small program may grow before it is collected, in percent of what lives in it: a few megabytes
	// for much of what collecting costs.
	late = 400
	// usual is Go's own measure, for a program that is not small.
	usual = 100
	// small is what heap and stacks may take together for the sake of a late collection, in bytes.
	small = 64 << 20
)

// CollectLate lets the garbage collector run late as long as the program stays small by it, unless GOGC in the environment says how
// late. GOMEMLIMIT is obeyed all the same: near it the collector runs as often as it has to. The last call counts.
func CollectLate(env func(string) string) {
	if env("GOGC") != "" {
		inForce.Store(nil)
		return
	}
	debug.SetGCPercent(late)
	var t tuner
	t.percent.Store(late)
	inForce.Store(&t)
	t.arm()
}

// tuner adjusts the percentage after each collection. The runtime has no hook for that but the cleanup of what it has collected.
type tuner struct{ percent atomic.Int64 }

var inForce atomic.Pointer[tuner]

func (t *tuner) arm() {
	runtime.AddCleanup(new(struct{ _ *tuner }), func(t *tuner) {
		if inForce.Load() != t {
			return
		}
		t.adjust()
		t.arm()
	}, t)
}

func (t *tuner) adjust() {
	now := []metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/memory/classes/heap/stacks:bytes"}}
	metrics.Read(now)
	percent := percentFor(now[0].Value.Uint64(), now[1].Value.Uint64())
	if t.percent.Swap(percent) != percent { // it stops the world for a moment
		debug.SetGCPercent(int(percent))
	}
}

// percentFor is the latest collection after which live bytes of heap, and the garbage that is made until then, fit with the stacks
// into small. The collector counts stacks as something that lives.
func percentFor(live, stacks uint64) int64 {
	lives := int64(live + stacks)
	percent := 100 * (small - lives) / max(lives, 1)
	return min(max(percent/10*10, usual), late)
}
