package drain

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
	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest"
	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest/read"
	"github.com/fluidmcp/fluidmcp/services/supervisor/runner"
	"github.com/fluidmcp/fluidmcp/services/supervisor/unit"
)

// TestDrainsOfTheEndShareTheLongest runs on fake time, for which it has to be inside of the package: sockets have none.
func TestDrainsOfTheEndShareTheLongest(t *testing.T) {
	file, err := read.Parse("m.json", []byte(`{"llmModels": {
		"a": {"endpoints": {"base_url": "http://a"}, "timeouts": {"drain": 60}}, "b": {"endpoints": {"base_url": "http://b"}, "timeouts": {"drain": 300}}}}`), nil)
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		s := &Drains{Board: board.New(), Gateways: gateways.New(), Timeout: 2 * time.Minute}
		var servers []*board.Instance
		for _, from := range file.Models {
			servers = append(servers, put(s.Board, from, unit.Policy{Remote: true}))
		}
		a, b := servers[0], servers[1]
		ctx, cancel := context.WithCancel(t.Context())
		var gateway sync.WaitGroup
		defer gateway.Wait()
		defer cancel()
		gateway.Go(func() { // it never lets go
			for ctx.Err() == nil {
				s.Gateways.Beat("g", fleet.Heartbeat{Inflight: map[string]int{"a-0": 1, "b-0": 1}})
				time.Sleep(time.Second)
			}
		})
		synctest.Wait()
		took := func(i *board.Instance) time.Duration {
			begin := time.Now()
			s.Drain(ctx, i)
			return time.Since(begin)
		}
		if d := took(a); d != time.Minute {
			t.Errorf("a drain before the end took %s", d)
		}
		s.Hurry()
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
			s := &Drains{Board: board.New(), Gateways: gateways.New(), Timeout: 2 * time.Minute}
			i := put(s.Board, manifest.Model{ID: "m", Driver: manifest.Docker, Instances: []manifest.Instance{{ID: "m-0", Container: "box"}}}, unit.Policy{Outlives: true})
			s.Board.Update(i, unit.Status{State: now}, nil)
			begin := time.Now()
			s.Drain(t.Context(), i)
			require.Equal(t, want, time.Since(begin), name)
		})
	}
	f("adopted", unit.State{Phase: fleet.Draining}, 5*time.Second)
	f("started here", unit.State{Phase: fleet.Draining, Launched: time.Now()}, 0)
	f("somebody else's", unit.State{Phase: fleet.Draining, Policy: unit.Policy{Remote: true}}, 0)
}

// TestRetiringTakesItsTimeUntilSomebodyAsks: a server that retires, is wanted again and is then restarted by a person drains no longer than
// any other from then on, in a fleet where nothing else happens.
func TestRetiringTakesItsTimeUntilSomebodyAsks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &Drains{Board: board.New(), Gateways: gateways.New(), Timeout: 2 * time.Minute}
		i := put(s.Board, manifest.Model{ID: "m", Instances: []manifest.Instance{{ID: "m-0"}}}, unit.Policy{OnDemand: true})
		now := unit.State{Phase: fleet.Draining, Reason: unit.Restarting, By: "gateway", Launched: time.Now()}
		s.Board.Update(i, unit.Status{State: now}, nil)
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		var others sync.WaitGroup
		defer others.Wait()
		others.Go(func() { // never lets go
			for ctx.Err() == nil {
				s.Gateways.Beat("g", fleet.Heartbeat{Inflight: map[string]int{"m-0": 1}})
				time.Sleep(time.Second)
			}
		})
		others.Go(func() {
			time.Sleep(10 * time.Minute)
			now.By = "api"
			s.Board.Update(i, unit.Status{State: now}, nil)
		})
		synctest.Wait()
		begin := time.Now()
		s.Drain(ctx, i)
		require.Equal(t, 12*time.Minute, time.Since(begin))
		cancel()
	})
}

// put has a model with one server on the board.
func put(b *board.Board, from manifest.Model, policy unit.Policy) *board.Instance {
	m := &board.Model{ID: from.ID, Driver: from.Driver, Model: from}
	i := board.NewInstance(m, from.Instances[0])
	i.Runner = runner.New(runner.Config{Policy: policy})
	m.Servers = []*board.Instance{i}
	b.Put(m)
	return i
}
