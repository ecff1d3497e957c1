package routing_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
	"github.com/fluidmcp/fluidmcp/services/gateway/routing"
)

// rig is a model whose backends fail on command, on a clock of its own.
type rig struct {
	*routing.Router
	t *testing.T
}

// scene runs act with a model of n backends that take turns and are all warm.
func scene(t *testing.T, name string, n int, act func(r rig)) {
	t.Run(name, func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			r := rig{apply(t, routed(n, fleet.Routing{Policy: fleet.RoundRobin})), t}
			pass(time.Minute)
			act(r)
		})
	})
}

func pass(d time.Duration) { time.Sleep(d) } // on the clock of synctest

// to sends one request to a backend, however it is.
func (r rig) to(id string) routing.Lease {
	r.t.Helper()
	var others []string
	for _, b := range r.Backends() {
		if b.ID != id {
			others = append(others, b.ID)
		}
	}
	return acquire(r.t, r.Router, others...)
}

func (r rig) report(id string, o routing.Outcome, times int) {
	r.t.Helper()
	for range times {
		l := r.to(id)
		l.Report(o)
		l.Release()
	}
}

// asked counts where n requests go.
func (r rig) asked(n int) map[string]int {
	r.t.Helper()
	count := make(map[string]int)
	for range n {
		l := acquire(r.t, r.Router)
		count[l.Backend.ID]++
		l.Release()
	}
	return count
}

// wantAsked holds that of many requests some go to each of these backends and none to any other.
func (r rig) wantAsked(when string, ids ...string) {
	r.t.Helper()
	count := r.asked(100)
	for _, id := range ids {
		if count[id] == 0 {
			r.t.Errorf("%s: nothing went to %s: %v", when, id, count)
		}
	}
	if len(count) != len(ids) {
		r.t.Errorf("%s: requests went to %v, want %v", when, count, ids)
	}
}

func TestEjection(t *testing.T) {
	const failure, success = routing.Failure, routing.Success
	scene(t, "after five in a row", 3, func(r rig) {
		r.report("b0", failure, 4)
		r.report("b0", success, 1)
		r.report("b0", failure, 4)
		r.wantAsked("four are none", "b0", "b1", "b2")
		r.report("b0", failure, 1)
		r.wantAsked("five", "b1", "b2")
		if b := r.Backends()[0]; !b.Ejected || !b.Up {
			t.Errorf("status %+v", b)
		}
	})
	scene(t, "twice as long each time, to a minute", 3, func(r rig) {
		r.report("b0", failure, 4)
		for _, seconds := range []time.Duration{5, 10, 20, 40, 60, 60} {
			r.report("b0", failure, 1)
			pass(seconds*time.Second - 1)
			r.wantAsked("just before", "b1", "b2")
			pass(1)
			r.wantAsked("after", "b0", "b1", "b2")
		}
		r.report("b0", success, 1)
		r.report("b0", failure, 4)
		r.wantAsked("forgiven", "b0", "b1", "b2")
		r.report("b0", failure, 1)
		pass(5 * time.Second)
		r.wantAsked("as the first time", "b0", "b1", "b2")
	})
	scene(t, "many at once are one ejection", 3, func(r rig) {
		var leases []routing.Lease
		for range 50 {
			leases = append(leases, r.to("b0"))
		}
		for _, l := range leases {
			l.Report(failure)
		}
		pass(5 * time.Second)
		r.wantAsked("after", "b0", "b1", "b2")
	})
	scene(t, "an older request does not bring it back", 3, func(r rig) {
		old := r.to("b0")
		r.report("b0", failure, 5)
		old.Report(success)
		r.wantAsked("still", "b1", "b2")
	})
	scene(t, "a probe does not bring it back", 3, func(r rig) {
		r.report("b0", failure, 5)
		r.SetUp("b0", true, time.Now())
		r.wantAsked("still", "b1", "b2")
	})
	scene(t, "never over half", 4, func(r rig) {
		r.report("b0", failure, 5)
		r.report("b1", failure, 5)
		r.wantAsked("half", "b2", "b3")
		r.report("b2", failure, 5)
		r.wantAsked("over half", "b0", "b1", "b2", "b3")
		r.report("b2", failure, 50) // as it is asked while it is ejected
		r.report("b1", success, 1)
		r.wantAsked("half again", "b1", "b3")
		pass(5 * time.Second)
		r.wantAsked("all are back", "b0", "b1", "b2", "b3")
	})
	scene(t, "the only one is asked anyway", 1, func(r rig) {
		r.report("b0", failure, 20)
		r.wantAsked("ejected", "b0")
	})
}

func TestDown(t *testing.T) {
	scene(t, "no connection", 2, func(r rig) {
		r.report("b0", routing.Unreachable, 1)
		r.wantAsked("down", "b1")
		pass(time.Hour)
		r.wantAsked("until it answers", "b1")
		r.SetUp("b0", true, time.Now())
		r.wantAsked("up", "b0", "b1")
	})
	scene(t, "all", 2, func(r rig) {
		r.SetUp("b0", false, time.Now())
		r.SetUp("b1", false, time.Now())
		r.SetUp("nobody", false, time.Now())
		r.wantAsked("trying is the quickest way to learn more", "b0", "b1")
		r.report("b1", routing.Success, 1)
		r.wantAsked("one answered", "b1")
		if got := r.Backends(); got[0].Up || !got[1].Up {
			t.Errorf("status = %+v", got)
		}
	})
}

// TestFreshStart: what failed before does not count when the supervisor declares a backend ready again, or moves it. Any other
// snapshot, as of a supervisor that was restarted, changes nothing.
func TestFreshStart(t *testing.T) {
	apply := func(r rig, change func(b *fleet.Backend)) {
		t.Helper()
		m := routed(3, fleet.Routing{Policy: fleet.RoundRobin})
		change(&m.Backends[0])
		if err := r.Apply(fleet.Snapshot{Epoch: "another", Models: []fleet.Model{m}}); err != nil {
			t.Error(err)
		}
	}
	scene(t, "ejected and down", 3, func(r rig) {
		old := r.to("b0")
		r.report("b0", routing.Unreachable, 5)
		apply(r, func(b *fleet.Backend) { b.Weight = 7 })
		r.wantAsked("another snapshot", "b1", "b2")
		apply(r, func(b *fleet.Backend) { b.Routable = false })
		apply(r, func(*fleet.Backend) {})
		r.wantAsked("routable again", "b0", "b1", "b2")
		old.Report(routing.Unreachable)
		r.wantAsked("of the one before", "b0", "b1", "b2")
	})
	scene(t, "moved", 3, func(r rig) {
		old := r.to("b0")
		asked := time.Now()
		pass(time.Second)
		r.SetUp("b0", false, time.Now())
		apply(r, func(b *fleet.Backend) { b.URL = "http://elsewhere" })
		r.wantAsked("moved", "b0", "b1", "b2")
		old.Report(routing.Unreachable)
		if r.SetUp("b0", false, asked) {
			r.t.Error("a probe of the old place counts")
		}
		r.wantAsked("of the old place", "b0", "b1", "b2")
	})
}

func TestSlowStart(t *testing.T) {
	// want is the part of 1,000 requests that b0 gets, of two backends, beside one that is warm.
	f := func(name string, want []int, begin func(r rig)) {
		t.Helper()
		scene(t, name, 2, func(r rig) {
			begin(r)
			for i, n := range want {
				if got := r.asked(1000)["b0"]; got < n-2 || got > n+2 {
					t.Errorf("%s: %d s after its return it got %d of 1000 requests, want %d", name, 5*i, got, n)
				}
				pass(5 * time.Second)
			}
		})
	}
	growing := []int{1000 / 11, 1000 / 3, 500, 500} // a tenth, half, all of its share
	f("never away", []int{500, 500}, func(rig) {})
	f("back from an ejection", growing, func(r rig) { r.report("b0", routing.Failure, 5); pass(5 * time.Second) })
	f("up again", growing, func(r rig) { r.SetUp("b0", false, time.Now()); pass(time.Minute); r.SetUp("b0", true, time.Now()) })
	f("up still", []int{500, 500}, func(r rig) { r.SetUp("b0", true, time.Now()) })
	f("new", growing, func(r rig) {
		for _, routable := range []bool{false, true} {
			m := routed(2, fleet.Routing{Policy: fleet.RoundRobin})
			m.Backends[0].Routable = routable
			if err := r.Apply(fleet.Snapshot{Models: []fleet.Model{m}}); err != nil {
				t.Error(err)
			}
		}
	})
	scene(t, "all new", 0, func(r rig) {
		if err := r.Apply(fleet.Snapshot{Models: []fleet.Model{routed(2, fleet.Routing{Policy: fleet.RoundRobin})}}); err != nil {
			t.Error(err)
		}
		if got := r.asked(1000)["b0"]; got != 500 {
			t.Errorf("of two new ones, one got %d of 1000", got)
		}
	})
}

func TestPolledLoad(t *testing.T) {
	// busy tells which of two is taken for the busier one. Their in-flight is set up by begin.
	f := func(name, want string, begin func(r rig)) {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := rig{apply(t, routed(2, fleet.Routing{})), t}
				pass(time.Minute)
				begin(r)
				for range 10 {
					l := acquire(t, r.Router)
					if l.Release(); l.Backend.ID == want {
						t.Fatalf("a request went to %s, the busier one", want)
					}
				}
			})
		})
	}
	poll := func(r rig, id string, l routing.Load) { r.SetLoad(id, l, 6*time.Second) }
	f("requests of others", "b0", func(r rig) { poll(r, "b0", routing.Load{Running: 1}) })
	f("ours are not counted twice", "b1", func(r rig) {
		r.to("b0")
		r.to("b0")
		poll(r, "b0", routing.Load{Running: 2})
		poll(r, "b1", routing.Load{Running: 3})
	})
	f("ours since the poll count", "b0", func(r rig) {
		poll(r, "b0", routing.Load{Running: 3})
		poll(r, "b1", routing.Load{Running: 4})
		r.to("b0")
		r.to("b0")
	})
	f("ours that ended since do not", "b1", func(r rig) {
		l := r.to("b0")
		poll(r, "b0", routing.Load{Running: 2})
		poll(r, "b1", routing.Load{Running: 2})
		l.Release()
	})
	f("one that waits weighs more", "b0", func(r rig) {
		poll(r, "b0", routing.Load{Running: 1, Waiting: 2})
		poll(r, "b1", routing.Load{Running: 4})
	})
	f("a full cache", "b1", func(r rig) {
		poll(r, "b0", routing.Load{Running: 4, KVUse: 0.1})
		poll(r, "b1", routing.Load{Running: 3, KVUse: 0.9})
	})
	f("an old figure is forgotten", "b1", func(r rig) {
		poll(r, "b0", routing.Load{Running: 100})
		if b := r.Backends()[0]; !b.Loaded || b.Load.Running != 100 {
			t.Errorf("status %+v", b)
		}
		pass(6 * time.Second)
		r.to("b1")
		if b := r.Backends()[0]; b.Loaded || b.Load.Running != 0 {
			t.Errorf("status %+v", b)
		}
	})
	f("nobody's", "b1", func(r rig) { poll(r, "nobody", routing.Load{Running: 1}); r.to("b1") })
}
