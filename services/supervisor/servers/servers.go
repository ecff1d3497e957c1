package servers

import (
	"cmp"
	"context"
	"math/rand/v2"
	"net/http"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/fluidmcp/fluidmcp/services/supervisor/board"
	"github.com/fluidmcp/fluidmcp/services/supervisor/demand"
	"github.com/fluidmcp/fluidmcp/services/supervisor/drain"
	"github.com/fluidmcp/fluidmcp/services/supervisor/driver/docker"
	"github.com/fluidmcp/fluidmcp/services/supervisor/driver/process/ledger"
	"github.com/fluidmcp/fluidmcp/services/supervisor/gpu"
	"github.com/fluidmcp/fluidmcp/services/supervisor/loading"
	"github.com/fluidmcp/fluidmcp/services/supervisor/logs"
	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest"
	"github.com/fluidmcp/fluidmcp/services/supervisor/runner"
	"github.com/fluidmcp/fluidmcp/services/supervisor/store"
	"github.com/fluidmcp/fluidmcp/services/supervisor/unit"
)

// Servers makes servers. All of its fields are needed.
type Servers struct {
	Board   *board.Board
	Demand  *demand.Demand
	Drains  *drain.Drains
	Store   *store.Store
	Logs    *logs.Logs
	Metrics Metrics
	Log     *zap.Logger

	Commands map[string][]string // what to run for a command of the file; others are looked up in PATH
	Guard    []string            // command that calls process.RunGuard with the arguments that follow
	Ledger   *ledger.Ledger      // of the processes of all model servers
	Engine   *docker.Session     // with the engine of all containers
	GPUs     *gpu.GPUs
	Slots    loading.Rule // how many servers may load at a time
	Client   *http.Client // for probes

	StartTimeout  time.Duration // of a model that has none of its own, as StallTimeout
	StallTimeout  time.Duration
	ProbeStarting time.Duration // between two probes of a server that starts
	ProbeReady    time.Duration // between two probes of one that is ready
}

// Metrics counts what befalls servers.
type Metrics interface {
	Restarted(model string, why unit.Reason)  // it is started, and not for the first time
	Failed(model string, why unit.Reason)     // it has failed
	Started(model string, took time.Duration) // it is ready, so long after its start
}

// First makes a model of the first plan. What an earlier supervisor knew of it counts.
func (s *Servers) First(from manifest.Model) *board.Model { return s.model(from, s.before) }

// Model makes a model that comes later.
func (s *Servers) Model(from manifest.Model) *board.Model {
	return s.model(from, func(*board.Model, manifest.Instance) unit.Before { return unit.Before{} })
}

func (s *Servers) model(from manifest.Model, before func(*board.Model, manifest.Instance) unit.Before) *board.Model {
	m := &board.Model{ID: from.ID, Driver: from.Driver, Model: from}
	for _, i := range from.Instances {
		m.Servers = append(m.Servers, s.Make(m, i, before(m, i)))
	}
	return m
}

// Policy is what a model wants of its units. An extra one starts at once whoever asks, and is tried once: its
// rollout says the rest.
func (s *Servers) Policy(m *manifest.Model, extra bool) unit.Policy {
	return unit.Policy{
		Restart: m.Restart != manifest.Never && !extra, Remote: m.Driver == manifest.External, Outlives: m.Driver == manifest.Docker,
		OnDemand: m.Demand.Start && !extra, Sleep: m.Demand.Sleep && !extra,
		Devices:      slices.ContainsFunc(m.Instances, func(i manifest.Instance) bool { return i.GPU != nil }),
		StartTimeout: cmp.Or(m.Timeouts.Start, s.StartTimeout), StallTimeout: cmp.Or(m.Timeouts.Stall, s.StallTimeout),
	}
}

// Make is one server of a model, which runs nothing yet and is on no board.
func (s *Servers) Make(m *board.Model, from manifest.Instance, before unit.Before) *board.Instance {
	i := board.NewInstance(m, from)
	i.Output = s.Logs.Stream(from.ID)
	i.Output.Begin() // one of the same name that is gone may have printed there
	told := s.Listen(i)
	i.Driver = s.driver(i)
	cfg := runner.Config{
		Policy:        s.Policy(&m.Model, from.Extra),
		Before:        before,
		Driver:        driver{s, i},
		Sleep:         func(ctx context.Context) error { target, _ := s.Target(i); return target.Sleep(ctx) },
		Wake:          func(ctx context.Context) error { target, _ := s.Target(i); return target.Wake(ctx) },
		Probe:         func(ctx context.Context, ready bool) error { return s.probe(ctx, i, ready) },
		Drain:         func(ctx context.Context) { s.Drains.Drain(ctx, i) },
		Explain:       func(exit unit.Exit) unit.Finding { return explain(i, exit) },
		Free:          func(ctx context.Context) string { return s.freed(ctx, i) },
		Changed:       told.Changed,
		Launching:     told.Launching,
		Jitter:        rand.Float64,
		ProbeStarting: s.ProbeStarting,
		ProbeReady:    s.ProbeReady,
	}
	if m.Driver != manifest.External {
		cfg.Admit = s.admit(i)
	} else {
		cfg.ProbeStarting = max(probeRemote, s.ProbeStarting)
	}
	i.Runner = runner.New(cfg)
	watchOutput(i)
	return i
}
