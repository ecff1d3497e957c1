package mockvllm

import (
	"context"
	"time"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/uvicorn"
)

// deadly is closed when the engine's death is to be the server's.
func (s *Server) deadly() <-chan struct{} {
	if s.cfg.Scheduler.OutlivesEngine {
		return nil
	}
	return s.life.Died()
}

// leave ends the server in the way that rules and command line ask for.
func (s *Server) leave(srv *uvicorn.Server, stopEngine func()) error {
	s.tellStopping()
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
	s.tellStopped()
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
	if n := s.engine.Unfinished(); n > 0 {
		s.engineLine("core.py:1655", "draining in-flight requests count=%d timeout=%ds", n, s.stopSeconds())
	}
	timeout := time.NewTimer(s.cfg.ShutdownTimeout)
	defer timeout.Stop()
	select {
	case <-idle:
	case <-timeout.C:
	}
}

// end aborts what still runs and closes the listener and all connections.
func (s *Server) end(srv *uvicorn.Server) error {
	if n := s.engine.Unfinished(); n > 0 {
		s.engineLine("core.py:1644", "aborting in-flight requests count=%d", n)
	}
	s.engine.Stop()
	s.tellStopped()
	ctx, cancel := context.WithTimeout(context.Background(), lastAnswers)
	defer cancel()
	if err := srv.Shutdown(ctx); err != nil {
		s.console.Line("ERROR:    Closing connections whose clients do not take their answers.")
		return srv.Close()
	}
	return nil
}

// tellStopping says in vLLM's words that the server was told to end. A server whose engine has died ends without them.
func (s *Server) tellStopping() {
	if s.life.Dead() {
		return
	}
	mode, seconds := "abort", s.stopSeconds()
	if seconds > 0 {
		mode = "drain"
	}
	s.console.Info("launcher.py:254", "[shutdown] API server: shutdown triggered")
	s.console.Info("launcher.py:270", "[shutdown] API server: stopping engine client mode=%s timeout=%ds", mode, seconds)
	s.console.Info("core_client.py:770", "[shutdown] MPClient: start timeout=%ds", seconds)
	s.console.Info("core_client.py:772", "[shutdown] MPClient: stopping engine manager")
	s.engineLine("core.py:1454", "trigger received signal=SIGTERM")
	s.engineLine("core.py:1635", "start mode=%s timeout=%ds", mode, seconds)
}

// tellStopped says that the engine has ended, and that the HTTP server is about to.
func (s *Server) tellStopped() {
	if !s.life.Dead() {
		s.engineLine("core.py:1666", "request processing complete; starting resource teardown")
		s.engineLine("core.py:1499", "exiting busy loop")
		s.console.Info("core_client.py:774", "[shutdown] MPClient: engine manager stopped")
		s.console.Info("core_client.py:775", "[shutdown] MPClient: cleaning up background resources")
		s.console.Info("core_client.py:777", "[shutdown] MPClient: complete")
		s.console.Info("launcher.py:279", "[shutdown] API server: engine client stopped")
		s.console.Info("launcher.py:282", "[shutdown] API server: signalling HTTP server shutdown")
		s.console.Info("launcher.py:304", "[shutdown] API server: shutting down FastAPI HTTP server")
	}
	s.console.Line("INFO:     Shutting down")
}

// tellOver is the end of the log. vLLM cancels its HTTP server when it was told to end, so that this says no more.
func (s *Server) tellOver() {
	s.console.Line("INFO:     Waiting for application shutdown.")
	s.console.Line("INFO:     Application shutdown complete.")
	if s.life.Dead() {
		s.console.Line("INFO:     Finished server process [%d]", s.console.PID)
	}
}

func (s *Server) engineLine(where, format string, args ...any) {
	s.console.Log("EngineCore", "INFO", where, "[shutdown] EngineCore: "+format, args...)
}

func (s *Server) stopSeconds() int { return int(s.cfg.ShutdownTimeout / time.Second) }
