//go:build linux

package http1

import (
	"net"
	"time"
)

// preface begins the connections of HTTP/2.
const preface = "PRI * HTTP/2.0\r\n\r\n"

// handOver gives a connection that speaks HTTP/2 to who does. It reports false for any other.
func (c *conn) handOver(head string) bool {
	if head != preface || c.server.HTTP2 == nil {
		return false
	}
	first, _ := c.in.Peek(c.in.Buffered())
	first = append(append([]byte(head), first...), c.src.first...)
	c.giveBack()
	if c.net.SetReadDeadline(time.Time{}) != nil {
		return false
	}
	c.handed = true
	c.server.HTTP2(&replayed{Conn: c.net, first: first})
	return true
}

// replayed is a connection of which the first bytes were read.
type replayed struct {
	net.Conn
	first []byte
}

func (r *replayed) Read(b []byte) (int, error) {
	if len(r.first) > 0 {
		n := copy(b, r.first)
		r.first = r.first[n:]
		return n, nil
	}
	return r.Conn.Read(b)
}
