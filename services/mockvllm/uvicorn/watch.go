package uvicorn

import (
	"bytes"
	"errors"
	"io"
	"os"
	"syscall"
	"time"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/uvicorn/httptools"
)

// watch is how a connection is watched. conn.mu guards it.
type watch struct {
	raw      syscall.RawConn
	reading  chan struct{} // closed when the goroutine that reads ahead has ended; nil without one
	id       int32         // at the server's Watch; 0 is none
	hijacked bool
}

// watchFor begins to watch the connection for x, whose handler is about to wait. Once begun, the watch for its end lasts as long as
// the connection.
func (c *conn) watchFor(x *exchange) {
	if x.waits.Load() {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.work != x || x.waits.Swap(true) || c.watch.hijacked {
		return
	}
	if c.watch.id == 0 {
		c.watchEnd()
	}
	c.rewatch(x)
}

// watchEnd has the end of the connection told, or leaves the id 0 where nobody can. The caller holds mu.
func (c *conn) watchEnd() {
	sc, ok := c.nc.(syscall.Conn)
	if !ok {
		return
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return
	}
	c.watch.raw, c.watch.id = raw, c.server.gone.Add(raw, c)
}

// rewatch is due when the handler of x begins to wait and when the body is over. The caller holds mu.
func (c *conn) rewatch(x *exchange) {
	switch {
	case c.work != x || !x.waits.Load():
	case c.eof:
		c.judge(false)
	case c.watch.id == 0 && x.over.Load() && c.watch.reading == nil:
		c.readAhead(x)
	}
}

// HungUp implements hangup.Conn.
func (c *conn) HungUp(reset bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.eof = true
	c.judge(reset)
}

// judge decides whether a client that sends no more has left. While bytes of a next request are there, uvicorn does not look
// further. A body that was not read to its end is no reason to wait: uvicorn had read it. The caller holds mu.
func (c *conn) judge(reset bool) {
	x := c.work
	if x == nil || !x.waits.Load() || c.watch.hijacked {
		return
	}
	if !reset && x.over.Load() && (x.pipelined.Load() || c.unreadBytes() > 0) {
		return
	}
	c.leave()
}

// readAhead watches where the kernel cannot: a goroutine reads the next bytes. The caller holds mu.
func (c *conn) readAhead(x *exchange) {
	c.limit(false)
	done := make(chan struct{})
	c.watch.reading = done
	c.server.running.Go(func() {
		defer close(done)
		err := c.in.fill()
		c.mu.Lock()
		defer c.mu.Unlock()
		if err == nil {
			x.pipelined.Store(true)
		} else if c.work == x && !errors.Is(err, os.ErrDeadlineExceeded) {
			c.eof = true
			c.judge(false)
		}
	})
}

// unwatch ends the work on the request, and the watch for it.
func (c *conn) unwatch() {
	c.mu.Lock()
	c.work = nil
	c.mu.Unlock()
	c.stopReading()
}

// stopReading ends the goroutine that reads ahead.
func (c *conn) stopReading() {
	c.mu.Lock()
	reading := c.watch.reading
	c.watch.reading = nil
	c.mu.Unlock()
	if reading != nil {
		_ = c.nc.SetReadDeadline(time.Unix(1, 0)) // wakes the reader
		<-reading
		_ = c.nc.SetReadDeadline(time.Time{})
	}
}

// sound tells whether the bytes behind the head can be the rest of the request and the beginning of another. uvicorn parses all
// that it has read before a handler begins, so that a bad request takes the answer of the good one before it along.
func (x *exchange) sound() bool {
	b := x.conn.in.unread()
	if x.body.chunked != nil {
		body := *x.body.chunked
		for len(b) > 0 && !body.Done {
			n, err := body.Framing(b)
			if err != nil {
				return false
			}
			b = b[n:]
			if n = int(min(uint64(len(b)), body.Left)); n > 0 {
				body.Took(n)
				b = b[n:]
			}
		}
	} else {
		b = b[min(uint64(len(b)), x.body.left):]
	}
	b = bytes.TrimLeft(b, "\r\n")
	if len(b) == 0 || !x.response.keep {
		return true
	}
	var next httptools.Parser
	_, err := next.Parse(b)
	return err == nil
}

// settle is called once the body is over.
func (x *exchange) settle() error {
	c := x.conn
	if !x.sound() {
		x.refuse()
		return io.ErrUnexpectedEOF
	}
	x.pipelined.Store(len(c.in.unread()) > 0)
	x.over.Store(true)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.rewatch(x)
	return nil
}

// refuse answers the bytes behind a request, and ends that.
func (x *exchange) refuse() {
	x.conn.refuse()
	x.conn.abort()
}
