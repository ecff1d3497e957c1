package uvicorn

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/fluidmcp/fluidmcp/internal/rawnet"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/uvicorn/httptools"
)

// maxHead bounds the head of a request in bytes, where uvicorn has no bound: five times the header that vLLM was seen to take.
const maxHead = 1 << 20

// conn is one connection. All but what mu guards belongs to the goroutine that runs serve or resume, and while a handler runs to it.
type conn struct {
	server *Server
	nc     net.Conn
	remote string
	in     input
	parser *httptools.Parser // nil while no head is read
	header http.Header       // empty, for the next answer; nil is none
	served bool              // at least one request
	ahead  bool              // the head was sent before the last answer
	timed  bool              // a read deadline is set
	until  time.Time         // when an idle connection ends

	mu       sync.Mutex
	work     *exchange // in work; nil between requests
	closed   bool      // by the server, or because the client has left
	eof      bool      // the client has shut down its sending half
	hijacked bool      // given away
	watch    watch
}

func newConn(s *Server, nc net.Conn) *conn {
	c := &conn{server: s, nc: rawnet.Wrap(nc), remote: nc.RemoteAddr().String()}
	c.in.conn = c.nc
	return c
}

// serve answers one request after the other. When a handler leaves something for Later, a new goroutine goes on from there: the
// stack of this one has grown with all that the handler has called.
func (c *conn) serve() {
	for {
		x, req := c.next()
		if x == nil {
			break
		}
		c.run(x, func() { c.server.Handler.ServeHTTP(&x.response, req) })
		if x.later != nil {
			c.server.running.Go(func() { c.resume(x) })
			return
		}
		if !c.finish(x) {
			break
		}
	}
	c.close()
}

// resume completes the answer to x and serves on.
func (c *conn) resume(x *exchange) {
	c.run(x, x.later)
	if c.finish(x) {
		c.serve()
	} else {
		c.close()
	}
}

// close ends the connection, unless it was given away.
func (c *conn) close() {
	defer c.server.forget(c)
	c.in.release()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.hijacked {
		return
	}
	c.closed = true
	_ = c.nc.Close()
}

var parsers = sync.Pool{New: func() any { return new(httptools.Parser) }}

// readHead returns the length of the next head in the buffer, or false when there is none to answer.
func (c *conn) readHead() (int, bool) {
	c.parser = parsers.Get().(*httptools.Parser)
	c.parser.Reset()
	for c.ahead = c.served; ; c.ahead = false {
		if !c.parser.Started() {
			c.in.skipBlank()
		}
		if unread := c.in.unread(); len(unread) > 0 {
			n, err := c.parser.Parse(unread)
			if err != nil || n == 0 && len(unread) >= maxHead {
				c.refuse()
				return 0, false
			}
			if n > 0 {
				return n, true
			}
		}
		c.limit(c.served && !c.parser.Started())
		if c.await() != nil {
			return 0, false
		}
	}
}

// await reads the next bytes of a head.
func (c *conn) await() error {
	for {
		err := c.in.fill()
		if !errors.Is(err, os.ErrDeadlineExceeded) || !time.Now().Before(c.until) {
			return err
		}
		_ = c.nc.SetReadDeadline(c.until) // a read fails soon if this does
	}
}

// limit bounds the wait for the next byte of an idle connection, and no other. A deadline that is set stays, and is moved once it
// has come: to set it costs as much as a tenth of reading the request.
func (c *conn) limit(idle bool) {
	switch {
	case idle:
		c.until = time.Now().Add(c.server.keepAlive())
		if !c.timed {
			c.timed = true
			_ = c.nc.SetReadDeadline(c.until)
		}
	case c.timed:
		c.timed = false
		_ = c.nc.SetReadDeadline(time.Time{})
	}
}

// closeIdle ends a connection that has no request in work.
func (c *conn) closeIdle() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.work == nil {
		c.closed = true
		_ = c.nc.Close()
	}
}

// abort ends the connection and the request in work.
func (c *conn) abort() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.leave()
}

// leave closes the connection under the feet of its request. The caller holds mu.
func (c *conn) leave() {
	c.closed = true
	_ = c.nc.Close()
	if c.work != nil {
		c.work.cancel()
	}
}

// hijack gives the connection away.
func (c *conn) hijack() (net.Conn, *bufio.ReadWriter, error) {
	c.mu.Lock()
	c.hijacked = true
	c.mu.Unlock()
	c.stopReading()
	c.server.gone.Remove(c.watch.id)
	unread := bytes.NewReader(bytes.Clone(c.in.unread()))
	c.in.release()
	nc := c.nc
	if raw, ok := nc.(*rawnet.Conn); ok {
		nc = raw.TCPConn // who takes a connection may want to know its kind
	}
	rw := bufio.NewReadWriter(bufio.NewReader(io.MultiReader(unread, nc)), bufio.NewWriter(nc))
	return nc, rw, nc.SetDeadline(time.Time{})
}
