package routing_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
	"github.com/fluidmcp/fluidmcp/services/gateway/routing"
)

// BenchmarkAcquire is what every request pays: pick, report, release.
//
//	go test ./services/gateway/routing -run - -bench Acquire -benchmem
func BenchmarkAcquire(b *testing.B) {
	prefix := make([]byte, 1<<10)
	for _, policy := range fleet.Policies {
		for _, n := range []int{1, 3, 64} {
			r := routing.NewRouter()
			if err := r.Apply(fleet.Snapshot{Models: []fleet.Model{routed(n, fleet.Routing{Policy: policy})}}); err != nil {
				b.Fatal(err)
			}
			one := func() {
				l, _ := r.Acquire("m", routing.Request{Prefix: prefix, Random: rand.Uint64()})
				l.Report(routing.Success)
				l.Release()
			}
			b.Run(fmt.Sprintf("%s/%d", policy, n), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					one()
				}
			})
			b.Run(fmt.Sprintf("%s/%d/parallel", policy, n), func(b *testing.B) {
				b.ReportAllocs()
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						one()
					}
				})
			})
		}
	}
}

// TestAcquireTakesNoMemory once it has had as many candidates before.
func TestAcquireTakesNoMemory(t *testing.T) {
	for _, policy := range fleet.Policies {
		r := apply(t, routed(64, fleet.Routing{Policy: policy}))
		if n := testing.AllocsPerRun(100, func() {
			l, _ := r.Acquire("m", routing.Request{Prefix: []byte("p"), Session: "", Random: rand.Uint64()})
			l.Report(routing.Success)
			l.Release()
		}); n != 0 {
			t.Errorf("%s: %v allocations", policy, n)
		}
	}
}
