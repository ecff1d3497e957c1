package upstream

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/fluidmcp/fluidmcp/internal/rawnet"
	"github.com/fluidmcp/fluidmcp/internal/reqctx"
	"github.com/fluidmcp/fluidmcp/services/gateway/upstream/pool"
)

// What a Config without a value gets.
const (
	// idleTimeout: vLLM closes an unused connection after exactly 5.0 s, without a word.
	idleTimeout = 4 * time.Second
	// maxIdle is enough for every connection of a busy backend to be used again.
	maxIdle        = 1024
	connectTimeout = 2 * time.Second
	keepAlive      = 15 * time.Second // between two probes of a silent TCP connection
)

// Config of a Transport. The zero value is usable.
type Config struct {
	ConnectTimeout  time.Duration // to connect, the TLS handshake included; 2 s. WithConnectTimeout is for one request
	IdleTimeout     time.Duration // how long an unused connection is kept; 4 s
	MaxIdlePerHost  int           // unused connections that are kept; 1024
	MaxConnsPerHost int           // connections in use or not; a request above it fails at once. 0 means any number
	MaxHeaderBytes  int           // of an answer, with those of its interim ones, and again for its trailers; 1 MiB
	TLS             *tls.Config   // for https; nil is Go's default
	DialContext     func(ctx context.Context, network, addr string) (net.Conn, error)
}

// Transport is an http.RoundTripper to model servers over HTTP/1.1. It does all work in the goroutine of its caller, where
// http.Transport hands each request to two others and back; only a body that is long or of unknown length is sent by a
// goroutine of its own, because a server may answer before it has read all of it.
//
// Not supported, because no model server needs it: HTTP/2, proxies (servers are named by the operator and near),
// compression (frames must be readable as they come), Expect: 100-continue, trailers of requests, changing the protocol,
// httptrace. An answer has its trailers once its body was read to the end.
//
// A request that fails on a kept connection before any byte of its answer came is sent once more, on a new connection,
// whatever its method: the server was about to close the idle connection, and inference may be done twice.
type Transport struct {
	pool           *pool.Pool
	connectTimeout time.Duration
	maxHeader      int
}

// NewTransport returns a transport that has no connections yet.
func NewTransport(cfg Config) *Transport {
	dial := cfg.DialContext
	if dial == nil {
		dial = (&net.Dialer{KeepAlive: keepAlive}).DialContext
	}
	return &Transport{
		pool: pool.New(pool.Config{Dial: dial, TLS: cfg.TLS, Idle: cmp.Or(cfg.IdleTimeout, idleTimeout),
			MaxIdle: cmp.Or(cfg.MaxIdlePerHost, maxIdle), MaxOpen: cfg.MaxConnsPerHost}),
		connectTimeout: cmp.Or(cfg.ConnectTimeout, connectTimeout),
		maxHeader:      cmp.Or(cfg.MaxHeaderBytes, http.DefaultMaxHeaderBytes),
	}
}

// Connections counts those that are open, the idle ones among them, and those that are idle.
func (t *Transport) Connections() (open, idle int) {
	s := t.pool.Stats()
	return s.Open, s.Idle
}

// CloseIdleConnections closes the connections that are not in use.
func (t *Transport) CloseIdleConnections() { t.pool.CloseIdle() }

// WithConnectTimeout bounds connecting for the requests with the returned context, in place of the transport's own timeout.
func WithConnectTimeout(ctx context.Context, d time.Duration) context.Context {
	return &connecting{ctx, d}
}

// connecting is a context with the time that connecting may take.
type connecting struct {
	context.Context
	timeout time.Duration
}

type connectTimeoutKey struct{}

// Value implements context.Context.
func (c *connecting) Value(key any) any {
	if key == (connectTimeoutKey{}) {
		return c.timeout
	}
	return c.Context.Value(key)
}

// AfterFunc lets what derives from this context hang on to the one below (package reqctx).
func (c *connecting) AfterFunc(f func()) (stop func() bool) {
	return reqctx.AfterFunc(c.Context, f).Stop
}

// Ends is for reqctx.Of.
func (c *connecting) Ends() *reqctx.Context { return reqctx.Of(c.Context) }

// RoundTrip sends req and waits for the head of its answer. KindOf tells what kind its errors are.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	return t.roundTrip(message{req: req})
}

// Forward is RoundTrip for a client's request.
func (t *Transport) Forward(r *Request) (*http.Response, error) {
	return t.roundTrip(message{req: &r.Request, of: r})
}

func (t *Transport) roundTrip(msg message) (*http.Response, error) {
	req := msg.req
	if req.URL == nil || req.URL.Host == "" || req.URL.Scheme != "http" && req.URL.Scheme != "https" {
		closeBody(req.Body)
		return nil, fmt.Errorf("request to %v: use http://host or https://host", req.URL)
	}
	if err := msg.prepare(); err != nil {
		return nil, err
	}
	defer msg.recycle()
	resp, err := t.send(&msg, false)
	if silent, ok := errors.AsType[*silentError](err); ok && silent.reused && msg.rewind() {
		resp, err = t.send(&msg, true)
	}
	if err == nil {
		return resp, nil
	}
	msg.closeUnsent()
	if ended := context.Cause(req.Context()); ended != nil {
		return nil, ended // what it has broken tells nothing
	}
	return nil, err
}

// send sends msg on a kept connection, or on a new one.
func (t *Transport) send(msg *message, fresh bool) (*http.Response, error) {
	ctx := msg.req.Context()
	key := pool.Key{Scheme: msg.req.URL.Scheme, Host: msg.req.URL.Host}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	for !fresh {
		conn := t.pool.Kept(key, msg.whole)
		if conn == nil {
			break
		}
		resp, err := t.exchange(conn, msg)
		if !errors.Is(err, rawnet.ErrStale) { // of a stale connection nobody has heard
			return resp, err
		}
	}
	timeout, ok := ctx.Value(connectTimeoutKey{}).(time.Duration)
	if !ok {
		timeout = t.connectTimeout
	}
	conn, err := t.pool.Dial(ctx, key, timeout)
	if err != nil {
		return nil, err
	}
	return t.exchange(conn, msg)
}
