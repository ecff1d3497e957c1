//go:build linux

package http1

import (
	"bytes"
	"errors"
	"net"
	"net/http"

	"github.com/fluidmcp/fluidmcp/internal/reqctx"
	"github.com/fluidmcp/fluidmcp/internal/web/http1/head"
)

// incoming is a request with its body, in one piece of memory.
type incoming struct {
	head.Head
	ctx  reqctx.Context
	body body
}

// await reads the head of the next request. Between requests the connection holds no buffer, and waiting is bounded by
// the idle time; once something came, by the time for a header.
func (c *conn) await() (*incoming, error) {
	if err := c.wait(); err != nil {
		return nil, err
	}
	text, err := c.readHead()
	if err != nil {
		return nil, err
	}
	if c.handOver(text) {
		return nil, errHanded
	}
	r := &incoming{}
	r.ctx.Begin(c.server.BaseContext)
	if err := r.Parse(&r.ctx, text); err != nil {
		return nil, err
	}
	c.beginRequest(&r.ctx)
	return r, nil
}

// errHanded is a connection that somebody else serves now.
var errHanded = errors.New("the connection was handed over")

// readHead reads the next request's head.
func (c *conn) readHead() (string, error) {
	c.begin()
	limited := false
	var large []byte // a head that does not fit the buffer
	searched := 0
	for {
		b, _ := c.in.Peek(c.in.Buffered())
		if large == nil {
			if rest := c.skipBlank(b); len(rest) < len(b) {
				b, searched = rest, 0
			}
		} else {
			large = append(large, b...)
			_, _ = c.in.Discard(len(b))
			b = large
		}
		n, err := head.End(b, searched)
		switch {
		case err != nil:
			return "", err
		case n > c.server.MaxHeaderBytes || n == 0 && len(b) > c.server.MaxHeaderBytes:
			return "", head.ErrTooLarge
		case n > 0 && large == nil:
			text := string(b[:n])
			_, _ = c.in.Discard(n)
			return text, nil
		case n > 0:
			text := string(b[:n])
			c.src.first = append(bytes.Clone(b[n:]), c.src.first...)
			return text, nil
		}
		searched = len(b)
		if large == nil && c.in.Buffered() == c.in.Size() {
			large = bytes.Clone(b)
			_, _ = c.in.Discard(len(b))
		}
		if !limited { // nearly every head is here at once
			limited = true
			if err := c.limit(c.server.ReadHeaderTimeout); err != nil {
				return "", errEnded
			}
		}
		if _, err := c.in.Peek(c.in.Buffered() + 1); err != nil {
			return "", c.headFailed(err, len(b) > 0)
		}
	}
}

// skipBlank leaves out the blank lines that some clients send before a request (RFC 9112, section 2.2).
func (c *conn) skipBlank(b []byte) []byte {
	for bytes.HasPrefix(b, []byte("\r\n")) {
		_, _ = c.in.Discard(2)
		b = b[2:]
	}
	return b
}

func (c *conn) headFailed(err error, begun bool) error {
	var timeout net.Error
	if begun && errors.As(err, &timeout) && timeout.Timeout() {
		return head.Refuse(http.StatusRequestTimeout, "The request's header did not come in time.")
	}
	return errEnded
}

// begin marks the connection as used. A request that has come is answered, also when the server stops meanwhile.
func (c *conn) begin() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.idle, c.used = false, true
}
