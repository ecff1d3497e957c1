//go:build linux

package http1

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fluidmcp/fluidmcp/internal/hangup"
	"github.com/fluidmcp/fluidmcp/internal/rawnet"
)

// Server answers HTTP/1.1 requests. Its fields are set before Serve and not changed after.
type Server struct {
	Handler           http.Handler
	BaseContext       context.Context // of every request
	ReadHeaderTimeout time.Duration   // for a request's header once its first byte came
	IdleTimeout       time.Duration   // between two requests, at least; at most half as long again
	Patience          time.Duration   // for each KiB of a body, and about that for each piece of an answer
	Stalled           error           // what the errors say of a client that stood still for longer
	MaxHeaderBytes    int             // of a request; more is answered with 431

	TLS *tls.Config // nil serves plain text; it offers h2 only where HTTP2 is set

	// HTTP2, where it is set, takes over connections that begin with the preface of HTTP/2 (RFC 9113, section 3.4), which they
	// give once more; and encrypted ones, a *tls.Conn after its handshake, whose clients have chosen it (RFC 7301).
	HTTP2 func(net.Conn)
	Logf  func(format string, args ...any)

	stopping atomic.Bool // answers say that the connection closes
	closing  atomic.Bool // idle connections are closed
	date     atomic.Pointer[date]

	mu    sync.Mutex
	conns map[*conn]struct{}
	empty chan struct{} // closed when the last connection is gone; nil while nobody waits
	unend func() bool   // keeps the end of BaseContext from that of the requests
	gone  hangup.Watch
}

// unusedPatience is how long a connection without a request may still send one when the server stops: the request of a client
// that has just connected may be on its way.
const unusedPatience = 500 * time.Millisecond

// How long Serve waits when the machine has no room for another connection.
const (
	leastPause = 5 * time.Millisecond
	mostPause  = time.Second
)

// ErrClosed is returned by Serve after Shutdown and Close.
var ErrClosed = errors.New("http1: the server is closed")

// Serve accepts connections from ln until it is closed. While the process has no descriptor left it waits for one.
func (s *Server) Serve(ln net.Listener) error {
	pause := leastPause
	for {
		c, err := ln.Accept()
		switch {
		case err == nil:
			pause = leastPause
			s.ServeConn(c)
		case s.closing.Load():
			return ErrClosed
		case rawnet.Exhausted(err):
			s.logf("http: accept: %v; next try in %s", err, pause)
			time.Sleep(pause)
			pause = min(2*pause, mostPause)
		default:
			return fmt.Errorf("accept: %w", err)
		}
	}
}

// ServeConn takes over a connection and returns at once.
func (s *Server) ServeConn(nc net.Conn) {
	c := &conn{server: s, idle: true}
	if c.net = rawnet.Wrap(nc); s.TLS != nil {
		c.net = tls.Server(nc, s.TLS)
	}
	c.ready = c.look
	if plain, ok := c.net.(*rawnet.Conn); ok { // what is wrapped has to be read through its wrapper
		c.raw = plain.Raw()
	}
	s.mu.Lock()
	if s.closing.Load() {
		s.mu.Unlock()
		_ = nc.Close() // it carried nothing
		return
	}
	if s.conns == nil {
		s.conns = make(map[*conn]struct{})
		s.unend = context.AfterFunc(s.BaseContext, s.endRequests) // once for all, where each request would enter itself there
	}
	s.conns[c] = struct{}{}
	s.mu.Unlock()
	if raw := descriptor(c); raw != nil {
		c.watched = s.gone.Add(raw, c)
	}
	go c.serve()
}

// forget a connection that has ended.
func (s *Server) forget(c *conn) {
	s.gone.Remove(c.watched)
	if !c.handed {
		_ = c.net.Close() // it was closed already, unless a defect ended it
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
	if len(s.conns) == 0 && s.empty != nil {
		close(s.empty)
		s.empty = nil
	}
}

// Drain makes every answer from now on the last one of its connection.
func (s *Server) Drain() { s.stopping.Store(true) }

// Shutdown closes connections as they become idle and returns when none is left, or with the error of ctx. Listeners are
// closed by whoever opened them.
func (s *Server) Shutdown(ctx context.Context) error {
	s.Drain()
	s.closing.Store(true)
	empty := make(chan struct{})
	s.closeIdle(true)
	unused := time.AfterFunc(unusedPatience, func() { s.closeIdle(false) })
	defer unused.Stop()
	s.mu.Lock()
	if len(s.conns) == 0 {
		close(empty)
	} else {
		s.empty = empty
	}
	s.mu.Unlock()
	select {
	case <-empty:
		return s.release()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Close breaks every connection. Their handlers find out when they read or write.
func (s *Server) Close() error {
	s.closing.Store(true)
	s.mu.Lock()
	for c := range s.conns {
		_ = c.net.Close() // its handler finds out
	}
	s.mu.Unlock()
	return s.release()
}

// release gives back what served all connections.
func (s *Server) release() error {
	s.mu.Lock()
	if s.unend != nil {
		s.unend()
	}
	s.mu.Unlock()
	return s.gone.Close()
}

// endRequests ends those in progress. Later ones see for themselves that BaseContext has ended.
func (s *Server) endRequests() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		c.endRequest()
	}
}

// closeIdle closes the connections that wait for a request, with onlyUsed those that had one.
func (s *Server) closeIdle(onlyUsed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		c.closeIdle(onlyUsed)
	}
}

func (c *conn) closeIdle(onlyUsed bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.idle && (c.used || !onlyUsed) {
		_ = c.net.Close() // the goroutine that waits there ends
	}
}

func (s *Server) logf(format string, args ...any) {
	if s.Logf != nil {
		s.Logf(format, args...)
	}
}
