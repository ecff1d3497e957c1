//go:build unix

package rawnet

import (
	"io"
	"net"
	"os"
	"syscall"
)

// Conn is a TCP connection. At most one goroutine reads and one writes at a time.
type Conn struct {
	*net.TCPConn
	raw     syscall.RawConn
	in, out half
	ask     func(fd uintptr) (done bool) // the step of Ask; nil before the first
	asked   bool                         // it has written
}

// half is one direction of a connection.
type half struct {
	step func(fd uintptr) (done bool) // once made, so that a call allocates nothing
	b    []byte
	n    int
	err  error
}

// Wrap returns c as a Conn when it is a plain TCP connection, and c itself otherwise.
func Wrap(c net.Conn) net.Conn {
	tcp, ok := c.(*net.TCPConn)
	if !ok {
		return c
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return c
	}
	r := &Conn{TCPConn: tcp, raw: raw}
	r.in.step, r.out.step = r.read, r.write
	return r
}

// Raw is what gives the descriptor.
func (c *Conn) Raw() syscall.RawConn { return c.raw }

// Read implements net.Conn.
func (c *Conn) Read(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	c.in.b, c.in.n, c.in.err = b, 0, nil
	err := c.raw.Read(c.in.step)
	c.in.b = nil
	switch {
	case err != nil:
		return 0, err
	case c.in.err != nil:
		return 0, c.failed("read", c.in.err)
	case c.in.n == 0:
		return 0, io.EOF
	}
	return c.in.n, nil
}

func (c *Conn) read(fd uintptr) (done bool) {
	c.in.n, c.in.err = read(fd, c.in.b)
	return c.in.err != syscall.EAGAIN //nolint:errorlint // a system call returns it bare
}

// Poll reads what is there and does not wait: the error is syscall.EAGAIN when nothing is. At the end n is 0 without an error. fd
// is what a syscall.RawConn gives, b is not empty.
func Poll(fd uintptr, b []byte) (n int, err error) { return read(fd, b) }

// Write implements net.Conn.
func (c *Conn) Write(b []byte) (int, error) {
	c.out.b, c.out.n, c.out.err = b, 0, nil
	err := c.raw.Write(c.out.step)
	c.out.b = nil
	if err == nil && c.out.err != nil {
		err = c.failed("write", c.out.err)
	}
	return c.out.n, err
}

func (c *Conn) write(fd uintptr) (done bool) {
	for c.out.n < len(c.out.b) {
		n, err := write(fd, c.out.b[c.out.n:])
		if err == syscall.EAGAIN { //nolint:errorlint // as above
			return false
		}
		c.out.n += n
		if c.out.err = err; err != nil {
			break
		}
	}
	return true
}

// failed is the error as package net gives it.
func (c *Conn) failed(call string, err error) error {
	return &net.OpError{Op: call, Net: "tcp", Source: c.LocalAddr(), Addr: c.RemoteAddr(), Err: os.NewSyscallError(call, err)}
}
