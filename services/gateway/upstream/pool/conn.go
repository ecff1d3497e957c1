package pool

import (
	"net"
	"syscall"
	"time"

	"github.com/fluidmcp/fluidmcp/internal/rawnet"
)

// Conn is a connection that the pool counts until Drop.
type Conn struct {
	net.Conn      // TLS when the scheme asks for it
	Reused   bool // it has carried a request before

	Abort func() // closes the socket at once; Drop is still needed. It may be called from any goroutine

	key   Key
	since time.Duration // when it became idle, since the pool's beginning

	raw  syscall.RawConn // nil when the connection is no socket
	peek func(fd uintptr) bool
	gone bool // what peek found
}

func newConn(key Key, conn, socket net.Conn) *Conn {
	c := &Conn{Conn: rawnet.Wrap(conn), key: key, Abort: func() { _ = socket.Close() }} // nothing is left to do when that fails
	if s, ok := socket.(syscall.Conn); ok {
		if raw, err := s.SyscallConn(); err == nil {
			c.raw = raw
		}
	}
	c.peek = func(fd uintptr) bool {
		var one [1]byte
		_, err := rawnet.Poll(fd, one[:])
		// An end, an error, or bytes that nobody asked for: all but "nothing there" make it useless.
		c.gone = err != syscall.EAGAIN //nolint:errorlint // a system call returns it bare
		return true
	}
	return c
}

// Send writes a whole request, and on a kept connection waits until there is something to read. It writes nothing and returns
// rawnet.ErrStale where the server has closed that connection meanwhile or has said something on it.
func (c *Conn) Send(request []byte) error {
	if c.looks() {
		return c.Conn.(*rawnet.Conn).Ask(request)
	}
	_, err := c.Write(request)
	return err
}

// looks tells whether Send finds out that the connection is not alive.
func (c *Conn) looks() bool {
	_, ok := c.Conn.(*rawnet.Conn)
	return ok && c.Reused
}

// alive tells whether the server has neither closed an idle connection nor said anything on it. It does not wait.
func (c *Conn) alive() bool {
	if c.raw == nil {
		return true
	}
	err := c.raw.Read(c.peek)
	return err == nil && !c.gone
}
