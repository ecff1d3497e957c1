package routing_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
	"github.com/fluidmcp/fluidmcp/services/gateway/routing"
)

func backends(n int, routable bool) []fleet.Backend {
	var list []fleet.Backend
	for i := range n {
		list = append(list, fleet.Backend{ID: fmt.Sprint("b", i), URL: fmt.Sprintf("http://h%d:1", i), Routable: routable, Weight: 1})
	}
	return list
}

func apply(t *testing.T, models ...fleet.Model) *routing.Router {
	t.Helper()
	r := routing.NewRouter()
	if err := r.Apply(fleet.Snapshot{Epoch: "e", Revision: 1, Models: models}); err != nil {
		t.Fatal(err)
	}
	return r
}

// routed is the model m with n backends.
func routed(n int, r fleet.Routing) fleet.Model {
	return fleet.Model{ID: "m", Backends: backends(n, true), Routing: r}
}

// acquire sends a request without more than chance to go by. The test ends when there is no backend.
func acquire(t *testing.T, r *routing.Router, tried ...string) routing.Lease {
	t.Helper()
	l, ok := r.Acquire("m", routing.Request{Tried: tried, Random: rand.Uint64()})
	if !ok {
		t.Fatal("there is no backend")
	}
	return l
}

func TestAcquire(t *testing.T) {
	m := routed(3, fleet.Routing{Policy: fleet.RoundRobin})
	m.Aliases = []string{"alias"}
	r := apply(t, m)
	var got []string
	for _, tried := range [][]string{nil, nil, {"b0"}, {"b0", "b1"}, nil, nil} { // retries take nobody's turn
		got = append(got, acquire(t, r, tried...).Backend.ID)
	}
	if want := []string{"b0", "b1", "b2", "b2", "b2", "b0"}; !slices.Equal(got, want) {
		t.Errorf("requests went to %v, want %v", got, want)
	}
	if l, ok := r.Acquire("alias", routing.Request{Tried: []string{"b0", "b2"}}); !ok || l.Backend.ID != "b1" || l.URL.Host != "h1:1" {
		t.Errorf("went to %s at %s, want the one not tried", l.Backend.ID, l.URL)
	}
	if l, ok := r.Acquire("m", routing.Request{Tried: []string{"b0", "b1", "b2"}}); ok {
		t.Errorf("went to %s, all were tried", l.Backend.ID)
	}
	if _, ok := r.Acquire("none", routing.Request{}); ok {
		t.Error("a lease without a model")
	}
	if _, ok := routing.NewRouter().Acquire("m", routing.Request{}); ok {
		t.Error("a lease without a table")
	}
}

func TestPoliciesByRequest(t *testing.T) {
	f := func(policy fleet.Policy, stays bool, make func(i uint64) routing.Request) {
		t.Helper()
		r := apply(t, routed(8, fleet.Routing{Policy: policy}))
		seen := map[string]bool{}
		for i := range uint64(40) {
			req := make(i)
			req.Random = rand.Uint64()
			l, ok := r.Acquire("m", req)
			if !ok {
				t.Fatal("there is no backend")
			}
			seen[l.Backend.ID] = true
			l.Release()
		}
		if stays != (len(seen) == 1) {
			t.Errorf("%s: requests went to %v", policy, seen)
		}
	}
	f("", false, func(uint64) routing.Request { return routing.Request{Prefix: []byte("p")} })
	f(fleet.LeastLoad, true, func(uint64) routing.Request { return routing.Request{Session: "s"} })
	f(fleet.LeastLoad, false, func(i uint64) routing.Request { return routing.Request{Session: fmt.Sprint(i)} })
	f(fleet.PrefixAffinity, true, func(uint64) routing.Request { return routing.Request{Prefix: []byte("p")} })
	f(fleet.PrefixAffinity, false, func(i uint64) routing.Request { return routing.Request{Prefix: []byte{byte(i)}} })
	f(fleet.PrefixAffinity, true, func(i uint64) routing.Request { return routing.Request{Session: "s", Prefix: []byte{byte(i)}} })
	f(fleet.RoundRobin, false, func(uint64) routing.Request { return routing.Request{Prefix: []byte("p")} })
}

func TestWeights(t *testing.T) {
	m := routed(2, fleet.Routing{Policy: fleet.Weighted})
	m.Backends[1].Weight = 4
	m.Backends[0].Weight = 0 // "at least 1"
	r := apply(t, m)
	count := map[string]int{}
	for range 50 {
		count[acquire(t, r).Backend.ID]++
	}
	if diff := cmp.Diff(map[string]int{"b0": 10, "b1": 40}, count); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestNeeds(t *testing.T) {
	f := func(n int, policy fleet.Policy, load, prefix bool) {
		t.Helper()
		r := apply(t, routed(n, fleet.Routing{Policy: policy}))
		m, _ := r.Table().Resolve("m")
		if m.NeedsLoad() != load || m.NeedsPrefix() != prefix || r.Backends()[0].NeedsLoad != load {
			t.Errorf("%d backends, %q: load %v, prefix %v", n, policy, m.NeedsLoad(), m.NeedsPrefix())
		}
	}
	f(1, "", false, false)
	f(2, "", true, false)
	f(2, fleet.LeastLoad, true, false)
	f(1, fleet.PrefixAffinity, false, false)
	f(2, fleet.PrefixAffinity, true, true)
	f(2, fleet.RoundRobin, false, false)
	f(2, fleet.Weighted, false, false)
}

func TestInflightOutlivesTheBackend(t *testing.T) {
	r := apply(t, fleet.Model{ID: "m", Backends: backends(1, true)})
	l := acquire(t, r)
	if err := r.Apply(fleet.Snapshot{Epoch: "e", Revision: 2}); err != nil {
		t.Fatal(err)
	}
	table, busy := r.Inflight()
	if diff := cmp.Diff(map[string]int{"b0": 1}, busy); table.Revision != 2 || diff != "" {
		t.Errorf("revision %d (-want +got):\n%s", table.Revision, diff)
	}
	l.Release()
	select {
	case <-r.Idle():
	default:
		t.Error("nobody is told that the last request left")
	}
	if _, busy := r.Inflight(); len(busy) != 0 {
		t.Errorf("in flight: %v", busy)
	}
}

func TestBadURL(t *testing.T) {
	r := routing.NewRouter()
	err := r.Apply(fleet.Snapshot{Models: []fleet.Model{{ID: "m", Backends: []fleet.Backend{{ID: "x", URL: "::", Routable: true}}}}})
	if _, ok := r.Acquire("m", routing.Request{}); err == nil || ok || r.Table() == nil {
		t.Errorf("error %v; the table has to be in force without the backend", err)
	}
}

// TestConcurrent holds the promise of Apply under load: no request starts on a backend that a snapshot took away.
func TestConcurrent(t *testing.T) {
	r := apply(t, routed(2, fleet.Routing{}))
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for range 500 {
				if l, ok := r.Acquire("m", routing.Request{Session: []string{"", "s"}[i%2], Random: rand.Uint64()}); ok {
					l.Report(routing.Outcome(rand.IntN(3)))
					l.Release()
				}
				r.SetLoad("b0", routing.Load{Running: 3}, 1)
				r.SetUp("b1", true, time.Now())
				r.Backends()
			}
		})
	}
	for i := range 200 {
		m := fleet.Model{ID: "m", Backends: backends(2, i%2 == 1), Routing: fleet.Routing{Policy: fleet.Policies[i%4]}}
		if err := r.Apply(fleet.Snapshot{Models: []fleet.Model{m}}); err != nil {
			t.Error(err)
		}
	}
	if err := r.Apply(fleet.Snapshot{}); err != nil {
		t.Error(err)
	}
	if _, ok := r.Acquire("m", routing.Request{}); ok {
		t.Error("a lease after the model was gone")
	}
	all.Wait()
	if _, busy := r.Inflight(); len(busy) != 0 {
		t.Errorf("in flight at the end: %v", busy)
	}
}
