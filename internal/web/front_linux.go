package web

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/fluidmcp/fluidmcp/internal/web/http1"
)

// twoFronts serve HTTP/1.1 by package http1, at half of what net/http costs and more strictly, and hand the connections of HTTP/2 over
// to net/http.
type twoFronts struct {
	ln     net.Listener
	one    http1.Server
	two    *netHTTP
	handed *handedOver
	ended  atomic.Bool // by shutdown
}

func (s *Server) front(base context.Context, ln net.Listener) front {
	handed := &handedOver{addr: ln.Addr(), conns: make(chan net.Conn), closed: make(chan struct{})}
	two := s.netHTTP(base, handed)
	two.TLSConfig = nil // what is handed over has had its handshake
	secure := s.TLS.Clone()
	if secure != nil {
		secure.NextProtos = []string{"h2", "http/1.1"}
	}
	return &twoFronts{ln: ln, two: two, handed: handed, one: http1.Server{
		Handler:           s.Handler,
		BaseContext:       base,
		ReadHeaderTimeout: two.ReadHeaderTimeout,
		IdleTimeout:       two.IdleTimeout,
		Patience:          s.patience(),
		Stalled:           ErrStalled,
		TLS:               secure,
		MaxHeaderBytes:    maxHeaderBytes,
		HTTP2:             handed.give,
		Logf:              two.ErrorLog.Printf,
	}}
}

func (f *twoFronts) serve() error {
	var g errgroup.Group
	g.Go(f.two.serve)
	g.Go(func() error {
		err := f.one.Serve(f.ln)
		if f.ended.Load() {
			return nil
		}
		return errors.Join(err, f.handed.Close()) // nothing comes any more
	})
	return g.Wait()
}

func (f *twoFronts) drain() {
	f.one.Drain()
	f.two.drain()
}

func (f *twoFronts) shutdown(ctx context.Context) error {
	f.ended.Store(true)
	var g errgroup.Group
	g.Go(func() error { return f.one.Shutdown(ctx) })
	g.Go(func() error { return f.two.shutdown(ctx) })
	return errors.Join(f.ln.Close(), g.Wait())
}

func (f *twoFronts) close() error { return errors.Join(f.one.Close(), f.two.close()) }

// handedOver is the listener of connections that http1 has accepted.
type handedOver struct {
	addr   net.Addr
	conns  chan net.Conn
	once   sync.Once
	closed chan struct{}
}

func (h *handedOver) give(c net.Conn) {
	select {
	case h.conns <- c:
	case <-h.closed:
		_ = c.Close() // too late for a new one
	}
}

// Accept implements net.Listener.
func (h *handedOver) Accept() (net.Conn, error) {
	select {
	case c := <-h.conns:
		return c, nil
	case <-h.closed:
		return nil, http.ErrServerClosed
	}
}

// Close implements net.Listener.
func (h *handedOver) Close() error {
	h.once.Do(func() { close(h.closed) })
	return nil
}

// Addr implements net.Listener.
func (h *handedOver) Addr() net.Addr { return h.addr }
