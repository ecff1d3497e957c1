package uvicorn

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"runtime/debug"
	"sync/atomic"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/uvicorn/httptools"
)

// exchange is one request and its answer. It is never used again, since handlers may keep parts of it.
type exchange struct {
	context.Context // of the request; ends with it, or with the client
	cancel          context.CancelFunc
	conn            *conn
	url             url.URL
	body            body
	response        response
	waits           atomic.Bool // the handler has asked for the context
	over            atomic.Bool // the body was read to its end
	pipelined       atomic.Bool // bytes of the next request have been read
}

// Done begins to watch the connection.
func (x *exchange) Done() <-chan struct{} {
	x.conn.watchFor(x)
	return x.Context.Done()
}

// Err begins to watch the connection.
func (x *exchange) Err() error {
	x.conn.watchFor(x)
	return x.Context.Err()
}

// handle runs the handler for the head of n bytes at the beginning of the input. It returns false when no other request can
// follow.
func (c *conn) handle(n int) bool {
	head := string(c.in.unread()[:n])
	c.in.take(n)
	if c.parser.Upgrade && wantsWebsocket(&c.parser.Head, head) {
		_, _ = c.nc.Write(appendWebsocket(nil, &c.parser.Head, head))
		c.linger()
		return false
	}
	if c.parser.Upgrade {
		c.server.log("WARNING:  Unsupported upgrade request.")
		c.in.release() // what came along is of another protocol
	}
	if c.ahead && c.halfClosed() {
		return false
	}
	x, req := c.newExchange(head)
	parsers.Put(c.parser)
	c.parser = nil
	defer x.cancel()
	if !c.begin(x) {
		return false
	}
	defer c.unwatch()
	if req.ContentLength == 0 && x.settle() != nil {
		return false
	}
	if req.ContentLength != 0 && !x.sound() {
		c.refuse()
		return false
	}
	c.run(x, req)
	if x.response.hijacked {
		return false
	}
	keep := x.response.end()
	c.served = true
	c.unwatch()
	x.body.end()
	switch {
	case c.server.stopping.Load(): // Shutdown may have passed by while the answer was sent
	case keep:
		return x.body.drain() == nil
	case !x.over.Load():
		c.linger()
	}
	return false
}

// begin makes x the request in work, unless the connection was closed.
func (c *conn) begin(x *exchange) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return false
	}
	c.work = x
	return true
}

// run calls the handler and answers for it when it panics.
func (c *conn) run(x *exchange, req *http.Request) {
	defer func() {
		v := recover()
		if v == nil {
			return
		}
		err, is := v.(error)
		wanted := is && errors.Is(err, http.ErrAbortHandler)
		if !wanted {
			c.server.log("ERROR:    Exception in ASGI application\n%v\n%s", v, debug.Stack())
		}
		x.response.fail(!wanted)
	}()
	c.server.Handler.ServeHTTP(&x.response, req)
}

// newExchange makes what the handler gets. It is not part of handle, whose frame would be in memory for as long as the handler runs.
//
//go:noinline
func (c *conn) newExchange(head string) (*exchange, *http.Request) {
	p := c.parser
	x := &exchange{conn: c}
	x.Context, x.cancel = context.WithCancel(context.Background())
	req := http.Request{Method: p.Method, RequestURI: p.Target.Of(head), URL: &x.url, ProtoMajor: int(p.Major), ProtoMinor: int(p.Minor),
		Proto: proto(p.Major, p.Minor), RemoteAddr: c.remote, Body: http.NoBody}
	path := p.Path.Of(head)
	x.url.Path, x.url.RawQuery = httptools.Unquote(path), p.Query.Of(head)
	if x.url.Path != path {
		x.url.RawPath = path
	}
	var expect bool
	req.Header, req.Host, expect = headers(p.Fields, head)
	if req.Host == "" {
		req.Host = c.nc.LocalAddr().String() // as Starlette does
	}
	x.body.exchange = x
	switch {
	case p.Upgrade:
	case p.Chunked:
		x.body.chunked, req.ContentLength, req.TransferEncoding = new(httptools.Chunked), -1, []string{"chunked"}
	default:
		x.body.left, req.ContentLength = p.Length, int64(min(p.Length, 1<<63-1))
	}
	if req.ContentLength != 0 || expect {
		x.body.expect = expect
		req.Body = &x.body
	}
	x.response.exchange, x.response.head, x.response.keep = x, p.Method == http.MethodHead, p.KeepAlive()
	return x, req.WithContext(x)
}

func proto(major, minor byte) string {
	if major == 1 && minor == 1 {
		return "HTTP/1.1"
	}
	return fmt.Sprintf("HTTP/%d.%d", major, minor)
}
