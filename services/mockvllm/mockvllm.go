package mockvllm

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/fluidmcp/fluidmcp/internal/web"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/engine"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/faults"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/journal"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/latency"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol"
)

// Deps are what the programmer chooses.
type Deps struct {
	Console io.Writer // takes vLLM's log lines; nil is nowhere
}

// Server is one model server.
type Server struct {
	cfg         Config
	console     *console
	engine      *engine.Engine
	metrics     *metrics
	faults      faults.Injector
	journal     *journal.Journal
	model       protocol.Model
	fingerprint string
	stopping    chan struct{} // closed when the server begins to end
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
	s := &Server{cfg: cfg, console: newConsole(deps.Console), journal: journal.New(journalSize), fingerprint: fingerprint(cfg), stopping: make(chan struct{}),
		model: protocol.Model{Name: cfg.ServedNames[0], MaxLen: cfg.MaxModelLen, Parser: cfg.ToolParser != "", Auto: cfg.AutoTools}}
	s.metrics = newMetrics(cfg, func() engine.Load { return s.engine.Load() })
	s.engine = engine.New(cfg.MaxNumSeqs, cfg.PrefixCaching, latency.Constant{TTFT: cfg.Mock.TTFT, ITL: cfg.Mock.ITL}, s.metrics)
	s.faults.Put(cfg.Mock.rules())
	return s, nil
}

// fingerprint depends on what a model answers with, as vLLM's depends on the engine's configuration.
func fingerprint(cfg Config) string {
	h := fnv.New32a()
	_, _ = fmt.Fprint(h, cfg.Model, cfg.MaxModelLen, cfg.MaxNumSeqs) // a hash takes every write
	return fmt.Sprintf("vllm-%s-%08x", Version, h.Sum32())
}

// keepAlive is after how long vLLM closes an idle connection.
const keepAlive = 5 * time.Second

// readHeaders bounds a request line that never ends. vLLM waits for ever; nobody needs that.
const readHeaders = time.Minute

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

	fresh := &web.Unused{}
	srv := &http.Server{Handler: s.handler(), IdleTimeout: keepAlive, ReadHeaderTimeout: readHeaders, ConnState: fresh.Track,
		BaseContext: func(net.Listener) context.Context { return context.WithoutCancel(ctx) }}
	served := make(chan error, 1)
	running.Go(func() { served <- srv.Serve(ln) })
	s.announce(ln.Addr())
	select {
	case err := <-served:
		return errors.Join(fmt.Errorf("serve %s: %w", ln.Addr(), err), srv.Close())
	case <-ctx.Done():
	}
	s.drain()
	err := s.end(srv, fresh)
	if failed := <-served; !errors.Is(failed, http.ErrServerClosed) {
		return fmt.Errorf("serve %s: %w", ln.Addr(), failed)
	}
	s.console.line("INFO:     Finished server process [%d]", s.console.pid)
	return err
}

// drain takes no further request and lets those in flight complete for as long as the shutdown timeout allows.
func (s *Server) drain() {
	defer close(s.stopping)
	idle := s.engine.Refuse()
	if s.cfg.ShutdownTimeout == 0 {
		return
	}
	s.console.info("launcher.py:120", "[shutdown] draining in-flight requests timeout=%s", s.cfg.ShutdownTimeout)
	timeout := time.NewTimer(s.cfg.ShutdownTimeout)
	defer timeout.Stop()
	select {
	case <-idle:
	case <-timeout.C:
	}
}

// end aborts what still runs and closes the listener and all connections.
func (s *Server) end(srv *http.Server, fresh *web.Unused) error {
	s.console.line("INFO:     Shutting down")
	if load := s.engine.Load(); load.Running+load.Waiting > 0 {
		s.console.info("core.py:1200", "[shutdown] aborting in-flight requests count=%d", load.Running+load.Waiting)
	}
	s.engine.Stop()
	ctx, cancel := context.WithTimeout(context.Background(), lastAnswers)
	defer cancel()
	srv.RegisterOnShutdown(fresh.Close) // runs once the listener is closed
	if err := srv.Shutdown(ctx); err != nil {
		s.console.line("ERROR:    Closing connections whose clients do not take their answers.")
		return srv.Close()
	}
	return nil
}

// announce prints the milestones that programs wait for.
func (s *Server) announce(addr net.Addr) {
	s.console.info("entry.py:140", "Starting vLLM server on http://%s", addr)
	s.console.info("launcher.py:186", "Available routes are:")
	for _, rt := range s.routes() {
		s.console.info("launcher.py:195", "Route: %s, Methods: %s", rt.path, rt.method)
	}
	s.console.line("INFO:     Started server process [%d]", s.console.pid)
	s.console.line("INFO:     Waiting for application startup.")
	s.console.line("INFO:     Application startup complete.")
}
