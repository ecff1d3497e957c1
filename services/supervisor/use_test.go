package supervisor

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
	"github.com/fluidmcp/fluidmcp/services/supervisor/spec"
	"github.com/fluidmcp/fluidmcp/services/supervisor/unit"
)

// day is a time that no clock here shows: those of gateways may be wrong.
var day = time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC)

// TestIdleness runs on fake time, for which it has to be inside of the package: sockets have none.
func TestIdleness(t *testing.T) {
	f := func(name string, want time.Duration, play func(g *gateways, beat func(id string, hb fleet.Heartbeat), ready time.Time)) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			g := newGateways()
			ready := time.Now()
			beat := func(id string, hb fleet.Heartbeat) { g.beat(id, hb) }
			play(g, beat, ready)
			if got := g.use("m", []string{"m-0", "m-1"}).idle(ready, time.Now()); got != want {
				t.Errorf("%s: idle for %s, want %s", name, got, want)
			}
		})
	}
	used := func(n int) fleet.Heartbeat {
		return fleet.Heartbeat{LastUsed: map[string]time.Time{"m": day.Add(time.Duration(n) * time.Second)}}
	}
	// every says the same each second.
	every := func(d time.Duration, say func()) {
		for end := time.Now().Add(d); time.Now().Before(end); {
			say()
			time.Sleep(time.Second)
		}
	}
	type beats = func(id string, hb fleet.Heartbeat)
	f("nobody is heard of", 0, func(_ *gateways, _ beats, _ time.Time) { time.Sleep(time.Hour) })
	f("never asked for", time.Minute, func(_ *gateways, beat beats, _ time.Time) {
		every(time.Minute, func() { beat("a", fleet.Heartbeat{}) })
	})
	f("asked for before it was known", time.Minute, func(_ *gateways, beat beats, _ time.Time) {
		every(time.Minute, func() { beat("a", used(1)) })
	})
	f("asked for now and then", 20*time.Second, func(_ *gateways, beat beats, _ time.Time) {
		for n := range 10 {
			every(20*time.Second, func() { beat("a", used(n)) })
		}
	})
	f("in flight", 0, func(_ *gateways, beat beats, _ time.Time) {
		every(time.Minute, func() { beat("a", fleet.Heartbeat{Inflight: map[string]int{"m-1": 1}}) })
	})
	f("waited for", 0, func(_ *gateways, beat beats, _ time.Time) {
		every(time.Minute, func() { beat("a", fleet.Heartbeat{Queued: map[string]int{"m": 1}}) })
	})
	f("at work for another model", time.Minute, func(_ *gateways, beat beats, _ time.Time) {
		every(time.Minute, func() {
			beat("a", fleet.Heartbeat{Inflight: map[string]int{"other-0": 1}, Queued: map[string]int{"other": 1}, LastUsed: map[string]time.Time{"other": time.Now()}})
		})
	})
	f("one of two gateways has work", 0, func(_ *gateways, beat beats, _ time.Time) {
		every(time.Minute, func() { beat("a", used(1)); beat("b", fleet.Heartbeat{Inflight: map[string]int{"m-0": 1}}) })
	})
	f("the other one has just had some", 5*time.Second, func(_ *gateways, beat beats, _ time.Time) {
		every(time.Minute, func() { beat("a", used(1)); beat("b", used(2)) })
		every(5*time.Second, func() { beat("a", used(1)); beat("b", used(3)) })
	})
	f("one fell silent, perhaps with work", 25*time.Second, func(_ *gateways, beat beats, _ time.Time) {
		beat("b", fleet.Heartbeat{Inflight: map[string]int{"m-0": 1}})
		every(30*time.Second, func() { beat("a", used(1)) })
	})
	f("one has taken leave", 10*time.Second, func(g *gateways, beat beats, _ time.Time) {
		every(time.Minute, func() { beat("a", used(1)); beat("b", used(1)) })
		g.leave("b")
		every(10*time.Second, func() { beat("a", used(1)) })
	})
	f("ready again since", 0, func(_ *gateways, beat beats, _ time.Time) { beat("a", used(1)) })
}

// TestDemands: what a model is told follows from its phase and from what gateways say.
func TestDemands(t *testing.T) {
	now := time.Now()
	ago := func(d time.Duration) time.Time { return now.Add(-d) }
	m := &model{Model: spec.Model{Demand: spec.Demand{Start: true, IdleTimeout: time.Minute}}}
	quiet, asked := use{heard: true, last: ago(time.Hour)}, use{heard: true, queued: 2, busy: true}
	f := func(name string, phase fleet.Phase, by string, u use, want unit.Event) {
		t.Helper()
		now := now
		first := unit.Status{State: unit.State{Desired: unit.OnDemand, Phase: phase, By: by, Since: ago(time.Minute), ReadyAt: ago(time.Minute)}}
		e, ok := m.demand(first, u, now)
		if ok != (want.Reason != "" || want.By != "") || ok && (e.Kind != want.Kind || e.Reason != want.Reason || e.By != want.By) {
			t.Errorf("%s: told %+v (%t), want %+v", name, e, ok, want)
		}
	}
	nothing, wanted := unit.Event{}, unit.Event{Kind: unit.Wanted, By: byRequest}
	retire := func(why unit.Reason) unit.Event { return unit.Event{Kind: unit.Retire, Reason: why, By: byRule} }
	f("rests", fleet.Stopped, "", quiet, nothing)
	f("is wanted", fleet.Stopped, "", asked, wanted)
	f("is wanted while it leaves", fleet.Draining, "", asked, wanted)
	f("is wanted while it is ended", fleet.Stopping, "", asked, wanted)
	f("comes already", fleet.Starting, "", asked, nothing)
	f("will be tried again", fleet.Backoff, "", asked, nothing)
	f("has failed", fleet.Failed, "", asked, nothing)
	f("is at work", fleet.Ready, byRequest, asked, nothing)
	f("is idle", fleet.Ready, byRequest, quiet, retire(unit.Idle))
	f("was asked for half a minute ago", fleet.Ready, byRequest, use{heard: true, last: ago(30 * time.Second)}, nothing)
	f("nobody knows", fleet.Ready, byRequest, use{last: ago(time.Hour)}, nothing)
	f("is needed", fleet.Stopped, "", use{heard: true, needed: true, busy: true}, unit.Event{Kind: unit.Wanted, By: byRule})
	f("is needed by one that runs", fleet.Ready, byRule, use{heard: true, needed: true, busy: true}, nothing)
	f("waits for its turn", fleet.Pending, byRequest, asked, nothing)
	f("waits for nobody", fleet.Pending, byRequest, quiet, retire(unit.ByDemand))
	f("waits because a person wants it", fleet.Pending, "api", quiet, nothing)
	m.Demand.IdleTimeout = 0
	f("stays", fleet.Ready, byRequest, quiet, nothing)
}
