package relay

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync"

	"github.com/fluidmcp/fluidmcp/internal/sse"
	"github.com/fluidmcp/fluidmcp/internal/web"
	"github.com/fluidmcp/fluidmcp/services/gateway/scan"
)

// chunk is how much of an answer that is not held back is read at once.
const chunk = 32 << 10

// plain is an answer that is no event stream.
type plain struct {
	Answer
	opts  Options
	held  *bytes.Buffer
	taken int64 // of Options.Memory, for held
	whole bool  // held is all of it
	usage Usage
}

var errTorn = errors.New("the answer ended in the middle of its JSON")

// kept are buffers of answers that are over, to be used again.
var kept = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// maxKept is the largest buffer that is, 64 KiB. So much of each answer may always be held back.
const maxKept = 64 << 10

func receivePlain(a Answer, resp *http.Response, opts Options, media string) (*Answer, error) {
	p := &plain{Answer: a, opts: opts, held: kept.Get().(*bytes.Buffer)}
	p.sender = p
	if err := p.receive(resp, media); err != nil {
		p.close()
		return nil, err
	}
	return &p.Answer, nil
}

func (p *plain) receive(resp *http.Response, media string) error {
	if media != "application/json" && resp.ContentLength < 0 {
		return p.begin() // speech, for example: made while it is sent, and nothing of it tells whether it is whole
	}
	err := p.hold(resp.ContentLength)
	if err != nil || !p.whole {
		return err
	}
	if p.usage, err = readUsage(p.held.Bytes()); err != nil && media == "application/json" && torn(resp, p.held.Bytes(), err) {
		return errTorn
	}
	p.cut = bytes.Contains(p.held.Bytes(), aborted)
	if resp.ContentLength < 0 && resp.Request.Method != http.MethodHead { // to HEAD that would tell of another answer
		p.header.Set("Content-Length", strconv.Itoa(p.held.Len()))
	}
	return nil
}

// hold reads the answer, of a length that is announced unless it is -1, as far as it may be held back.
func (p *plain) hold(length int64) error {
	for p.grow(length) {
		free := p.held.AvailableBuffer()
		n, err := p.Read(free[:cap(free)])
		p.held.Write(free[:n])
		if err == io.EOF {
			p.whole = true
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// grow makes place for more of the answer, all at once where its length is announced, and tells whether more may be held back.
func (p *plain) grow(length int64) bool {
	if p.held.Available() >= bytes.MinRead {
		return true
	}
	had := p.held.Cap()
	size := max(2*had, int(min(length, maxHeld))+bytes.MinRead)
	if size > maxHeld+bytes.MinRead {
		return false
	}
	if more := int64(size - max(had, maxKept)); more > 0 {
		if p.opts.Memory.Take(more) {
			p.taken += more
		} else if size = maxKept; size <= had {
			return false
		}
	}
	p.held.Grow(size - p.held.Len())
	return true
}

// begin waits for the first piece, without which the answer may be another server's.
func (p *plain) begin() error {
	piece := make([]byte, chunk)
	n, err := p.Read(piece)
	p.held.Write(piece[:n])
	if err == io.EOF { // which is told once more
		return nil
	}
	return err
}

// torn tells half a JSON object, for which err was found, from what is none. Where an answer ends with its connection, a server that
// died looks like one that is done; and a length may be wrong. A refusal is told by its status.
func torn(resp *http.Response, body []byte, err error) bool {
	body = bytes.TrimRight(body, " \t\r\n")
	fault, ok := errors.AsType[*scan.SyntaxError](err)
	switch {
	case !ok || resp.StatusCode >= http.StatusMultipleChoices || resp.Header["Content-Encoding"] != nil:
		return false
	case len(body) == 0: // where nothing was announced nothing is missing
		return resp.ContentLength < 0 && resp.TransferEncoding == nil && resp.Request.Method != http.MethodHead
	}
	return bytes.TrimLeft(body, " \t\r\n")[0] == '{' && (body[len(body)-1] != '}' || fault.Offset >= len(body))
}

// Read reads from the backend for as long as it may be silent.
func (p *plain) Read(b []byte) (int, error) {
	p.opts.Patience.Expect(p.opts.Idle)
	n, err := p.body.Read(b)
	p.opts.Patience.Pause()
	return n, err
}

func (p *plain) ending() bool { return hasLastWords(p.held.Bytes()) }

func (p *plain) close() {
	if p.held != nil && p.held.Cap() <= maxKept {
		p.held.Reset()
		kept.Put(p.held)
	}
	if p.taken > 0 {
		p.opts.Memory.Give(p.taken)
	}
	p.held, p.taken = nil, 0
}

func (p *plain) send(w http.ResponseWriter, begun bool) Result {
	if begun {
		return p.sendEvent(w)
	}
	p.writeHeader(w)
	if _, err := w.Write(p.held.Bytes()); err != nil {
		return Result{Outcome: ClientClosed, Err: err}
	}
	if p.whole {
		return Result{Outcome: Completed, Usage: p.usage}
	}
	p.close() // the rest may take as long as it likes
	return p.stream(w)
}

// sendEvent ends a stream that has begun with what the backend said instead: its refusal.
func (p *plain) sendEvent(w http.ResponseWriter) Result {
	out := http.NewResponseController(w)
	if _, err := w.Write(sse.AppendData(nil, bytes.TrimSpace(p.held.Bytes()))); err != nil {
		return Result{Outcome: ClientClosed, Err: err}
	}
	_ = out.Flush() // the handler ends here anyway
	return Result{Outcome: Failed, Err: fmt.Errorf("the model server answered %d instead of a stream", p.Status)}
}

// stream sends what was not held back, as it comes. The usage of such an answer is not looked for: no text model gives one.
func (p *plain) stream(w http.ResponseWriter) Result {
	out := http.NewResponseController(w)
	if err := out.Flush(); err != nil { // also what turns out to be empty goes in chunks, as it came
		return Result{Outcome: ClientClosed, Err: err}
	}
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
		if failed := out.Flush(); failed != nil {
			return Result{Outcome: ClientClosed, Err: failed}
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
