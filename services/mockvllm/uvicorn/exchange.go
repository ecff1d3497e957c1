package uvicorn

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"runtime/debug"
	"sync/atomic"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/uvicorn/httptools"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/uvicorn/websocket"
)

// exchange is one request and its answer, as far as that needs the request. It is never used again, since handlers may keep parts of it.
type exchange struct {
	conn       *conn
	body       body
	response   response
	later      func()        // see Later; nil for nothing
	waits      atomic.Bool   // the handler has asked for the context
	pipelined  atomic.Bool   // bytes of the next request have been read
	canceled   bool          // the context has ended. conn.mu guards it
	key, value any           // of the context, see With; no key is none
	done       chan struct{} // of the context; made when it is asked for. conn.mu guards it
}

// next reads the head of the next request. It returns nil when there is none to answer.
func (c *conn) next() (*exchange, *http.Request) {
	n, ok := c.readHead()
	if !ok {
		return nil, nil
	}
	head := string(c.in.unread()[:n])
	c.in.take(n)
	if c.parser.Upgrade && websocket.Wanted(&c.parser.Head, head) {
		c.refuseWebsocket(head)
		return nil, nil
	}
	if c.parser.Upgrade {
		c.server.log("WARNING:  Unsupported upgrade request.")
		c.in.release() // what came along is of another protocol
	}
	if c.ahead && c.halfClosed() {
		return nil, nil
	}
	x, req := c.newExchange(head)
	parsers.Put(c.parser)
	c.parser = nil
	if !c.begin(x) {
		return nil, nil
	}
	switch {
	case req.ContentLength == 0 && x.settle() != nil:
	case req.ContentLength != 0 && !x.sound():
		c.refuse()
	default:
		return x, req
	}
	c.end(x)
	return nil, nil
}

// finish completes the answer. It returns false when no other request can follow.
func (c *conn) finish(x *exchange) bool {
	defer c.end(x)
	if x.response.hijacked {
		return false
	}
	keep := x.response.end()
	if h := x.response.header; h != nil {
		clear(h)
		c.header = h
	}
	c.served = true
	c.unwatch()
	x.body.end()
	switch {
	case c.server.stopping.Load(): // Shutdown may have passed by while the answer was sent
	case keep:
		return x.body.drain() == nil
	case !x.body.complete.Load():
		c.linger()
	}
	return false
}

// end ends the work on x, and its context.
func (c *conn) end(x *exchange) {
	c.unwatch()
	c.mu.Lock()
	defer c.mu.Unlock()
	x.cancel()
}

// begin makes x the request in work, unless the connection was closed.
func (c *conn) begin(x *exchange) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		x.cancel()
		return false
	}
	c.work = x
	return true
}

// run calls the handler, or what it has left for later, and answers for it when it panics.
func (c *conn) run(x *exchange, f func()) {
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
		x.later = nil
		x.response.fail(!wanted)
	}()
	f()
}

// newExchange makes what the handler gets.
func (c *conn) newExchange(head string) (*exchange, *http.Request) {
	p := c.parser
	x := &exchange{conn: c}
	req := http.Request{Method: p.Method, RequestURI: p.Target.Of(head), URL: new(url.URL), ProtoMajor: int(p.Major), ProtoMinor: int(p.Minor),
		Proto: proto(p.Major, p.Minor), RemoteAddr: c.remote, Body: http.NoBody}
	path := p.Path.Of(head)
	req.URL.Path, req.URL.RawQuery = httptools.Unquote(path), p.Query.Of(head)
	if req.URL.Path != path {
		req.URL.RawPath = path
	}
	var expect bool
	req.Header, req.Host, expect = headers(p.Fields, head)
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
