//go:build unix

package rawnet

import (
	"errors"
	"syscall"
)

// ErrStale says that something was on a connection where nothing should be: its end, an error, or bytes that nobody has asked for.
var ErrStale = errors.New("the connection was not idle")

// Ask writes b on an idle connection, and waits until there is something to read. It writes nothing and returns ErrStale where
// something was there before.
//
// It spares a system call for each answer. Go's poller forgets what it knew when a read begins, so whoever waits has to try in vain
// first. Here the read begins before b is written, the look that finds out whether the connection is idle is the try in vain, and what
// comes after it is noticed.
func (c *Conn) Ask(b []byte) error {
	if c.ask == nil { // a server never asks
		c.ask = c.askOnce
	}
	c.out.b, c.out.n, c.out.err = b, 0, nil
	c.in.err, c.asked = nil, false
	err := c.raw.Read(c.ask)
	c.out.b = nil
	switch {
	case err != nil:
		return err
	case c.in.err != nil:
		return c.in.err
	case c.out.err != nil:
		return c.failed("write", c.out.err)
	case c.out.n < len(b): // more than the connection takes at once
		_, err = c.Write(b[c.out.n:])
	}
	return err
}

// askOnce is the step of Ask.
func (c *Conn) askOnce(fd uintptr) (done bool) {
	if c.asked {
		return true
	}
	c.asked = true
	var one [1]byte
	if _, err := read(fd, one[:]); err != syscall.EAGAIN { //nolint:errorlint // a system call returns it bare
		c.in.err = ErrStale
		return true
	}
	return !c.write(fd) || c.out.err != nil
}
