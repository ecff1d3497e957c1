package intake

import (
	"io"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/fluidmcp/fluidmcp/internal/openai"
	"github.com/fluidmcp/fluidmcp/internal/web"
	"github.com/fluidmcp/fluidmcp/services/gateway/refusal"
)

// maxTrusted is how much memory a client gets for saying that it will send as much, 64 KiB, and however full the memory is.
const maxTrusted = 64 << 10

// ErrFull refuses a large body while others have all the memory that they may.
var ErrFull = &openai.Error{Status: http.StatusServiceUnavailable, Type: openai.TypeUnavailable, Code: "overloaded",
	Message: "The gateway holds as many large requests as it has memory for. Try again shortly.", RetryAfter: time.Second}

// Limits bound the bodies of requests, in bytes.
type Limits struct {
	Body     int64 // of one; a larger one gets a 413
	Buffered int64 // of all large ones in memory together, without the first 64 KiB of each; above it they get a 503
}

// Intake takes in bodies within its limits.
type Intake struct {
	limits   Limits
	buffered atomic.Int64
}

// New makes an intake that holds nothing.
func New(l Limits) *Intake { return &Intake{limits: l} }

// Buffered is how many bytes of large bodies are in memory, what Take gave included; the first 64 KiB of each do not count.
func (in *Intake) Buffered() int64 { return in.buffered.Load() }

// Take gives memory for n bytes of an answer that is held back, or false where there is none. Answers get up to half of all: one that
// is passed on as it comes is better than a request that is refused.
func (in *Intake) Take(n int64) bool {
	if in.buffered.Add(n) > in.limits.Buffered/2 {
		in.buffered.Add(-n)
		return false
	}
	return true
}

// Give takes back what Take gave.
func (in *Intake) Give(n int64) { in.buffered.Add(-n) }

// Open makes b, which is zero, the body of a request. Nothing is read yet. A body that says itself that it is over the limit is
// refused.
func (in *Intake) Open(w http.ResponseWriter, r *http.Request, b *Body) error {
	if r.ContentLength > in.limits.Body {
		if r.Header.Get("Expect") == "" { // else the client waits for a word, and this would be the wrong one
			_, _ = web.LimitBody(w, r, 0).Read(make([]byte, 1)) // so that the connection stays until the client has the answer
		}
		return refusal.TooLarge(in.limits.Body)
	}
	b.request, b.in = r, io.Reader(r.Body)
	if r.ContentLength < 0 { // else the server gives no more than that
		b.in = web.LimitBody(w, r, in.limits.Body)
	}
	if b.intake = in; b.Large() {
		b.share = share{in: b.in, of: in}
		b.in = &b.share
	}
	return nil
}

// share is a body's part of the memory for large bodies. What it has beyond maxTrusted counts, as it comes: what a client only
// announces takes nothing. A body below that is always taken, so that short requests go on while long ones have to wait; there are
// no more of them than connections.
type share struct {
	in   io.Reader
	of   *Intake
	free bool // what is read now is not kept
	got  int64
	took int64 // of it counts
}

// Read implements io.Reader.
func (s *share) Read(p []byte) (int, error) {
	n, err := s.in.Read(p)
	if s.free {
		return n, err
	}
	s.got += int64(n)
	more := max(0, s.got-maxTrusted) - s.took
	if more == 0 {
		return n, err
	}
	s.took += more
	if s.of.buffered.Add(more) > s.of.limits.Buffered {
		return 0, ErrFull // with bytes beside it, io.ReadFull would drop it where they are the last that it asked for
	}
	return n, err
}
