package servers

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
	"github.com/fluidmcp/fluidmcp/services/supervisor/board"
	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest"
	"github.com/fluidmcp/fluidmcp/services/supervisor/store"
	"github.com/fluidmcp/fluidmcp/services/supervisor/unit"
)

// TestEventsOfStatuses: what an event says of a server follows from its status, and from what was recorded before.
func TestEventsOfStatuses(t *testing.T) {
	f := func(name string, last record, before, now unit.State, want store.Event) {
		t.Helper()
		i := board.NewInstance(&board.Model{ID: "m"}, manifest.Instance{ID: "m-0"})
		want.Model, want.Instance = "m", "m-0"
		require.Equal(t, want, happened(i, last, unit.Status{State: before}, unit.Status{State: now, PID: 7}), name)
	}
	exit := unit.Exit{Code: 137, Signal: "killed", At: time.Now()}
	f("somebody stops it", record{phase: fleet.Ready}, unit.State{}, unit.State{Phase: fleet.Draining, By: "api:key-1", Starts: 1},
		store.Event{From: fleet.Ready, Phase: fleet.Draining, By: "api", Key: "key-1", Attempt: 1, PID: 7})
	f("it ends by itself", record{phase: fleet.Ready}, unit.State{}, unit.State{Phase: fleet.Failed, Reason: unit.Exited, Message: "exit 3", By: "api", LastExit: exit, Starts: 1},
		store.Event{From: fleet.Ready, Phase: fleet.Failed, Reason: "Exited", Message: "exit 3; it stays down until it is started", Attempt: 1, PID: 7,
			Exit: &store.Exit{Code: 137, Signal: "killed"}})
	f("its end is on record already", record{phase: fleet.Backoff}, unit.State{LastExit: exit}, unit.State{Phase: fleet.Pending, LastExit: exit, Starts: 1},
		store.Event{From: fleet.Backoff, Phase: fleet.Pending, Attempt: 1, PID: 7})
	f("it starts again for a cause", record{phase: fleet.Pending, cause: unit.Reconfigured}, unit.State{}, unit.State{Phase: fleet.Starting, Starts: 2},
		store.Event{From: fleet.Pending, Phase: fleet.Starting, Reason: "Reconfigured", Attempt: 2, PID: 7})
	f("the first start has none", record{cause: unit.Reconfigured}, unit.State{}, unit.State{Phase: fleet.Starting, Starts: 1},
		store.Event{Phase: fleet.Starting, Attempt: 1, PID: 7})
	f("it ran before there was this supervisor", record{}, unit.State{}, unit.State{Phase: fleet.Ready, Reason: unit.WasAdopted, Starts: 1},
		store.Event{Phase: fleet.Ready, Reason: "Adopted", Message: takenOver[unit.WasAdopted], Attempt: 1, PID: 7})
	f("how a remote server ended is not known", record{}, unit.State{}, unit.State{Phase: fleet.Unhealthy, By: "api", LastExit: exit, Policy: unit.Policy{Remote: true}},
		store.Event{Phase: fleet.Unhealthy, PID: 7})
}

// TestPolicy: a model's own timeouts count, and an extra server is tried once whatever the model wants.
func TestPolicy(t *testing.T) {
	s := &Servers{StartTimeout: time.Minute, StallTimeout: time.Second}
	m := &manifest.Model{Driver: manifest.Docker, Restart: manifest.Always, Timeouts: manifest.Timeouts{Start: time.Hour}, Demand: manifest.Demand{Start: true, Sleep: true}}
	require.Equal(t, unit.Policy{Restart: true, Outlives: true, OnDemand: true, Sleep: true, StartTimeout: time.Hour, StallTimeout: time.Second}, s.Policy(m, false))
	require.Equal(t, unit.Policy{Outlives: true, StartTimeout: time.Hour, StallTimeout: time.Second}, s.Policy(m, true))
	m.Driver, m.Restart = manifest.External, manifest.Never
	require.Equal(t, unit.Policy{Remote: true, StartTimeout: time.Hour, StallTimeout: time.Second}, s.Policy(m, true))
}

func TestResolve(t *testing.T) {
	commands := map[string][]string{"mockvllm": {"/self", "mockvllm"}}
	require.Equal(t, []string{"/self", "mockvllm", "serve"}, resolve([]string{"mockvllm", "serve"}, commands))
	require.Equal(t, []string{"vllm", "serve"}, resolve([]string{"vllm", "serve"}, commands))
	require.Equal(t, []string{"/self", "mockvllm"}, commands["mockvllm"])
}
