package uvicorn

import (
	"errors"
	"os"
	"syscall"
	"time"
)

// watch is how a connection is watched. conn.mu guards it.
type watch struct {
	raw     syscall.RawConn
	reading chan struct{} // closed when the goroutine that reads ahead has ended; nil without one
	id      int32         // at the server's Watch; 0 is none
}

// watchFor begins to watch the connection for x, whose handler is about to wait. Once begun, the watch for its end lasts as long as
// the connection.
func (c *conn) watchFor(x *exchange) {
	if x.waits.Load() {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.work != x || x.waits.Swap(true) || c.hijacked {
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

// rewatch is due when the handler of x begins to wait and when the body is complete. The caller holds mu.
func (c *conn) rewatch(x *exchange) {
	switch {
	case c.work != x || !x.waits.Load():
	case c.eof:
		c.judge(false)
	case c.watch.id == 0 && x.body.complete.Load() && c.watch.reading == nil:
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
	if x == nil || !x.waits.Load() || c.hijacked {
		return
	}
	if !reset && x.body.complete.Load() && (x.pipelined.Load() || c.unreadBytes() > 0) {
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

// unwatch takes the request out of work, and ends the watch for it.
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
