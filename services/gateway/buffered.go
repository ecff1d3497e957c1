package gateway

import (
	"io"
	"net/http"
	"time"

	"github.com/fluidmcp/fluidmcp/internal/openai"
)

// buffered is a body that is read into memory. What it has beyond maxTrusted counts against what the bodies of all requests may take
// together, as it comes: what a client only announces takes nothing. A body below that is always taken, so that short requests go
// on while long ones have to wait; there are no more of them than connections.
type buffered struct {
	in   io.Reader
	c    *call
	free bool // what is read now is not kept
	got  int64
	took int64 // of it counts
}

// Read implements io.Reader.
func (b *buffered) Read(p []byte) (int, error) {
	n, err := b.in.Read(p)
	if b.free {
		return n, err
	}
	b.got += int64(n)
	more := max(0, b.got-maxTrusted) - b.took
	if more == 0 {
		return n, err
	}
	g := b.c.g
	b.took += more
	if g.bufferedBytes.Add(more) > g.cfg.MaxBufferedBytes {
		return n, b.c.fail(reasonOverloaded, &openai.Error{Status: http.StatusServiceUnavailable, Type: openai.TypeUnavailable, Code: "overloaded",
			Message: "The gateway holds as many large requests as it has memory for. Try again shortly.", RetryAfter: time.Second})
	}
	return n, err
}

// pass tells that what is read from now on is passed on and not kept.
func (b *buffered) pass() {
	if b != nil {
		b.free = true
	}
}

// release gives back what counts.
func (b *buffered) release() {
	if b != nil {
		b.c.g.bufferedBytes.Add(-b.took)
	}
}
