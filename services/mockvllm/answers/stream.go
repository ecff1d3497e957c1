package answers

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/faults/wire"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/generation"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/journal"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/life"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol/request"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/uvicorn"
)

// stream sends what the engine delivers, one frame for each token, until all sequences are over or the client has left.
func (s *Answers) stream(w http.ResponseWriter, r *http.Request, g *Request) {
	st := s.begin(w, r, g)
	if st == nil {
		return
	}
	ctx := r.Context() // the request itself is needed no longer
	uvicorn.Later(w, func() {
		defer s.release(g)
		defer s.countCalls(g)
		if s.deliver(ctx, st) {
			s.complete(ctx, st)
		}
	})
}

// begin sends the head of a stream and has the engine work. It returns nil where the engine refuses, which it has told then.
func (s *Answers) begin(w http.ResponseWriter, r *http.Request, g *Request) *streaming {
	entry := journal.Of(r.Context())
	entry.Streams()
	w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
	out := NewFrames(w, entry)      // vLLM sends the head before it has looked at the request as closely as the engine does
	out.fault, _ = w.(*wire.Answer) // nil without a fault
	st := &streaming{Request: g, out: out, frames: g.Asking.Frames(g.Head, out.Send), life: s.life}
	if err := s.submit(r, g); err != nil {
		st.fail(err)
		return nil
	}
	for i := range g.seqs {
		st.readers = append(st.readers, g.answer(i).Read())
	}
	st.open = len(g.seqs)
	if g.api.ticks {
		st.comments = s.cfg.Generation.KeepAliveComments
	}
	return st
}

// deliver sends tokens as they come. It returns false when the end is not to be told.
func (s *Answers) deliver(ctx context.Context, st *streaming) bool {
	for st.open > 0 && st.out.Err == nil {
		var idle, ok bool
		if st.comments == 0 {
			ok = st.wait(ctx)
		} else {
			idle, ok = st.waitAwhile(ctx, st.comments)
		}
		switch {
		case !ok || s.life.Mute(ctx):
			return false
		case idle:
			st.out.comment()
		case !s.life.Dead():
			if st.progress(); st.failed {
				st.fail(s.failure(st.Request))
				return false
			}
		}
		if st.open > 0 && s.life.Dead() {
			st.out.entry.Broken(journal.ByServer)
			st.fail(s.life.Failed(st.Head.ID))
			return false
		}
	}
	return true
}

// complete tells the end, if there is somebody to tell: of a stream that broke off choices may go on.
func (s *Answers) complete(ctx context.Context, st *streaming) {
	if st.out.Err != nil {
		return
	}
	st.tellAborted(ctx)
	st.frames.End(s.usage(st.Request), s.timing(st.Request))
	st.out.Done()
}

// NewFrames sends the head of a stream, whose headers are set.
func NewFrames(w http.ResponseWriter, entry *journal.Entry) *Frames {
	w.WriteHeader(http.StatusOK)
	f := &Frames{w: w, rc: *http.NewResponseController(w), entry: entry}
	f.flush()
	return f
}

// Frames writes each frame as one chunk, until the client has left.
type Frames struct {
	w      http.ResponseWriter
	rc     http.ResponseController
	fault  *wire.Answer
	entry  *journal.Entry
	tokens int       // ready, and in no frame yet
	last   time.Time // right before the last write
	Err    error     // the client has left, or a fault has broken the stream
}

// Send writes a frame.
func (f *Frames) Send(frame []byte) {
	if f.Err != nil {
		return
	}
	f.last = time.Now()
	f.fault.Tokens(f.tokens)
	if _, f.Err = f.w.Write(frame); f.Err == nil {
		f.flush()
	}
	broken := errors.Is(f.Err, wire.ErrBroken) // right after this frame
	if f.Err != nil && !broken {
		f.entry.Left()
	}
	if (f.Err == nil || broken) && string(frame) != request.Done {
		f.entry.Chunk(f.last, f.tokens)
		f.tokens = 0
	}
}

// comment keeps proxies from taking an idle stream for a dead one.
func (f *Frames) comment() {
	if _, f.Err = io.WriteString(f.w, ": keep-alive\n\n"); f.Err == nil {
		f.flush()
	}
}

// Done tells the journal, once all was sent.
func (f *Frames) Done() {
	if f.Err == nil {
		f.entry.Done(f.last)
	}
}

func (f *Frames) flush() { f.Err = f.rc.Flush() }

// streaming is how far the stream of a request is.
type streaming struct {
	*Request
	out     *Frames
	frames  request.Frames
	readers []*generation.Reader // nil once the end of the choice was sent
	began   bool
	failed  bool // the engine has, with one of the choices
	open    int  // choices whose end was not sent
	life    *life.Life

	comments time.Duration // between those that an idle stream has; 0 is none
}

// fail tells an error, in a frame or by breaking the stream off.
func (s *streaming) fail(err *protocol.Error) {
	if s.frames.Fail(err) {
		panic(http.ErrAbortHandler)
	}
	s.out.Done()
}

// progress sends all tokens that are new: the first of a choice in a frame of its own, the last with the finish reason.
func (s *streaming) progress() {
	for i, seq := range s.seqs {
		r := s.readers[i]
		n, over := seq.Progress()
		if r == nil || n == r.Told() && !over {
			continue
		}
		if !s.began {
			s.began = true
			s.frames.Begin()
		}
		for !s.Common.AtOnce && s.goesOn() {
			step, left := s.interval, n-r.Told() // an interval may be as large as an integer can be
			if r.Told() == 0 {
				step = 1
			}
			if step > left || step == left && over {
				break
			}
			s.part(i, r, r.Told()+step, false)
		}
		if s.failed = failed(seq); s.failed {
			return
		}
		if over && s.goesOn() {
			s.part(i, r, n, true)
			s.readers[i] = nil
			s.open--
		}
	}
}

// goesOn tells whether more is to be sent: a fault at any frame's place may have killed the engine, and the client may have left.
func (s *streaming) goesOn() bool { return s.out.Err == nil && !s.life.Dead() }

func (s *streaming) part(i int, r *generation.Reader, n int, over bool) {
	s.out.tokens += n - r.Told()
	s.frames.Part(i, r.Next(n, over))
}
