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

// front serves what is encrypted by net/http, and plain text by http1 and net/http together.
func (s *Server) front(base context.Context, ln net.Listener) front {
	if s.TLS != nil {
		return s.netHTTP(base, ln)
	}
	return s.plainText(base, ln)
}

// plainText serves HTTP/1.1 by package http1, at half of what net/http costs, and hands connections that begin with the
// preface of HTTP/2 over to net/http.
type plainText struct {
	ln     net.Listener
	one    http1.Server
	two    *netHTTP
	handed *handedOver
	ended  atomic.Bool // by shutdown
}

func (s *Server) plainText(base context.Context, ln net.Listener) *plainText {
	handed := &handedOver{addr: ln.Addr(), conns: make(chan net.Conn), closed: make(chan struct{})}
	two := s.netHTTP(base, handed)
	return &plainText{ln: ln, two: two, handed: handed, one: http1.Server{
		Handler:           s.Handler,
		BaseContext:       base,
		ReadHeaderTimeout: two.ReadHeaderTimeout,
		IdleTimeout:       two.IdleTimeout,
		Patience:          s.patience(),
		Stalled:           ErrStalled,
		MaxHeaderBytes:    two.MaxHeaderBytes,
		HTTP2:             handed.give,
		Logf:              two.ErrorLog.Printf,
	}}
}

func (p *plainText) serve() error {
	var g errgroup.Group
	g.Go(p.two.serve)
	g.Go(func() error {
		err := p.one.Serve(p.ln)
		if p.ended.Load() {
			return nil
		}
		return errors.Join(err, p.handed.Close()) // nothing comes any more
	})
	return g.Wait()
}

func (p *plainText) drain() {
	p.one.Drain()
	p.two.drain()
}

func (p *plainText) shutdown(ctx context.Context) error {
	p.ended.Store(true)
	var g errgroup.Group
	g.Go(func() error { return p.one.Shutdown(ctx) })
	g.Go(func() error { return p.two.shutdown(ctx) })
	return errors.Join(p.ln.Close(), g.Wait())
}

func (p *plainText) close() error { return errors.Join(p.one.Close(), p.two.close()) }

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
