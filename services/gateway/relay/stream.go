package relay

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/fluidmcp/fluidmcp/internal/openai"
	"github.com/fluidmcp/fluidmcp/internal/sse"
	"github.com/fluidmcp/fluidmcp/internal/web"
)

var (
	errEmpty   = errors.New("the event stream ended before its first event")
	errAborted = errors.New("the model server gave the answer up")
	errNoEnd   = map[End]error{
		EndDone:     errors.New("the event stream ended without [DONE]"),
		EndResponse: errors.New("the event stream ended without response.completed"),
		EndMessage:  errors.New("the event stream ended without message_stop"),
	}
)

// stream is an event stream on its way.
type stream struct {
	Answer
	opts    Options
	frames  *sse.Reader
	next    sse.Frame // read and not sent
	pattern pattern
	unask   unasker

	begun     bool // something was flushed
	usage     Usage
	failed    bool
	aborted   bool
	received  time.Time     // the first frame
	spoke     bool          // there was a token
	lastToken time.Duration // since received
}

// receiveStream waits for the first frame: vLLM sends the header at once and the first frame with the first token, so
// a header alone promises nothing.
func receiveStream(a Answer, resp *http.Response, opts Options) (*Answer, error) {
	if coding := resp.Header.Get("Content-Encoding"); coding != "" && coding != "identity" {
		return nil, fmt.Errorf("the event stream is encoded as %.40q, for which nobody asked", coding)
	}
	s := &stream{Answer: a, opts: opts, frames: sse.NewReader(resp.Body, maxFrame), unask: unasker{off: !opts.DropUsage}}
	s.Stream, s.sender = true, s
	var err error
	s.next, err = s.frames.Next()
	s.received = time.Now()
	if err == io.EOF {
		return nil, errEmpty
	}
	return &s.Answer, err
}

// ending looks at the first frame. Words of a model in it mean nothing.
func (s *stream) ending() bool { return hasLastWords(s.next.Data) && parseEvent(s.next.Data).failed }

// givenUp tells whether the server has said that what it ends is no whole answer, and not why. When it gives up before the first token
// vLLM leaves out the chunk that would say so: that looks as an answer of no tokens does.
func (s *stream) givenUp() bool { return s.aborted && !s.failed }

func (s *stream) close() {}

func (s *stream) send(w http.ResponseWriter, begun bool) Result {
	s.opts.Patience.Pause()
	if !begun {
		s.writeHeader(w)
	}
	out := http.NewResponseController(w)
	for {
		done, err := s.pass(w, out)
		if err != nil {
			return s.end(Result{Outcome: ClientClosed, Err: err})
		}
		if done && s.givenUp() {
			r := s.stop(w, errAborted)
			s.drain()
			return r
		}
		if done {
			s.drain()
			return s.end(Result{Outcome: Completed})
		}
		s.opts.Patience.Expect(s.opts.Idle)
		s.next, err = s.frames.Next()
		s.opts.Patience.Pause()
		if err != nil {
			return s.stop(w, err)
		}
	}
}

// pass sends the frame at hand, as the client would have had it if nobody had asked for usage.
func (s *stream) pass(w http.ResponseWriter, out *http.ResponseController) (done bool, err error) {
	var e event
	if s.next.Data != nil {
		if s.opts.End == EndOfTransfer {
			s.opts.End = endOf(s.next.Data)
		}
		e = s.pattern.parse(s.next.Data)
	}
	done = e.last != EndOfTransfer && e.last == s.opts.End
	if done && s.givenUp() {
		return true, nil // it would look complete
	}
	err = s.write(w, out, e, done)
	s.note(e) // the client does not wait for what is counted
	return done, err
}

func (s *stream) write(w http.ResponseWriter, out *http.ResponseController, e event, done bool) error {
	if err := s.unask.write(w, s.next, e); err != nil {
		return err
	}
	if s.begun && s.frames.Buffered() && !done {
		return nil // the next frame is here already: one flush carries both
	}
	s.begun = true // what is written before the first flush is one HTTP chunk, after it each frame has its own, as with vLLM
	return out.Flush()
}

func (s *stream) note(e event) {
	s.usage.add(e.usage)
	s.failed = s.failed || e.failed
	s.aborted = s.aborted || e.aborted
	if !e.token {
		return
	}
	now := time.Since(s.received) // which asks one clock, where time.Now asks two
	if s.spoke {
		s.opts.Meter.NextToken(now - s.lastToken)
	} else {
		s.opts.Meter.FirstToken()
	}
	s.spoke, s.lastToken = true, now
}

// drain reads to the end of the transfer, so that the connection can be used again.
func (s *stream) drain() {
	s.opts.Patience.Expect(afterDone)
	for {
		if _, err := s.frames.Next(); err != nil {
			return // the answer was complete before; whatever comes here changes nothing
		}
	}
}

// stop ends a stream in which err came instead of a frame.
func (s *stream) stop(w http.ResponseWriter, err error) Result {
	switch {
	case err == io.EOF && (s.opts.End == EndOfTransfer || s.failed):
		if err := s.unask.release(w, nil); err != nil {
			return s.end(Result{Outcome: ClientClosed, Err: err})
		}
		return s.end(Result{Outcome: Completed})
	case err == io.EOF:
		err = errNoEnd[s.opts.End]
	}
	r := broken(s.opts, err, Result{})
	if r.Outcome == Interrupted {
		_ = s.unask.release(w, nil) // to tell that it broke, below, fails in the same way
		Fail(w, s.opts.End, interrupted(r.Err))
	}
	return s.end(r)
}

func (s *stream) end(r Result) Result {
	r.Usage = s.usage
	if s.failed && r.Outcome == Completed {
		r.Outcome, r.Err = Failed, errors.New("the model server reported an error in its stream")
	}
	return r
}

// interrupted is the error that ends a stream whose backend broke off, whose gateway stops, or whose client has set a deadline
// (then the cause is what to say).
func interrupted(cause error) *openai.Error {
	if told, ok := errors.AsType[*openai.Error](cause); ok {
		return told
	}
	e := &openai.Error{Type: openai.TypeUpstream, Code: "stream_interrupted",
		Message: "The model server stopped in the middle of the answer. What came before is incomplete; send the request again."}
	if errors.Is(cause, web.ErrStopping) {
		e.Message = "The gateway is shutting down before the answer was complete. Send the request again."
	}
	return e
}
