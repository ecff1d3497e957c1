package admission_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
	"github.com/fluidmcp/fluidmcp/services/gateway/admission"
)

// TestChaos lets requests arrive, leave and give up while the limits change, and holds after every step that no more are in than
// may be, that nobody waits while there is room, and at the end that nobody is left.
func TestChaos(t *testing.T) {
	for seed := range uint64(40) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) { synctest.Test(t, func(t *testing.T) { chaos(t, seed) }) })
	}
}

func chaos(t *testing.T, seed uint64) {
	random := rand.New(rand.NewPCG(seed, 1))
	gates := admission.NewGates(admission.Defaults{Queue: 8, QueueTimeout: 200 * time.Millisecond, LoadTimeout: time.Hour})
	var limit int
	var coming bool
	setLimit := func() {
		limit, coming = random.IntN(6), random.IntN(4) == 0 // 0 is none
		m := fleet.Model{ID: "m", Phase: fleet.Ready, Limits: fleet.Limits{Inflight: limit, Queue: 1 + random.IntN(20)}}
		if coming {
			m.Phase = fleet.Starting
		}
		gates.Apply([]fleet.Model{m})
	}
	setLimit()
	var all sync.WaitGroup
	var inside, came, through atomic.Int64
	request := func() {
		ctx, cancel := context.WithCancel(t.Context())
		if random.IntN(3) == 0 {
			ctx, cancel = context.WithTimeout(ctx, time.Duration(random.IntN(100))*time.Millisecond)
		}
		ticket := admission.Ticket{Model: "m", Key: string(rune('a' + random.IntN(4))), Priority: random.IntN(3), Hold: random.IntN(2) == 0}
		patience, work := time.Duration(random.IntN(300))*time.Millisecond, time.Duration(random.IntN(50))*time.Millisecond
		came.Add(1)
		all.Go(func() {
			defer time.AfterFunc(patience, cancel).Stop()
			defer cancel()
			slot, err := gates.Enter(ctx, ticket)
			if err != nil {
				return
			}
			inside.Add(1)
			through.Add(1)
			time.Sleep(work)
			inside.Add(-1)
			slot.Leave()
		})
	}
	allowed := 0 // by the limits, or by what was in before they fell
	for range 600 {
		before := int(inside.Load())
		switch n := random.IntN(20); {
		case n < 12:
			request()
		case n == 12:
			setLimit()
		default:
			time.Sleep(time.Duration(random.IntN(10)) * time.Millisecond)
		}
		synctest.Wait()
		load := gates.Loads()["m"]
		if load.Inflight != int(inside.Load()) {
			t.Fatalf("%d slots are taken, %d are in", load.Inflight, inside.Load())
		}
		allowed = min(allowed, before)
		switch {
		case coming:
		case limit == 0:
			allowed = load.Inflight
		default:
			allowed = max(limit, allowed)
		}
		if load.Inflight > allowed {
			t.Fatalf("%d are in, %d may be", load.Inflight, allowed)
		}
		if load.Queued > 0 && !coming && (limit == 0 || load.Inflight < limit) {
			t.Fatalf("%d wait although %d of %d slots are taken", load.Queued, load.Inflight, limit)
		}
	}
	all.Wait() // those that are held give up in the end
	if load := gates.Loads()["m"]; load.Inflight != 0 || load.Queued != 0 || load.LastUsed.IsZero() {
		t.Errorf("left over: %+v", load)
	}
	if through.Load() == 0 || through.Load() == came.Load() {
		t.Errorf("%d of %d went through: nothing was tested", through.Load(), came.Load())
	}
}

// TestRaces does the same with real threads, for what the race detector and lost wake-ups show: it ends, or it hangs.
func TestRaces(t *testing.T) {
	gates := admission.NewGates(admission.Defaults{Queue: 1000, QueueTimeout: time.Minute, LoadTimeout: time.Hour})
	set := func(limit int, phase fleet.Phase) {
		gates.Apply([]fleet.Model{{ID: "m", Phase: phase, Limits: fleet.Limits{Inflight: limit}}})
	}
	set(2, fleet.Ready)
	var all sync.WaitGroup
	for i := range 16 {
		all.Go(func() {
			for n := range 500 {
				ctx, cancel := context.WithCancel(t.Context())
				if n%5 == 0 {
					go cancel()
				}
				slot, err := gates.Enter(ctx, admission.Ticket{Model: "m", Key: string(rune('a' + i%3)), Priority: i % 2, Hold: n%2 == 0})
				if err == nil {
					slot.Leave()
				}
				cancel()
			}
		})
	}
	all.Go(func() {
		for n := range 300 {
			set(n%4, []fleet.Phase{fleet.Ready, fleet.Starting, fleet.Failed}[n%3])
			gates.Loads()
		}
		set(1, fleet.Ready)
	})
	all.Wait()
	if load := gates.Loads()["m"]; load.Inflight != 0 || load.Queued != 0 {
		t.Errorf("left over: %+v", load)
	}
}

// BenchmarkGate: what a gate costs a request that need not wait, beside what the least possible would.
func BenchmarkGate(b *testing.B) {
	for name, limit := range map[string]int{"unlimited": 0, "limited": 1000} {
		gates := admission.NewGates(admission.Defaults{Queue: 10, QueueTimeout: time.Second, LoadTimeout: time.Hour})
		gates.Apply([]fleet.Model{{ID: "m", Limits: fleet.Limits{Inflight: limit}}})
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			ctx := b.Context()
			for b.Loop() {
				slot, err := gates.Enter(ctx, admission.Ticket{Model: "m", Key: "a"})
				if err != nil {
					b.Fatal(err)
				}
				slot.Leave()
			}
		})
	}
	b.Run("atomic counter", func(b *testing.B) {
		var n atomic.Int64
		for b.Loop() {
			n.Add(1)
			n.Add(-1)
		}
	})
}
