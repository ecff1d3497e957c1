package supervisor

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
	"github.com/fluidmcp/fluidmcp/services/supervisor/board"
	"github.com/fluidmcp/fluidmcp/services/supervisor/gateways"
	"github.com/fluidmcp/fluidmcp/services/supervisor/spec"
	"github.com/fluidmcp/fluidmcp/services/supervisor/unit"
)

// TestDrainsOfTheEndShareTheLongest runs on fake time, for which it has to be inside of the package: sockets have none.
func TestDrainsOfTheEndShareTheLongest(t *testing.T) {
	file, err := spec.Parse("m.json", []byte(`{"llmModels": {
		"a": {"endpoints": {"base_url": "http://a"}, "timeouts": {"drain": 60}}, "b": {"endpoints": {"base_url": "http://b"}, "timeouts": {"drain": 300}}}}`), nil)
	if err != nil {
		t.Fatal(err)
	}
	s, err := New(Default(), Deps{Models: file})
	if err != nil {
		t.Fatal(err)
	}
	a, b := s.board.Find("a").Servers[0], s.board.Find("b").Servers[0]
	synctest.Test(t, func(t *testing.T) {
		s.gateways = gateways.New() // of this bubble
		ctx, cancel := context.WithCancel(t.Context())
		var gateway sync.WaitGroup
		defer gateway.Wait()
		defer cancel()
		gateway.Go(func() { // it never lets go
			for ctx.Err() == nil {
				s.gateways.Beat("g", fleet.Heartbeat{Inflight: map[string]int{"a-0": 1, "b-0": 1}})
				time.Sleep(time.Second)
			}
		})
		synctest.Wait()
		took := func(i *board.Instance) time.Duration {
			begin := time.Now()
			s.drain(ctx, i)
			return time.Since(begin)
		}
		if d := took(a); d != time.Minute {
			t.Errorf("a drain before the end took %s", d)
		}
		s.hurry()
		if d := took(a); d != time.Minute {
			t.Errorf("the first drain of the end took %s", d)
		}
		if d := took(b); d != 4*time.Minute {
			t.Errorf("the next one, of five minutes, took %s", d)
		}
		if d := took(a); d != 0 {
			t.Errorf("the last one took %s", d)
		}
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
			i := s.board.List()[0].Servers[0]
			s.board.Update(i, unit.Status{State: now})
			begin := time.Now()
			s.drain(t.Context(), i)
			require.Equal(t, want, time.Since(begin), name)
		})
	}
	f("adopted", unit.State{Phase: fleet.Draining}, 5*time.Second)
	f("started here", unit.State{Phase: fleet.Draining, Launched: time.Now()}, 0)
	f("somebody else's", unit.State{Phase: fleet.Draining, Policy: unit.Policy{Remote: true}}, 0)
}
