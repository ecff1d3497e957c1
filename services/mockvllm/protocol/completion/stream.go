package completion

import (
	"strconv"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/generation"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol/request"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
)

// stream frames chunks of a text completion.
type stream struct {
	r      *Request
	h      protocol.Head
	open   []byte // of each frame
	buf    []byte
	counts []count
	emit   func(frame []byte)
}

// count is how far a choice is.
type count struct {
	tokens, offset int
	begun          bool
}

// Frames makes the writer of a streamed answer.
func (r *Request) Frames(h protocol.Head, emit func(frame []byte)) request.Frames {
	open := pyjson.AppendString([]byte(`data: {"id":`), h.ID)
	open = strconv.AppendInt(append(open, `,"object":"text_completion","created":`...), h.Created, 10)
	open = pyjson.AppendString(append(open, `,"model":`...), h.Model)
	return &stream{r: r, h: h, open: append(open, `,"choices":[`...), emit: emit, counts: make([]count, len(r.works)*int(r.params.N))}
}

// Begin sends nothing: text completions have no role.
func (s *stream) Begin() {}

// Part sends a piece of text.
func (s *stream) Part(i int, o *generation.Output) {
	c, work := &s.counts[i], s.r.works[i/int(s.r.params.N)]
	c.tokens += len(o.Tokens)
	text, tokens, likely := o.Text, o.Tokens, o.Logprobs
	first := !c.begun
	if c.begun = true; first && s.r.echo {
		text, tokens, likely = s.r.echoed(work, o)
	}
	s.buf = append(append(request.Borrow(), s.open...), `{"index":`...)
	s.buf = strconv.AppendInt(s.buf, int64(i), 10)
	s.buf = pyjson.AppendString(append(s.buf, `,"text":`...), text)
	s.add(`,"logprobs":`)
	if s.r.logprobs {
		s.buf, c.offset = s.r.appendLogprobs(s.buf, tokens, likely, c.offset)
	} else {
		s.add("null")
	}
	s.add(`,"finish_reason":`)
	if o.Finish == "" {
		s.add("null")
	} else {
		s.add(`"` + o.Finish + `"`)
	}
	s.buf = protocol.AppendStop(append(s.buf, `,"stop_reason":`...), o.Stop)
	s.add(`,"prompt_token_ids":`)
	if first && (s.r.echo || s.r.returnTokens) {
		s.buf = protocol.AppendInts(s.buf, work.Prompt.Tokens)
	} else {
		s.add("null")
	}
	s.buf = s.r.appendTokens(append(s.buf, `,"token_ids":`...), o.Tokens)
	s.add(`}]`)
	if s.r.Continuous {
		u := protocol.Usage{Prompt: len(work.Prompt.Tokens), Completion: c.tokens}
		s.buf = u.AppendRunning(append(s.buf, `,"usage":`...), false)
	}
	if o.Finish != "" && !s.r.Usage {
		s.fingerprint()
	}
	s.end()
}

// End sends the usage, when it was asked for, and [DONE].
func (s *stream) End(u protocol.Usage, t *protocol.Timing) {
	if s.r.Usage {
		s.buf = append(append(request.Borrow(), s.open...), `],"usage":`...)
		s.buf = u.AppendFinal(s.buf)
		s.fingerprint()
		if t != nil {
			s.buf = t.Append(append(s.buf, `,"metrics":`...), true)
		}
		s.end()
	}
	s.emit([]byte(request.Done))
}

// Fail sends the error and [DONE].
func (s *stream) Fail(e *protocol.Error) (broken bool) {
	s.emit(e.Event())
	s.emit([]byte(request.Done))
	return false
}

func (s *stream) add(text string) { s.buf = append(s.buf, text...) }

func (s *stream) end() {
	s.add("}\n\n")
	s.emit(s.buf)
	request.Return(s.buf)
	s.buf = nil
}

func (s *stream) fingerprint() {
	if s.h.Fingerprint != "" {
		s.buf = pyjson.AppendString(append(s.buf, `,"system_fingerprint":`...), s.h.Fingerprint)
	}
}
