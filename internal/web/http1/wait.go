//go:build linux

package http1

import (
	"bufio"
	"errors"
	"io"
	"net"
	"os"
	"runtime"
	"sync"
	"syscall"
	"time"

	"github.com/fluidmcp/fluidmcp/internal/rawnet"
)

const (
	// inSize is the buffer for requests. Larger heads grow one of their own.
	inSize = 4 << 10
	// restAfter is how long after a request, and at most half as long again, a connection is taken to rest.
	restAfter = time.Second
)

// source is the connection behind the first bytes of a request, where these were read before.
type source struct {
	conn  net.Conn
	first []byte
	fd    int   // where not -1, what is there is read and not waited for
	pace  *pace // of the body that is read
}

func (s *source) Read(p []byte) (int, error) {
	switch {
	case len(s.first) > 0:
		n := copy(p, s.first)
		s.first = s.first[n:]
		return n, nil
	case s.pace != nil:
		return s.pace.read(s.conn, p)
	case s.fd >= 0:
		n, err := rawnet.Poll(uintptr(s.fd), p)
		if n == 0 && err == nil {
			return 0, io.EOF
		}
		return n, err
	}
	return s.conn.Read(p)
}

// buffers of requests. An idle connection has none.
var buffers = sync.Pool{New: func() any { return bufio.NewReaderSize(nil, inSize) }}

// wait for the first bytes of a request.
func (c *conn) wait() error {
	if c.in != nil { // they came with the request before
		return nil
	}
	patience := c.server.IdleTimeout
	if !c.used {
		patience = c.server.ReadHeaderTimeout
	}
	awake := c.awake && c.raw != nil && patience > restAfter
	if awake {
		patience = restAfter
		runtime.Gosched() // while others have something to do, the next request mostly comes, and the first look for it is not in vain
	}
	err := c.limitIdle(patience)
	if err != nil {
		return errEnded
	}
	if c.raw == nil {
		c.take()
		_, err = c.in.Peek(1)
	} else if err = c.raw.Read(c.ready); err == nil {
		err = c.failed
	}
	switch {
	case err == nil:
		c.awake = true
		return nil
	case awake && errors.Is(err, os.ErrDeadlineExceeded):
		c.awake, c.rests = false, true
		c.out, c.held, c.w.header = nil, nil, nil // one by one: a whole response here doubles the stacks of those that wait
		return errRests
	}
	return errEnded // the client has left, or was idle for too long: nothing is owed to it
}

// look reads what is there and keeps a buffer for it only then, so that idle connections have none. It reports false when
// nothing is there yet.
func (c *conn) look(fd uintptr) bool {
	c.take()
	c.src.fd = int(fd)
	_, c.failed = c.in.Peek(1)
	c.src.fd = -1
	if c.failed != nil {
		c.giveBack()
	}
	return !errors.Is(c.failed, syscall.EAGAIN)
}

func (c *conn) take() {
	c.in = buffers.Get().(*bufio.Reader)
	c.src = source{conn: c.net, fd: -1}
	c.in.Reset(&c.src)
}

func (c *conn) giveBack() {
	c.in.Reset(nil)
	buffers.Put(c.in)
	c.in = nil
}

// errRests is a connection that had no request for a moment.
var errRests = errors.New("the connection rests")

// errEnded is a connection that ended between two requests.
var errEnded = errors.New("the connection ended")

// limit bounds how long reading may take from now on.
func (c *conn) limit(d time.Duration) error { return c.readBefore(time.Now().Add(d)) }

// limitIdle is limit, and allows half of the time more, so that a connection in use has not to be told with each request.
func (c *conn) limitIdle(d time.Duration) error {
	if left := time.Until(c.readBy); d <= left && left <= d*3/2 {
		return nil
	}
	return c.limit(d * 3 / 2)
}

// readBefore sets the deadline, in place of one that the body's pace has set.
func (c *conn) readBefore(t time.Time) error {
	c.readBy = t
	if c.body != nil {
		c.body.pace.deadline = time.Time{}
	}
	return c.net.SetReadDeadline(t)
}
