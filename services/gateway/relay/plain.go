package relay

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strconv"

	"github.com/fluidmcp/fluidmcp/internal/web"
)

// chunk is how much of an answer that is not held back is read at once.
const chunk = 32 << 10

// plain is an answer that is no event stream.
type plain struct {
	answer *Answer
	opts   Options
	body   io.Reader
	held   bytes.Buffer
	whole  bool // held is all of it
}

func receivePlain(a *Answer, resp *http.Response, opts Options) (*plain, error) {
	p := &plain{answer: a, opts: opts, body: resp.Body}
	if resp.ContentLength > 0 {
		p.held.Grow(int(min(resp.ContentLength, maxHeld)) + bytes.MinRead)
	}
	if _, err := p.held.ReadFrom(io.LimitReader(p, maxHeld)); err != nil {
		return nil, err
	}
	p.whole = p.held.Len() < maxHeld
	if p.whole && resp.ContentLength < 0 {
		a.header.Set("Content-Length", strconv.Itoa(p.held.Len()))
	}
	return p, nil
}

// Read reads from the backend for as long as it may be silent.
func (p *plain) Read(b []byte) (int, error) {
	p.opts.Patience.Expect(p.opts.Idle)
	n, err := p.body.Read(b)
	p.opts.Patience.Pause()
	return n, err
}

func (p *plain) send(w http.ResponseWriter) Result {
	p.answer.writeHeader(w)
	if _, err := w.Write(p.held.Bytes()); err != nil {
		return Result{Outcome: ClientClosed, Err: err}
	}
	if p.whole {
		return Result{Outcome: Completed, Usage: usageOf(p.held.Bytes())}
	}
	return p.stream(w)
}

// stream sends what was not held back. The usage of such an answer is not looked for: no text model gives one.
func (p *plain) stream(w http.ResponseWriter) Result {
	buf := make([]byte, chunk)
	for {
		n, err := p.Read(buf)
		if _, failed := w.Write(buf[:n]); failed != nil {
			return Result{Outcome: ClientClosed, Err: failed}
		}
		if err == io.EOF {
			return Result{Outcome: Completed}
		}
		if err != nil {
			return broken(p.opts, err, Result{Abort: true})
		}
	}
}

// broken fills in a result for a read that failed.
func broken(opts Options, err error, r Result) Result {
	r.Outcome, r.Err = Interrupted, err
	if cause := opts.Cause(); cause != nil {
		r.Err = cause
		if errors.Is(cause, web.ErrClientLeft) {
			r.Outcome = ClientClosed
		}
	}
	return r
}
