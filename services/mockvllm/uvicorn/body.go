package uvicorn

import (
	"io"
	"net/http"
	"sync"
	"sync/atomic"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/uvicorn/httptools"
)

// body reads the body of a request from the connection, as far as the handler asks. What it leaves is drained afterwards.
type body struct {
	exchange *exchange
	mu       sync.Mutex // a handler may leave a goroutine behind that still reads
	left     uint64     // of a body with a length
	chunked  *httptools.Chunked
	expect   bool        // the client waits for 100 Continue
	ended    bool        // by the server
	complete atomic.Bool // read to its end
	err      error
}

// Read sends the 100 Continue that a client waits for, as uvicorn does when the application first asks for the body. A body
// that ends early is io.ErrUnexpectedEOF.
func (b *body) Read(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ended {
		return 0, http.ErrBodyReadAfterClose
	}
	if b.expect && !b.exchange.response.began {
		_, _ = b.exchange.conn.nc.Write([]byte("HTTP/1.1 100 Continue\r\n\r\n")) // a client that is gone is found by the read
	}
	b.expect = false
	return b.read(p)
}

// Close does nothing: what is left is drained once the answer is sent.
func (b *body) Close() error { return nil }

func (b *body) read(p []byte) (int, error) {
	for b.err == nil && len(p) > 0 {
		if b.complete.Load() {
			return 0, io.EOF
		}
		if b.chunked != nil && b.chunked.Left == 0 {
			b.err = b.framing()
			continue
		}
		n, err := b.data(p)
		b.err = err
		if n > 0 {
			return n, nil
		}
	}
	return 0, b.err
}

// data reads from the buffer, or else from the connection without a detour.
func (b *body) data(p []byte) (n int, err error) {
	left := b.left
	if b.chunked != nil {
		left = b.chunked.Left
	}
	p = p[:min(uint64(len(p)), left)]
	c := b.exchange.conn
	if unread := c.in.unread(); len(unread) > 0 {
		n = copy(p, unread)
		c.in.take(n)
	} else {
		c.limit(false)
		n, err = c.nc.Read(p)
	}
	if b.chunked != nil && n > 0 {
		b.chunked.Took(n)
	} else if b.left -= uint64(n); b.chunked == nil && b.left == 0 {
		return n, b.exchange.settle()
	}
	if err != nil && n == 0 {
		return 0, b.broken()
	}
	return n, nil
}

// framing reads up to the next data, or to the end of the body.
func (b *body) framing() error {
	c := b.exchange.conn
	if len(c.in.unread()) == 0 {
		c.limit(false)
		if c.in.fill() != nil {
			return b.broken()
		}
	}
	n, err := b.chunked.Framing(c.in.unread())
	if err != nil {
		b.exchange.refuse()
		return err
	}
	c.in.take(n)
	if b.chunked.Done {
		return b.exchange.settle()
	}
	return nil
}

// broken ends the request of a client that has left in the middle of it.
func (b *body) broken() error {
	b.exchange.conn.abort()
	return io.ErrUnexpectedEOF
}

// end keeps others from reading on.
func (b *body) end() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ended = true
}

// drain reads what the handler has left of the body.
func (b *body) drain() error {
	if b.complete.Load() {
		return nil
	}
	waste := make([]byte, smallInput)
	for {
		if _, err := b.read(waste); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
	}
}
