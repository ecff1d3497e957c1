package uvicorn

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fluidmcp/fluidmcp/internal/hangup"
)

// KeepAlive is after how long uvicorn closes a connection that has had an answer and sends no byte.
const KeepAlive = 5 * time.Second

// Server serves one listener. The zero value with a Handler works.
type Server struct {
	Handler   http.Handler
	KeepAlive time.Duration                    // 0 is KeepAlive
	Log       func(format string, args ...any) // takes uvicorn's log lines about requests that went wrong; nil is nowhere

	mu       sync.Mutex
	listener net.Listener
	conns    map[*conn]struct{}
	drained  chan struct{} // closed once no connection is left after stopping began
	running  sync.WaitGroup
	stopping atomic.Bool
	gone     hangup.Watch
}

// Serve accepts connections until Shutdown or Close, and then returns http.ErrServerClosed. It closes ln.
func (s *Server) Serve(ln net.Listener) error {
	if !s.open(ln) {
		return errors.Join(http.ErrServerClosed, ln.Close())
	}
	defer ln.Close()
	var pause time.Duration
	for {
		nc, err := ln.Accept()
		if err == nil {
			pause = 0
			s.start(nc)
			continue
		}
		if s.stopping.Load() {
			return http.ErrServerClosed
		}
		if temporary, ok := errors.AsType[net.Error](err); !ok || !temporary.Temporary() { //nolint:staticcheck // as net/http: too many open files passes
			return err
		}
		pause = min(max(2*pause, 5*time.Millisecond), time.Second)
		time.Sleep(pause)
	}
}

func (s *Server) open(ln net.Listener) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopping.Load() {
		return false
	}
	s.listener, s.conns, s.drained = ln, make(map[*conn]struct{}), make(chan struct{})
	return true
}

func (s *Server) start(nc net.Conn) {
	c := newConn(s, nc)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopping.Load() {
		_ = nc.Close()
		return
	}
	s.conns[c] = struct{}{}
	s.running.Go(c.serve)
}

// forget is the last act of a connection.
func (s *Server) forget(c *conn) {
	s.gone.Remove(c.watch.id)
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
	if s.stopping.Load() && len(s.conns) == 0 {
		close(s.drained)
	}
}

// stop closes the listener and returns the connections there are.
func (s *Server) stop() []*conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	first := !s.stopping.Swap(true)
	if s.listener == nil {
		return nil
	}
	_ = s.listener.Close() // Serve says what is to be said
	if first && len(s.conns) == 0 {
		close(s.drained)
	}
	all := make([]*conn, 0, len(s.conns))
	for c := range s.conns {
		all = append(all, c)
	}
	return all
}

// Shutdown closes the listener and the connections without a request in work, lets the others finish theirs, and waits for them.
// It returns the error of ctx when that ends first; then Close is due.
func (s *Server) Shutdown(ctx context.Context) error {
	for _, c := range s.stop() {
		c.closeIdle()
	}
	if s.drained == nil {
		return nil
	}
	select {
	case <-s.drained:
		s.end()
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Close closes the listener and all connections, ends the contexts of their requests, and waits for the handlers. A handler must
// not call it.
func (s *Server) Close() error {
	for _, c := range s.stop() {
		c.abort()
	}
	s.end()
	return nil
}

func (s *Server) end() {
	_ = s.gone.Close() // nothing is watched any more
	s.running.Wait()
}

func (s *Server) keepAlive() time.Duration {
	if s.KeepAlive == 0 {
		return KeepAlive
	}
	return s.KeepAlive
}

func (s *Server) log(format string, args ...any) {
	if s.Log != nil {
		s.Log(format, args...)
	}
}
