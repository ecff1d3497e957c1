package mockvllm

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/answers"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/apidocs"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/config"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/console"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/control"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/devmode"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/engine"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/engine/clock"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/faults"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/journal"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/latency"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/life"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/metrics"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/models"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/operations"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/pooling/handlers"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol/request"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/scaleout"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/statlog"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/stored"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/uvicorn"
)

// Config is what a server is told.
type Config = config.Config

// Default is vLLM's own defaults.
func Default() Config { return config.Default() }

// Deps are what the programmer chooses.
type Deps struct {
	Console io.Writer // takes vLLM's log lines; nil is nowhere
}

// Server is one model server.
type Server struct {
	cfg     Config
	console *console.Console
	clock   clock.Clock
	metrics *metrics.Metrics
	stats   *statlog.Logger // nil: --disable-log-stats
	journal *journal.Journal
	life    *life.Life
	engine  *engine.Engine
	model   *request.Model
	models  *models.Models

	// Handlers of routes.
	answers    *answers.Answers
	responses  *stored.Responses
	scaleOut   *scaleout.ScaleOut
	pooling    *handlers.Handlers
	operations *operations.Operations
	dev        *devmode.Dev
	docs       *apidocs.Pages
	control    *control.Control
}

// journalSize is how many requests the journal keeps, about 3 MB of them.
const journalSize = 10_000

// New checks cfg and wires a server.
func New(cfg Config, deps Deps) (*Server, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("configure mockvllm: %w", err)
	}
	if deps.Console == nil {
		deps.Console = io.Discard
	}
	s := &Server{cfg: cfg, console: console.New(deps.Console), journal: journal.New(journalSize), clock: clock.Real{}}
	var err error
	if s.model, err = newModel(cfg); err != nil {
		return nil, fmt.Errorf("configure mockvllm: %w", err)
	}
	s.metrics = newMetrics(cfg)
	if cfg.Mock.Clock == "virtual" {
		s.clock = clock.NewManual(time.Now())
	}
	rules, err := cfg.Mock.Rules()
	if err != nil {
		return nil, fmt.Errorf("configure mockvllm: %w", err)
	}
	s.life = life.New(s.clock, s.console, rules)
	if err := s.newEngine(); err != nil {
		return nil, fmt.Errorf("configure mockvllm: %w", err)
	}
	if s.models, err = models.New(cfg, s.console); err != nil {
		return nil, err
	}
	with := answers.Deps{Engine: s.engine, Clock: s.clock, Metrics: s.metrics, Life: s.life, Model: s.model, Models: s.models, Console: s.console}
	s.answers = answers.New(cfg, with)
	s.responses = stored.New(s.answers, with, cfg.Generation.StoreResponses)
	s.scaleOut = scaleout.New(s.answers, s.model, s.models)
	s.pooling = handlers.New(cfg, s.answers, s.model, s.models)
	s.operations = operations.New(cfg, s.model)
	s.dev = devmode.New(cfg, s.engine, s.metrics, s.answers)
	s.docs = apidocs.NewPages(cfg.HTTP.RootPath, s.document)
	s.control = control.New(s.life, s.journal, s.clock, cfg.ServedNames[0])
	return s, nil
}

func (s *Server) newEngine() error {
	cfg := s.cfg.Engine()
	if path := s.cfg.Mock.Profile; path != "" {
		var err error
		if cfg.Latency.Profile, err = latency.LoadProfile(path); err != nil {
			return fmt.Errorf("%s: %w", config.Setting("profile"), err)
		}
	}
	cfg.Clock = s.clock
	if !s.cfg.Scheduler.NoStats {
		s.stats = statlog.New(0, s.clock.Now())
	}
	s.engine = engine.New(cfg, life.Observer{Metrics: s.metrics, Stats: s.stats, Life: s.life})
	return nil
}

// SetFaults replaces all rules, which must be valid; faults.Parse makes such.
func (s *Server) SetFaults(set faults.Set) { s.life.SetFaults(set) }

// Journal is the record of the requests so far.
func (s *Server) Journal() *journal.Journal { return s.journal }

// Advance moves the virtual clock, and returns once all that was due by then is done.
func (s *Server) Advance(ctx context.Context, d time.Duration) error {
	return s.control.Advance(ctx, d)
}

// lastAnswers is how long the server waits for answers to be taken once all requests have ended.
const lastAnswers = 2 * time.Second

// Run serves on ln until ctx ends. Then, without a shutdown timeout, requests in flight end with what they have and the
// finish reason "abort"; with one, they may complete while new ones are refused. It returns nil when stopped as asked.
func (s *Server) Run(ctx context.Context, ln net.Listener) error {
	engineCtx, stopEngine := context.WithCancel(context.WithoutCancel(ctx))
	var running sync.WaitGroup
	running.Go(func() { s.engine.Run(engineCtx) })
	defer running.Wait()
	defer stopEngine()
	defer s.responses.Stop()
	running.Go(func() {
		select {
		case <-s.life.Died():
			stopEngine()
		case <-engineCtx.Done():
		}
	})
	ln = s.life.Open(ln)
	running.Go(func() { s.life.Timeline(engineCtx) })
	lifespan, over := context.WithCancel(context.WithoutCancel(ctx)) // of the API server, which may outlive its engine
	defer over()
	running.Go(s.stats.Run(lifespan, s.clock, s.cfg.Scheduler.StatsInterval, func(line string) { s.console.Info(statlog.Where, "%s", line) }))

	srv := &uvicorn.Server{Handler: s.handler(), KeepAlive: s.cfg.HTTP.KeepAlive, Log: s.console.Line}
	served := make(chan error, 1)
	running.Go(func() { served <- srv.Serve(ln) })
	s.announce(ln.Addr())
	select {
	case err := <-served:
		return errors.Join(fmt.Errorf("serve %s: %w", ln.Addr(), err), srv.Close())
	case <-ctx.Done():
	case <-s.deadly():
	}
	err := s.leave(srv, stopEngine)
	if failed := <-served; !errors.Is(failed, http.ErrServerClosed) {
		return fmt.Errorf("serve %s: %w", ln.Addr(), failed)
	}
	s.tellOver()
	return err
}
