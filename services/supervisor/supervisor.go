package supervisor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"runtime"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"github.com/fluidmcp/fluidmcp/internal/telemetry"
	"github.com/fluidmcp/fluidmcp/internal/web"
	"github.com/fluidmcp/fluidmcp/services/supervisor/board"
	"github.com/fluidmcp/fluidmcp/services/supervisor/change"
	"github.com/fluidmcp/fluidmcp/services/supervisor/crew"
	"github.com/fluidmcp/fluidmcp/services/supervisor/demand"
	"github.com/fluidmcp/fluidmcp/services/supervisor/drain"
	"github.com/fluidmcp/fluidmcp/services/supervisor/driver/docker"
	"github.com/fluidmcp/fluidmcp/services/supervisor/driver/process"
	"github.com/fluidmcp/fluidmcp/services/supervisor/driver/process/ledger"
	"github.com/fluidmcp/fluidmcp/services/supervisor/gateways"
	"github.com/fluidmcp/fluidmcp/services/supervisor/gpu"
	"github.com/fluidmcp/fluidmcp/services/supervisor/loading"
	"github.com/fluidmcp/fluidmcp/services/supervisor/logs"
	"github.com/fluidmcp/fluidmcp/services/supervisor/modelsfile"
	"github.com/fluidmcp/fluidmcp/services/supervisor/probe"
	"github.com/fluidmcp/fluidmcp/services/supervisor/restart"
	"github.com/fluidmcp/fluidmcp/services/supervisor/rollout"
	"github.com/fluidmcp/fluidmcp/services/supervisor/servers"
	"github.com/fluidmcp/fluidmcp/services/supervisor/spec"
	"github.com/fluidmcp/fluidmcp/services/supervisor/store"
)

// httpGrace is how long answers may take to complete once every model server has ended. All of them are quick.
const httpGrace = 2 * time.Second

// Supervisor runs the models of one file.
type Supervisor struct {
	cfg      Config
	log      *zap.Logger
	registry *prometheus.Registry
	metrics  *metrics
	store    *store.Store
	logs     *logs.Logs
	ledger   *ledger.Ledger  // of the processes of all model servers
	engine   *docker.Session // with the engine of all containers
	client   *http.Client    // for probes
	file     *modelsfile.File
	board    *board.Board
	servers  *servers.Servers
	crew     *crew.Crew
	gateways *gateways.Gateways
	demand   *demand.Demand
	drains   *drain.Drains
	rollouts *rollout.Rollouts
	restarts *restart.Restarts

	ending chan struct{} // closed once every model server has ended and that is on record; watchers leave then
}

// New plans every model and starts nothing. A model that no driver can run is an error, and so is a state folder that another
// supervisor has. From then on the folder belongs to this one, until Run is over.
func New(cfg Config, deps Deps) (*Supervisor, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("supervisor configuration: %w", err)
	}
	plan := deps.Models
	if plan == nil {
		if cfg.Models == "" {
			return nil, errors.New("no models file: set SUPERVISOR_MODELS to its path")
		}
		var err error
		if plan, err = spec.Load(cfg.Models); err != nil {
			return nil, err
		}
	}
	if err := servers.Runnable(plan); err != nil {
		return nil, err
	}
	s := &Supervisor{cfg: cfg, log: deps.Log, board: board.New(), gateways: gateways.New(), crew: crew.New(), client: probe.NewClient(),
		registry: telemetry.NewRegistry(), ending: make(chan struct{})}
	if deps.Log == nil {
		s.log = zap.NewNop()
	}
	if deps.Told == nil {
		deps.Told = func(*spec.File, change.Set, error) {}
	}
	s.engine = docker.Open(cfg.DockerSocket, s.log.Named("docker"))
	var err error // before anything that may have files in the folder
	if s.store, err = store.Open(cfg.StateDir, s.log.Named("store")); err != nil {
		return nil, fmt.Errorf("SUPERVISOR_STATE_DIR: %w", err)
	}
	s.openLogs(plan)
	s.ledger = ledger.Open(s.running(), s.log)
	s.metrics = newMetrics(s.registry, s.board, s.store)
	s.demand = demand.New(s.board, s.gateways, s.metrics.retired)
	s.demand.Regroup(plan.SwapGroups)
	s.drains = &drain.Drains{Board: s.board, Gateways: s.gateways, Timeout: cfg.DrainTimeout}
	gpus := gpu.New(s.log)
	s.servers = &servers.Servers{
		Board: s.board, Demand: s.demand, Drains: s.drains, Store: s.store, Logs: s.logs, Metrics: s.metrics, Log: s.log,
		Commands: deps.Commands, Guard: deps.Guard, Ledger: s.ledger, Engine: s.engine, GPUs: gpus, Client: s.client,
		Slots:        loading.Slots(cmp.Or(cfg.MaxLoading, runtime.GOMAXPROCS(0))),
		StartTimeout: cfg.StartTimeout, StallTimeout: cfg.StallTimeout, ProbeStarting: cfg.ProbeStarting, ProbeReady: cfg.ProbeInterval,
	}
	var models []*board.Model
	for _, from := range plan.Models {
		m := s.servers.First(from)
		s.metrics.begin(m)
		models = append(models, m)
	}
	s.board.Begin(models)
	s.rollouts = rollout.New(s.board.Changed, s.tellRollout)
	s.restarts = &restart.Restarts{Board: s.board, Crew: s.crew, Rollouts: s.rollouts, GPUs: gpus, Servers: s.servers}
	s.file = modelsfile.New(modelsfile.Config{Fleet: applier{s}, Prepare: prepared(deps.Prepare), Remote: cfg.AllowRemoteCommands,
		Refused: s.metrics.refused.Inc, Told: deps.Told, Log: s.log}, plan)
	s.warn(plan)
	return s, nil
}

// running is the file of the processes that run; "" keeps none.
func (s *Supervisor) running() string {
	if s.cfg.StateDir == "" {
		return ""
	}
	return filepath.Join(s.cfg.StateDir, "running.json")
}

// Reload reads the models file again and brings what runs in line with it, also where something else was said over HTTP. A file
// with a fault changes nothing.
func (s *Supervisor) Reload() error {
	_, err := s.file.Load()
	return err
}

// prepared makes of a plan what can be run, or says why it cannot.
func prepared(prepare func(*spec.File) (*spec.File, error)) func(*spec.File) (*spec.File, error) {
	return func(plan *spec.File) (*spec.File, error) {
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
func (s *Supervisor) warn(file *spec.File) {
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

// Run runs the models and answers on ln until ctx ends. Then it drains and ends every model server, those first on which no other
// depends, and returns nil: after the longest drain timeout and process.Grace at most, and nothing is left behind but
// containers, which go on.
func (s *Supervisor) Run(ctx context.Context, ln net.Listener) error {
	defer s.store.Close() // last, when nothing is left that belongs to the next supervisor
	defer s.logs.Close()
	defer s.engine.Close()
	defer s.client.CloseIdleConnections()
	models, endModels := context.WithCancel(ctx)
	defer endModels()
	server, endServer := context.WithCancel(context.WithoutCancel(ctx)) // gateways report what is in flight until the end
	defer endServer()
	writing, endWriting := context.WithCancel(context.WithoutCancel(ctx))
	defer endWriting()
	var g errgroup.Group
	g.Go(func() error {
		defer close(s.ending) // when the last event was told
		s.store.Run(writing)
		return nil
	})
	g.Go(func() error {
		defer endModels() // nobody could steer them
		front := web.Server{Handler: s.handler(), Log: s.log, Drain: httpGrace}
		return front.Serve(server, ln)
	})
	g.Go(func() error {
		s.ledger.Keep(server)
		return nil
	})
	g.Go(func() error {
		if s.cfg.WatchModels && s.crew.Opened(models) {
			s.file.Watch(models)
		}
		return nil
	})
	g.Go(func() error {
		s.demand.Meet(models)
		return nil
	})
	g.Go(func() error {
		defer endServer()
		s.recordStart()
		s.ledger.EndLeft(models, process.GuardGrace)
		s.crew.Work(models, s.board, s.drains.Hurry)
		s.recordEnd()
		endWriting()
		<-s.ending
		return nil
	})
	g.Go(func() error {
		<-models.Done()
		s.rollouts.Close()
		return nil
	})
	return g.Wait()
}
