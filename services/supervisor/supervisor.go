package supervisor

import (
	"context"
	"fmt"
	"net"
	"net/http"
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
	"github.com/fluidmcp/fluidmcp/services/supervisor/logs"
	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest"
	"github.com/fluidmcp/fluidmcp/services/supervisor/modelsfile"
	"github.com/fluidmcp/fluidmcp/services/supervisor/probe"
	"github.com/fluidmcp/fluidmcp/services/supervisor/restart"
	"github.com/fluidmcp/fluidmcp/services/supervisor/rollout"
	"github.com/fluidmcp/fluidmcp/services/supervisor/servers"
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
	plan, err := planned(cfg, deps)
	if err != nil {
		return nil, err
	}
	s := &Supervisor{cfg: cfg, log: deps.Log, board: board.New(), gateways: gateways.New(), crew: crew.New(), client: probe.NewClient(),
		registry: telemetry.NewRegistry(), ending: make(chan struct{})}
	if deps.Log == nil {
		s.log = zap.NewNop()
	}
	if deps.Told == nil {
		deps.Told = func(*manifest.File, change.Set, error) {}
	}
	s.engine = docker.Open(cfg.DockerSocket, s.log.Named("docker"))
	if s.store, err = store.Open(cfg.StateDir, s.log.Named("store")); err != nil { // before anything that may have files in the folder
		return nil, fmt.Errorf("SUPERVISOR_STATE_DIR: %w", err)
	}
	s.wire(deps, plan)
	s.warn(plan)
	if cfg.Token == "" && !web.OnLoopback(cfg.Addr) {
		s.log.Warn("whoever reaches this address may steer the models and read their logs: set SUPERVISOR_TOKEN, and GATEWAY_SUPERVISOR_TOKEN of the gateways",
			zap.String("addr", cfg.Addr))
	}
	return s, nil
}

// Reload reads the models file again and brings what runs in line with it, also where something else was said over HTTP. A file
// with a fault changes nothing.
func (s *Supervisor) Reload() error {
	_, err := s.file.Load()
	return err
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
		s.rollouts.Close() // what they tell of their own end comes before that of the supervisor
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
