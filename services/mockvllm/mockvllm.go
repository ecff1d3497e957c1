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
	if s.models, err = models.New(cfg); err != nil {
		return nil, err
	}
	with := answers.Deps{Engine: s.engine, Metrics: s.metrics, Life: s.life, Model: s.model, Models: s.models}
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
			return fmt.Errorf("--mock-profile: %w", err)
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
	s.console.Line("INFO:     Finished server process [%d]", s.console.PID)
	return err
}

// deadly is closed when the engine's death is to be the server's.
func (s *Server) deadly() <-chan struct{} {
	if s.cfg.Scheduler.OutlivesEngine {
		return nil
	}
	return s.life.Died()
}

// leave ends the server in the way that rules and command line ask for.
func (s *Server) leave(srv *uvicorn.Server, stopEngine func()) error {
	if s.life.Faults.State(s.clock.Now()).Hang && !s.life.Dead() {
		return s.hang(srv, stopEngine)
	}
	s.drain()
	return s.end(srv)
}

// hang is what a real server does that kills its engine before the engine has ended what is in flight: nobody is answered any
// more, and the server waits until its clients give up.
func (s *Server) hang(srv *uvicorn.Server, stopEngine func()) error {
	s.life.Hang()
	stopEngine()
	s.life.Stop()
	s.console.Line("INFO:     Shutting down")
	s.console.Line("INFO:     Waiting for connections to close. (CTRL+C to force quit)")
	return srv.Shutdown(context.Background())
}

// drain takes no further request and lets those in flight complete for as long as the shutdown timeout allows.
func (s *Server) drain() {
	defer s.life.Stop()
	idle := s.engine.Refuse()
	if s.cfg.ShutdownTimeout == 0 || s.life.Dead() {
		return
	}
	s.console.Info("launcher.py:120", "[shutdown] draining in-flight requests timeout=%s", s.cfg.ShutdownTimeout)
	timeout := time.NewTimer(s.cfg.ShutdownTimeout)
	defer timeout.Stop()
	select {
	case <-idle:
	case <-timeout.C:
	}
}

// end aborts what still runs and closes the listener and all connections.
func (s *Server) end(srv *uvicorn.Server) error {
	s.console.Line("INFO:     Shutting down")
	if n := s.engine.Unfinished(); n > 0 {
		s.console.Info("core.py:1200", "[shutdown] aborting in-flight requests count=%d", n)
	}
	s.engine.Stop()
	ctx, cancel := context.WithTimeout(context.Background(), lastAnswers)
	defer cancel()
	if err := srv.Shutdown(ctx); err != nil {
		s.console.Line("ERROR:    Closing connections whose clients do not take their answers.")
		return srv.Close()
	}
	return nil
}

// announce prints the milestones that programs wait for.
func (s *Server) announce(addr net.Addr) {
	s.console.Info("entry.py:140", "Starting vLLM server on http://%s", addr)
	s.console.Info("launcher.py:186", "Available routes are:")
	for _, rt := range s.routes() {
		s.console.Info("launcher.py:195", "Route: %s, Methods: %s", rt.Path, rt.Methods)
	}
	s.console.Line("INFO:     Started server process [%d]", s.console.PID)
	s.console.Line("INFO:     Waiting for application startup.")
	s.console.Line("INFO:     Application startup complete.")
}
