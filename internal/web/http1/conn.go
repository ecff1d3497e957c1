//go:build linux

package http1

import (
	"bufio"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"runtime/debug"
	"sync"
	"syscall"
	"time"

	"github.com/fluidmcp/fluidmcp/internal/reqctx"
)

const (
	// maxHeld is how much of a body without a length is held back in the hope that it ends.
	maxHeld = 2 << 10
	// maxOut is how much of an answer is collected before it is written.
	maxOut = 4 << 10
	// maxUnread is how much of a body that the handler did not want is read to keep the connection, 256 KiB.
	maxUnread = 256 << 10
	// linger is how long a client that is still sending may take to see why its connection is closed.
	linger = 500 * time.Millisecond
)

// conn is one connection.
type conn struct {
	server *Server
	net    net.Conn
	remote string                // address
	raw    syscall.RawConn       // nil where net has none
	ready  func(fd uintptr) bool // reads what is there, for raw
	failed error                 // of ready
	tls    *tls.ConnectionState  // nil for plain text

	watched int32 // id at the server's Watch; 0 is none

	in   *bufio.Reader // only while a request is served
	src  source        // of in
	out  []byte        // to be written
	held []byte        // of a body whose length may yet be told
	w    response      // to the request in progress
	body *body         // of it; nil when it has none. Each has its own: who kept one reads nothing of a later request

	readBy   time.Time // the deadline for reading, as set
	writeBy  time.Time // the deadline for writing, as set
	writeOwn bool      // by the handler

	mu     sync.Mutex
	idle   bool            // between two requests
	used   bool            // had a request
	handed bool            // to HTTP2; only the connection's goroutine looks, as at the next two
	awake  bool            // this goroutine has had a request
	rests  bool            // another goroutine is to go on
	ctx    *reqctx.Context // of the request in progress
	gone   bool            // the client has closed its side
}

// serve answers requests until the connection ends. One that rests goes on in a new goroutine, whose stack has not grown with
// requests: thousands of idle connections take less memory.
func (c *conn) serve() {
	defer func() {
		if p := recover(); p != nil { // one connection's defect is not the end of all others
			c.server.logf("http: panic serving %s: %v\n%s", c.remote, p, debug.Stack())
		}
		if c.rests {
			c.rests = false
			go c.serve()
			return
		}
		c.server.forget(c)
	}()
	if c.remote == "" {
		c.remote = c.net.RemoteAddr().String() // a PROXY header may have to be waited for
	}
	if secure, ok := c.net.(*tls.Conn); ok && c.tls == nil && !c.handshake(secure) {
		return
	}
	for c.next() {
	}
}

// next answers one request and reports whether another may follow.
func (c *conn) next() bool {
	r, err := c.await()
	if errors.Is(err, errHanded) || errors.Is(err, errRests) {
		return false
	} else if err != nil {
		c.refuse(err)
		return false
	}
	defer c.release()
	keep := c.answer(r)
	if !keep {
		c.close()
		return false
	}
	return c.rest()
}

// answer runs the handler and reports whether the connection can carry another request.
func (c *conn) answer(r *incoming) (keep bool) {
	defer c.endRequest()
	c.body, r.Body = nil, http.NoBody
	if r.Framing.Length != 0 {
		c.body = &r.body
		c.body.begin(c, r.Framing)
		r.Body = c.body
		c.src.pace = &c.body.pace
	}
	r.RemoteAddr, r.TLS = c.remote, c.tls
	w := &c.w
	if w.header == nil {
		w.header = make(http.Header)
	}
	*w = response{conn: c, request: &r.Request, header: w.header, length: -1, close: r.Framing.Close}
	returned := c.run(w, &r.Request)
	c.body.seize()
	if !returned {
		if w.sent && w.endsWithClose() {
			c.reset()
		}
		return false
	}
	if !w.sent && (c.body.unasked() || !c.body.discard()) {
		w.close = true // before the header goes out, so that the client knows
	}
	err := w.finish()
	return err == nil && !w.close && c.body.discard()
}

// run calls the handler and reports whether it returned. One that panics breaks the answer off.
func (c *conn) run(w *response, r *http.Request) (returned bool) {
	defer func() {
		if p := recover(); p != nil && p != any(http.ErrAbortHandler) {
			c.server.logf("http: panic serving %s: %v\n%s", r.RemoteAddr, p, debug.Stack())
		}
	}()
	c.server.Handler.ServeHTTP(w, r)
	return true
}

// rest ends a request. It reports false when the server stops.
func (c *conn) rest() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.idle = true
	return !c.server.closing.Load()
}

// release gives the buffers back, unless the next request is in them already.
func (c *conn) release() {
	c.out, c.held, c.src.pace, c.writeOwn = shrink(c.out), shrink(c.held), nil, false
	clear(c.w.header)
	if c.body != nil && !c.body.pace.deadline.IsZero() {
		c.readBy = c.body.pace.deadline
	}
	c.body, c.w.request = nil, nil // an idle connection is not to keep its last request
	if c.in.Buffered() > 0 || len(c.src.first) > 0 {
		return
	}
	c.giveBack()
}

// shrink empties a buffer and lets go of one that has grown large.
func shrink(b []byte) []byte {
	if cap(b) > 2*maxOut {
		return nil
	}
	return b[:0]
}

// flush writes what was collected.
func (c *conn) flush() error {
	if len(c.out) == 0 {
		return nil
	}
	err := c.write(c.out)
	c.out = c.out[:0]
	return err
}
