//go:build linux

package http1

import (
	"errors"
	"net"
	"os"
	"sync/atomic"
	"time"
)

const (
	// leastProgress of a body gives the client its time anew. Less would let one byte now and then hold a request for ever.
	leastProgress = 1 << 10
	// mostAtOnce of an answer has to leave within the client's time.
	mostAtOnce = 64 << 10
)

// pace bounds how long a client may stand still while its body is read. The time in which nobody reads does not count.
type pace struct {
	over     *atomic.Bool // nobody is to read any more
	stalled  error
	patience time.Duration
	left     time.Duration // of the client's time
	deadline time.Time     // as set
	got      int           // since left was full
}

// read reads from the client. A deadline is set only when the one in force is far from what the client has left.
func (p *pace) read(c net.Conn, b []byte) (int, error) {
	begin := time.Now()
	if p.deadline.Sub(begin) < p.left/2 {
		p.deadline = begin.Add(p.left)
		if err := c.SetReadDeadline(p.deadline); err != nil {
			return 0, err
		}
		if p.over.Load() { // who has set it moves the deadline after that, which was overwritten here if it came before
			return 0, errClosed
		}
	}
	n, err := c.Read(b)
	p.left -= time.Since(begin)
	if p.got += n; p.got >= leastProgress {
		p.got, p.left = 0, p.patience
	}
	return n, stall(err, p.stalled)
}

// stall says what a deadline means.
func stall(err, stalled error) error {
	if err != nil && errors.Is(err, os.ErrDeadlineExceeded) {
		return errors.Join(stalled, err)
	}
	return err
}

// write sends b. A client that takes nothing of a piece within the time, and at most half of it more, breaks the connection.
func (c *conn) write(b []byte) error {
	for {
		if !c.writeOwn && time.Until(c.writeBy) < c.server.Patience {
			c.writeBy = time.Now().Add(c.server.Patience * 3 / 2)
			if err := c.net.SetWriteDeadline(c.writeBy); err != nil {
				return err
			}
		}
		n, err := c.net.Write(b[:min(len(b), mostAtOnce)])
		b = b[n:]
		if err != nil {
			c.left() // nobody can be answered any more
			return stall(err, c.server.Stalled)
		}
		if len(b) == 0 {
			return nil
		}
	}
}
