package uvicorn

import (
	"bytes"
	"io"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/uvicorn/httptools"
)

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

// settle is called once the body was read to its end. The body is complete if what is behind it is sound, and else its request is
// refused.
func (x *exchange) settle() error {
	c := x.conn
	if !x.sound() {
		x.refuse()
		return io.ErrUnexpectedEOF
	}
	x.pipelined.Store(len(c.in.unread()) > 0)
	x.body.complete.Store(true)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.rewatch(x)
	return nil
}
