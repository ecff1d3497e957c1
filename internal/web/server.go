package web

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"github.com/fluidmcp/fluidmcp/internal/openai"
)

const (
	// defaultPatience is how long a client may stand still.
	defaultPatience = 30 * time.Second
	// headerPatience is how long a whole header or a TLS handshake may take at most.
	headerPatience = 10 * time.Second
	// idlePatience is how long a connection is kept that carries nothing. Load balancers keep theirs for about a minute; the
	// longer one of both ends has to be the server's, or it closes a connection just as a request comes.
	idlePatience = 2 * time.Minute
	// maxHeaderBytes bounds the header of a request. More is answered with 431.
	maxHeaderBytes = 64 << 10
	// unusedPatience is how long a connection without a request may still send one when the server stops.
	unusedPatience = 500 * time.Millisecond
	// afterStreams is how long Serve waits for handlers to notice that their requests were ended. http.Server.Shutdown polls
	// its connections up to 500 ms apart, and net/http leaves an HTTP/2 connection open for a second after its GOAWAY.
	afterStreams = 2 * time.Second
)

// ErrStopping is the cause of a request's context (context.Cause) that Serve ended. A client that left leaves another.
var ErrStopping = errors.New("the server is stopping")

// Server answers HTTP/1.1 and HTTP/2 (by ALPN, without TLS by prior knowledge). A client that stands still for too long loses
// its request, in whatever part of it. The zero value of a field stands for its default.
type Server struct {
	Handler  http.Handler
	TLS      *tls.Config   // nil serves plain text
	Log      *zap.Logger   // of what net/http finds wrong; nil drops it
	Grace    time.Duration // when asked to stop, how long new connections and requests are still served; default 0
	Drain    time.Duration // after Grace, how long requests in flight may take; default 0
	Patience time.Duration // for each KiB of a body, for each piece of an answer; default 30 s. A header gets 10 s at most
}

// Serve answers on ln until ctx ends, and then stops in such a way that nobody loses a request who does not wait for Grace and Drain
// in vain. First it goes on as before for Grace, so that whoever chooses servers learns from the failed readiness, which
// is the caller's to tell, that this one leaves. Each answer from then on asks the client to take another connection. Then the
// listener and idle connections are closed; requests in flight have Drain. The contexts of those that are left end with
// ErrStopping. It returns nil when the server stopped as asked.
func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	base, end := context.WithCancelCause(context.WithoutCancel(ctx))
	endRequests := func() { end(ErrStopping) }
	defer endRequests()
	front := s.front(base, ln)
	broken := make(chan struct{})
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		defer close(broken)
		if err := front.serve(); err != nil {
			return fmt.Errorf("serve %s: %w", ln.Addr(), err)
		}
		return nil
	})
	g.Go(func() error {
		<-ctx.Done()
		front.drain()
		select {
		case <-time.After(s.Grace):
		case <-broken:
		}
		defer time.AfterFunc(s.Drain, endRequests).Stop()
		drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.Drain+afterStreams)
		defer cancel()
		if err := front.shutdown(drain); err != nil {
			return errors.Join(fmt.Errorf("drain %s within %s: %w", ln.Addr(), s.Drain, err), front.close())
		}
		return nil
	})
	return g.Wait()
}

// front is what accepts connections.
type front interface {
	serve() error // until shutdown, and then nil
	drain()       // makes each answer from now on the last one of its connection
	shutdown(ctx context.Context) error
	close() error
}

func (s *Server) patience() time.Duration { return cmp.Or(s.Patience, defaultPatience) }

// netHTTP serves by net/http.
type netHTTP struct {
	http.Server
	ln       net.Listener
	stopping atomic.Bool
}

func (s *Server) netHTTP(base context.Context, ln net.Listener) *netHTTP {
	n := &netHTTP{ln: ln}
	patience := s.patience()
	var fresh unused
	n.Server = http.Server{
		Handler:           watched(bounded(s.Handler), patience, &n.stopping),
		ConnState:         fresh.track,
		TLSConfig:         s.TLS.Clone(), // nil stays nil
		Protocols:         new(http.Protocols),
		HTTP2:             &http.HTTP2Config{WriteByteTimeout: patience},
		ReadHeaderTimeout: min(headerPatience, patience),
		IdleTimeout:       idlePatience,
		MaxHeaderBytes:    2 * maxHeaderBytes,
		BaseContext:       func(net.Listener) context.Context { return base },
		ErrorLog:          errorLog(s.Log),
	}
	n.Protocols.SetHTTP1(true)
	n.Protocols.SetHTTP2(true)
	n.Protocols.SetUnencryptedHTTP2(true)
	// It runs once the listener is closed. A request of a client that has just connected may be on its way.
	n.RegisterOnShutdown(func() { time.AfterFunc(unusedPatience, fresh.close) })
	return n
}

// bounded refuses headers over maxHeaderBytes, counted as HTTP/2 counts them (RFC 9113, 6.5.2). What net/http itself says of one that
// is too large is a page of HTML, so it is given room for more.
func bounded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		size := len(r.Method) + len(r.RequestURI) + len(r.Host)
		for name, values := range r.Header {
			for _, value := range values {
				size += len(name) + len(value) + 32
			}
		}
		if size > maxHeaderBytes {
			(&openai.Error{Status: http.StatusRequestHeaderFieldsTooLarge, Type: openai.TypeInvalidRequest, Code: "malformed_request",
				Message: "The request's header is too large."}).Write(w)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (n *netHTTP) serve() error {
	serve := n.Serve
	if n.TLSConfig != nil {
		serve = func(ln net.Listener) error { return n.ServeTLS(ln, "", "") }
	}
	if err := serve(n.ln); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func (n *netHTTP) drain()                             { n.stopping.Store(true) }
func (n *netHTTP) shutdown(ctx context.Context) error { return n.Shutdown(ctx) }
func (n *netHTTP) close() error                       { return n.Close() }

// errorLog takes what net/http has to say. Most of it is about clients that do not speak TLS or HTTP, which any of them can
// cause at will; only a panic is a defect.
func errorLog(to *zap.Logger) *log.Logger {
	if to == nil {
		to = zap.NewNop()
	}
	return log.New(&errorLines{to.Named("http")}, "", 0)
}

type errorLines struct{ log *zap.Logger }

func (l *errorLines) Write(line []byte) (int, error) {
	text := string(line)
	if strings.HasPrefix(text, "http: panic serving") || strings.HasPrefix(text, "http2: panic serving") {
		l.log.Error("a handler panicked", zap.String("cause", text))
	} else {
		l.log.Debug("refused a client", zap.String("cause", text))
	}
	return len(line), nil
}
