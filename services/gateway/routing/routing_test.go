package routing_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
	"github.com/fluidmcp/fluidmcp/services/gateway/routing"
)

func TestPick(t *testing.T) {
	f := func(turn uint64, want int, candidates ...routing.Candidate) {
		t.Helper()
		if got := routing.Pick(candidates, turn); got != want {
			t.Errorf("Pick(%v, %d) = %d, want %d", candidates, turn, got, want)
		}
	}
	busy := func(n int64) routing.Candidate { return routing.Candidate{Inflight: n} }
	down := routing.Candidate{Down: true}
	f(0, -1)
	f(7, 0, busy(3))
	f(0, 1, busy(2), busy(1), busy(3))
	f(0, 0, busy(1), busy(1))
	f(1, 1, busy(1), busy(1))
	f(5, 2, busy(1), busy(1), busy(1))
	f(0, 1, down, busy(9))
	f(1, 1, down, down)
}

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

func TestResolve(t *testing.T) {
	table := apply(t,
		fleet.Model{ID: "a", Aliases: []string{"one", "b"}, ServedName: "same"},
		fleet.Model{ID: "b", ServedName: "same"},
		fleet.Model{ID: "org/c", Aliases: []string{"one"}, ServedName: "big/c"},
		fleet.Model{ID: "org", ServedName: "a"},
	).Table()
	f := func(name, want string) {
		t.Helper()
		got := ""
		if m, ok := table.Resolve(name); ok {
			got = m.ID
		}
		if got != want {
			t.Errorf("Resolve(%q) = %q, want %q", name, got, want)
		}
	}
	f("a", "a")
	f("b", "b")   // an id beats an alias
	f("one", "a") // the first to claim an alias has it
	f("same", "") // two models serve under this name
	f("big/c", "org/c")
	f("", "")
	f("none", "")

	path := func(path, want, wantRest string) {
		t.Helper()
		got := ""
		m, rest, ok := table.ResolvePath(path)
		if ok {
			got = m.ID
		}
		if got != want || rest != wantRest {
			t.Errorf("ResolvePath(%q) = %q, %q; want %q, %q", path, got, rest, want, wantRest)
		}
	}
	path("a/v1/chat/completions", "a", "v1/chat/completions")
	path("org/c/v1/models", "org/c", "v1/models")
	path("org/completions", "org", "completions")
	path("big/c/x", "org/c", "x")
	path("a", "a", "")
	path("a/", "a", "")
	path("none/a/x", "", "")
	path("", "", "")
	path("/a/x", "", "")
}

func TestAcquire(t *testing.T) {
	r := apply(t, fleet.Model{ID: "m", Aliases: []string{"alias"}, Backends: backends(3, true)})
	seen := map[string]bool{}
	var leases []*routing.Lease
	for range 3 {
		l := r.Acquire("m", nil)
		seen[l.Backend.ID] = true
		leases = append(leases, l)
	}
	if len(seen) != 3 {
		t.Errorf("three requests went to %v", seen)
	}
	leases[1].Release()
	if l := r.Acquire("alias", nil); l.Backend.ID != leases[1].Backend.ID {
		t.Errorf("went to %s, want the idle one, %s", l.Backend.ID, leases[1].Backend.ID)
	}
	if l := r.Acquire("m", []string{"b0", "b2"}); l.Backend.ID != "b1" || l.URL.Host != "h1:1" {
		t.Errorf("went to %s at %s, want the one not tried", l.Backend.ID, l.URL)
	}
	if l := r.Acquire("m", []string{"b0", "b1", "b2"}); l != nil {
		t.Errorf("went to %s, all were tried", l.Backend.ID)
	}
	if r.Acquire("none", nil) != nil || routing.NewRouter().Acquire("m", nil) != nil {
		t.Error("a lease without a model")
	}
}

func TestDownIsAvoided(t *testing.T) {
	r := apply(t, fleet.Model{ID: "m", Backends: backends(2, true)})
	r.Acquire("m", []string{"b1"}).Report(false)
	for range 4 {
		if l := r.Acquire("m", nil); l.Backend.ID != "b1" {
			t.Fatalf("went to %s, which is down", l.Backend.ID)
		}
	}
	r.SetUp("b1", false)
	r.SetUp("nobody", false)
	if l := r.Acquire("m", nil); l == nil || l.Backend.ID != "b0" {
		t.Error("with all down the least loaded has to be tried")
	}
	r.SetUp("b0", true)
	if got := r.Backends(); !got[0].Up || got[1].Up {
		t.Errorf("status = %+v", got)
	}
	// Routable again after not being so: the supervisor has found it ready.
	for _, routable := range []bool{false, true} {
		if err := r.Apply(fleet.Snapshot{Models: []fleet.Model{{ID: "m", Backends: backends(2, routable)}}}); err != nil {
			t.Fatal(err)
		}
	}
	if got := r.Backends(); !got[1].Up {
		t.Errorf("status = %+v", got)
	}
}

func TestInflightOutlivesTheBackend(t *testing.T) {
	r := apply(t, fleet.Model{ID: "m", Backends: backends(1, true)})
	l := r.Acquire("m", nil)
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
	if err == nil || r.Acquire("m", nil) != nil || r.Table() == nil {
		t.Errorf("error %v; the table has to be in force without the backend", err)
	}
}

// TestConcurrent holds the promise of Apply under load: no request starts on a backend that a snapshot took away.
func TestConcurrent(t *testing.T) {
	r := apply(t, fleet.Model{ID: "m", Backends: backends(2, true)})
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 500 {
				if l := r.Acquire("m", nil); l != nil {
					l.Release()
				}
			}
		})
	}
	for i := range 200 {
		if err := r.Apply(fleet.Snapshot{Models: []fleet.Model{{ID: "m", Backends: backends(2, i%2 == 1)}}}); err != nil {
			t.Error(err)
		}
	}
	if err := r.Apply(fleet.Snapshot{}); err != nil {
		t.Error(err)
	}
	if r.Acquire("m", nil) != nil {
		t.Error("a lease after the model was gone")
	}
	all.Wait()
	if _, busy := r.Inflight(); len(busy) != 0 {
		t.Errorf("in flight at the end: %v", busy)
	}
}

// FuzzPick: whatever the candidates are, the pick is one of the best, and with equals everyone has a turn.
func FuzzPick(f *testing.F) {
	f.Add([]byte{1, 2, 3}, uint64(0))
	f.Add([]byte{0x80, 0x81, 5, 5}, uint64(9))
	f.Add([]byte{}, uint64(1)<<63)
	f.Fuzz(func(t *testing.T, loads []byte, turn uint64) {
		var candidates []routing.Candidate
		for _, b := range loads {
			candidates = append(candidates, routing.Candidate{Inflight: int64(b & 0x7f), Down: b&0x80 != 0})
		}
		at := routing.Pick(candidates, turn)
		if len(candidates) == 0 {
			if at != -1 {
				t.Fatalf("picked %d of none", at)
			}
			return
		}
		picked := candidates[at]
		best := map[int]bool{}
		for i, c := range candidates {
			if picked.Down && !c.Down || picked.Down == c.Down && c.Inflight < picked.Inflight {
				t.Fatalf("picked %+v, %+v is better", picked, c)
			}
			if c == picked {
				best[i] = true
			}
		}
		for i := range uint64(len(candidates)) {
			delete(best, routing.Pick(candidates, turn+i))
		}
		if turn < 1<<62 && len(best) > 0 {
			t.Fatalf("%v never have a turn among %v", best, candidates)
		}
	})
}
