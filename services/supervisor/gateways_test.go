package supervisor

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
	"github.com/fluidmcp/fluidmcp/services/supervisor/spec"
	"github.com/fluidmcp/fluidmcp/services/supervisor/unit"
)

// TestSilentGatewayIsForgotten runs on fake time, for which it has to be inside of the package: sockets have none.
func TestSilentGatewayIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGateways()
		busy := fleet.Heartbeat{Epoch: "e", Revision: 7, Inflight: map[string]int{"m-0": 1}}
		g.beat("dead", busy)
		begin := time.Now()
		ended := make(chan time.Duration, 1)
		go func() {
			g.drained(t.Context(), "e", 7, "m-0")
			ended <- time.Since(begin)
		}()
		for range 3 {
			time.Sleep(time.Second)
			g.beat("alive", fleet.Heartbeat{Epoch: "e", Revision: 7})
		}
		if live := g.live(); live != 2 {
			t.Errorf("%d gateways after 3 s", live)
		}
		if took := <-ended; took < gatewayAlive || took > 2*gatewayAlive {
			t.Errorf("a gateway that fell silent was waited for %s", took)
		}
	})
}

func TestDrainedLooksAtEpochRevisionAndBackend(t *testing.T) {
	f := func(hb fleet.Heartbeat, want bool) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			g := newGateways()
			g.beat("g", hb)
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			g.drained(ctx, "e", 7, "m-0")
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
		g := newGateways()
		time.Sleep(time.Second)
		begin := time.Now()
		g.introduced(t.Context())
		if took := time.Since(begin); took != gatewayAlive-time.Second {
			t.Errorf("waited %s", took)
		}
		begin = time.Now()
		g.introduced(t.Context())
		if took := time.Since(begin); took != 0 {
			t.Errorf("then waited %s", took)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		newGateways().introduced(ctx)
	})
}

// TestDrainOfAdoptedServerWaitsForGateways that come to know this supervisor only now, and may carry requests to it.
func TestDrainOfAdoptedServerWaitsForGateways(t *testing.T) {
	f := func(name string, now unit.State, want time.Duration) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			file := spec.File{Models: []spec.Model{{ID: "m", Driver: spec.Docker, Instances: []spec.Instance{{ID: "m-0", Container: "box"}}}}}
			s, err := New(Default(), Deps{Models: &file})
			require.NoError(t, err)
			i := s.board.list()[0].instances[0]
			s.board.update(i, unit.Status{State: now})
			begin := time.Now()
			s.drain(t.Context(), i)
			require.Equal(t, want, time.Since(begin), name)
		})
	}
	f("adopted", unit.State{Phase: fleet.Draining}, gatewayAlive)
	f("started here", unit.State{Phase: fleet.Draining, Launched: time.Now()}, 0)
	f("somebody else's", unit.State{Phase: fleet.Draining, Policy: unit.Policy{Remote: true}}, 0)
}
