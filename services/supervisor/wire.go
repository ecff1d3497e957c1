package supervisor

import (
	"cmp"
	"errors"
	"os"
	"path/filepath"
	"runtime"

	"go.uber.org/zap"

	"github.com/fluidmcp/fluidmcp/services/supervisor/board"
	"github.com/fluidmcp/fluidmcp/services/supervisor/demand"
	"github.com/fluidmcp/fluidmcp/services/supervisor/drain"
	"github.com/fluidmcp/fluidmcp/services/supervisor/driver/process/ledger"
	"github.com/fluidmcp/fluidmcp/services/supervisor/gpu"
	"github.com/fluidmcp/fluidmcp/services/supervisor/loading"
	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest"
	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest/read"
	"github.com/fluidmcp/fluidmcp/services/supervisor/modelsfile"
	"github.com/fluidmcp/fluidmcp/services/supervisor/reconcile"
	"github.com/fluidmcp/fluidmcp/services/supervisor/restart"
	"github.com/fluidmcp/fluidmcp/services/supervisor/rollout"
	"github.com/fluidmcp/fluidmcp/services/supervisor/servers"
)

// planned is the plan to begin with.
func planned(cfg Config, deps Deps) (*manifest.File, error) {
	plan := deps.Models
	if plan == nil {
		if cfg.Models == "" {
			return nil, errors.New("no models file: set SUPERVISOR_MODELS to its path")
		}
		var err error
		if plan, err = read.Load(cfg.Models, lookup(deps)); err != nil {
			return nil, err
		}
	}
	return plan, servers.Runnable(plan)
}

// lookup finds what ${NAME} in the models file stands for.
func lookup(deps Deps) func(string) (string, bool) {
	if deps.Env == nil {
		return os.LookupEnv
	}
	return deps.Env
}

// wire brings the rooms together. The state folder is this supervisor's already.
func (s *Supervisor) wire(deps Deps, plan *manifest.File) {
	s.openLogs(plan)
	s.ledger = ledger.Open(s.running(), s.log)
	s.metrics = newMetrics(s.registry, s.board, s.store)
	s.demand = demand.New(s.board, s.gateways, s.metrics.retired)
	s.demand.Regroup(plan.SwapGroups)
	s.drains = &drain.Drains{Board: s.board, Gateways: s.gateways, Timeout: s.cfg.DrainTimeout}
	gpus := gpu.New(s.log)
	s.servers = &servers.Servers{
		Board: s.board, Demand: s.demand, Drains: s.drains, Store: s.store, Logs: s.logs, Metrics: s.metrics, Log: s.log,
		Commands: deps.Commands, Guard: deps.Guard, Ledger: s.ledger, Engine: s.engine, GPUs: gpus, Client: s.client,
		Slots:        loading.Slots(cmp.Or(s.cfg.MaxLoading, runtime.GOMAXPROCS(0))),
		StartTimeout: s.cfg.StartTimeout, StallTimeout: s.cfg.StallTimeout, ProbeStarting: s.cfg.ProbeStarting, ProbeReady: s.cfg.ProbeInterval,
	}
	ids := make([]string, len(plan.Models))
	for n, m := range plan.Models {
		ids[n] = m.ID
	}
	s.store.Models.Keep(ids)
	var models []*board.Model
	for _, from := range plan.Models {
		m := s.servers.First(from)
		s.metrics.Begin(m)
		models = append(models, m)
	}
	s.board.Begin(models)
	s.rollouts = rollout.New(s.board.Changed, s.tellRollout)
	s.restarts = &restart.Restarts{Board: s.board, Crew: s.crew, Rollouts: s.rollouts, GPUs: gpus, Servers: s.servers}
	fleet := &reconcile.Reconciler{
		Board: s.board, Crew: s.crew, Servers: s.servers, Demand: s.demand, Rollouts: s.rollouts, Restarts: s.restarts, Models: s.store.Models,
		Metrics: s.metrics, Log: s.log, Coming: func(plan *manifest.File) { s.warn(plan); s.hide(plan) },
	}
	s.file = modelsfile.New(modelsfile.Config{Fleet: fleet, Env: lookup(deps), Prepare: prepared(deps.Prepare), Remote: s.cfg.AllowRemoteCommands,
		Refused: s.metrics.refused.Inc, Told: deps.Told, Log: s.log}, plan)
	fleet.File = s.file
}

// running is the file of the processes that run; "" keeps none.
func (s *Supervisor) running() string {
	if s.cfg.StateDir == "" {
		return ""
	}
	return filepath.Join(s.cfg.StateDir, "running.json")
}

// prepared makes of a plan what can be run, or says why it cannot.
func prepared(prepare func(*manifest.File) (*manifest.File, error)) func(*manifest.File) (*manifest.File, error) {
	return func(plan *manifest.File) (*manifest.File, error) {
		if prepare != nil {
			var err error
			if plan, err = prepare(plan); err != nil {
				return nil, err
			}
		}
		return plan, servers.Runnable(plan)
	}
}

// warn says what works but hardly as meant.
func (s *Supervisor) warn(file *manifest.File) {
	for _, warning := range file.Warnings {
		s.log.Warn(warning)
	}
	if s.cfg.Token != "" {
		return
	}
	for _, m := range file.Models {
		if m.APIKey != "" {
			s.log.Warn("gateways get no api_key from a supervisor without a token: set SUPERVISOR_TOKEN", zap.String("model", m.ID))
		}
	}
}
