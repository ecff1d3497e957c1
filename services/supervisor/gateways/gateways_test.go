package gateways

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
)

// TestSilentGatewayIsForgotten runs on fake time, for which it has to be inside of the package: sockets have none.
func TestSilentGatewayIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := New()
		busy := fleet.Heartbeat{Epoch: "e", Revision: 7, Inflight: map[string]int{"m-0": 1}}
		g.Beat("dead", busy)
		begin := time.Now()
		ended := make(chan time.Duration, 1)
		go func() {
			g.Drained(t.Context(), "e", 7, "m-0")
			ended <- time.Since(begin)
		}()
		for range 3 {
			time.Sleep(time.Second)
			g.Beat("alive", fleet.Heartbeat{Epoch: "e", Revision: 7})
		}
		if live := g.Live(); live != 2 {
			t.Errorf("%d gateways after 3 s", live)
		}
		if took := <-ended; took < alive || took > 2*alive {
			t.Errorf("a gateway that fell silent was waited for %s", took)
		}
	})
}

// TestStarvedSupervisorLooksAgain: whoever could not listen does not know that a gateway was silent.
func TestStarvedSupervisorLooksAgain(t *testing.T) {
	f := func(name string, speaks bool, want int) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			g := New()
			g.Beat("g", fleet.Heartbeat{})
			at := g.beats["g"].at
			g.beats["g"].silent.Stop()
			time.Sleep(alive + time.Second) // this timer comes late
			g.expire("g", at, false)
			if live := g.Live(); live != 1 {
				t.Errorf("%s: %d gateways at once", name, live)
			}
			if speaks {
				g.Beat("g", fleet.Heartbeat{})
			}
			time.Sleep(lookAgain + time.Millisecond)
			if live := g.Live(); live != want {
				t.Errorf("%s: %d gateways then, want %d", name, live, want)
			}
		})
	}
	f("what it said was still to be read", true, 1)
	f("it said nothing", false, 0)
}

func TestDrainedLooksAtEpochRevisionAndBackend(t *testing.T) {
	f := func(hb fleet.Heartbeat, want bool) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			g := New()
			g.Beat("g", hb)
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			g.Drained(ctx, "e", 7, "m-0")
			if got := ctx.Err() == nil; got != want {
				t.Errorf("%+v: drained %t, want %t", hb, got, want)
			}
		})
	}
	f(fleet.Heartbeat{Epoch: "e", Revision: 7}, true)
	f(fleet.Heartbeat{Epoch: "e", Revision: 8, Inflight: map[string]int{"m-1": 5}}, true)
	f(fleet.Heartbeat{Epoch: "e", Revision: 6}, false)
	f(fleet.Heartbeat{Epoch: "old", Revision: 9}, false)
	f(fleet.Heartbeat{Epoch: "e", Revision: 9, Inflight: map[string]int{"m-0": 1}}, false)
}

// TestIntroduced: in its first seconds a supervisor does not know what gateways carry.
func TestIntroduced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := New()
		time.Sleep(time.Second)
		begin := time.Now()
		g.Introduced(t.Context())
		if took := time.Since(begin); took != alive-time.Second {
			t.Errorf("waited %s", took)
		}
		begin = time.Now()
		g.Introduced(t.Context())
		if took := time.Since(begin); took != 0 {
			t.Errorf("then waited %s", took)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		New().Introduced(ctx)
	})
}
