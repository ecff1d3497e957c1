package gateways

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
)

// day is a time that no clock here shows: those of gateways may be wrong.
var day = time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC)

// TestIdleness runs on fake time, for which it has to be inside of the package: sockets have none.
func TestIdleness(t *testing.T) {
	f := func(name string, want time.Duration, play func(g *Gateways, beat func(id string, hb fleet.Heartbeat), ready time.Time)) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			g := New()
			ready := time.Now()
			beat := func(id string, hb fleet.Heartbeat) { g.Beat(id, hb) }
			play(g, beat, ready)
			if got := g.Use("m", []string{"m-0", "m-1"}).Idle(ready, time.Now()); got != want {
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
	f("nobody is heard of", 0, func(_ *Gateways, _ beats, _ time.Time) { time.Sleep(time.Hour) })
	f("never asked for", time.Minute, func(_ *Gateways, beat beats, _ time.Time) {
		every(time.Minute, func() { beat("a", fleet.Heartbeat{}) })
	})
	f("asked for before it was known", time.Minute, func(_ *Gateways, beat beats, _ time.Time) {
		every(time.Minute, func() { beat("a", used(1)) })
	})
	f("asked for now and then", 20*time.Second, func(_ *Gateways, beat beats, _ time.Time) {
		for n := range 10 {
			every(20*time.Second, func() { beat("a", used(n)) })
		}
	})
	f("in flight", 0, func(_ *Gateways, beat beats, _ time.Time) {
		every(time.Minute, func() { beat("a", fleet.Heartbeat{Inflight: map[string]int{"m-1": 1}}) })
	})
	f("waited for", 0, func(_ *Gateways, beat beats, _ time.Time) {
		every(time.Minute, func() { beat("a", fleet.Heartbeat{Queued: map[string]int{"m": 1}}) })
	})
	f("at work for another model", time.Minute, func(_ *Gateways, beat beats, _ time.Time) {
		every(time.Minute, func() {
			beat("a", fleet.Heartbeat{Inflight: map[string]int{"other-0": 1}, Queued: map[string]int{"other": 1}, LastUsed: map[string]time.Time{"other": time.Now()}})
		})
	})
	f("one of two gateways has work", 0, func(_ *Gateways, beat beats, _ time.Time) {
		every(time.Minute, func() { beat("a", used(1)); beat("b", fleet.Heartbeat{Inflight: map[string]int{"m-0": 1}}) })
	})
	f("the other one has just had some", 5*time.Second, func(_ *Gateways, beat beats, _ time.Time) {
		every(time.Minute, func() { beat("a", used(1)); beat("b", used(2)) })
		every(5*time.Second, func() { beat("a", used(1)); beat("b", used(3)) })
	})
	f("one fell silent, perhaps with work", 25*time.Second, func(_ *Gateways, beat beats, _ time.Time) {
		beat("b", fleet.Heartbeat{Inflight: map[string]int{"m-0": 1}})
		every(30*time.Second, func() { beat("a", used(1)) })
	})
	f("one has taken leave", 10*time.Second, func(g *Gateways, beat beats, _ time.Time) {
		every(time.Minute, func() { beat("a", used(1)); beat("b", used(1)) })
		g.leave("b")
		every(10*time.Second, func() { beat("a", used(1)) })
	})
	f("ready again since", 0, func(_ *Gateways, beat beats, _ time.Time) { beat("a", used(1)) })
}
