package generate

import (
	"strconv"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/generation"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol/request"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
)

// AppendBody writes the whole answer.
func (r *Request) AppendBody(b []byte, h protocol.Head, outs []*generation.Output, u protocol.Usage, _ *protocol.Timing) []byte {
	b = pyjson.AppendString(append(b, `{"request_id":`...), h.ID)
	b = pyjson.AppendString(append(b, `,"model":`...), h.Model)
	b = strconv.AppendInt(append(b, `,"created":`...), h.Created, 10)
	if u.Details != nil {
		u.Details = &protocol.PromptDetails{Cached: u.Details.Cached, Created: -1}
	}
	b = u.Append(append(b, `,"usage":`...))
	b = request.AppendPromptLogprobs(append(b, `,"prompt_logprobs":`...), r.work.PromptLogprobs())
	b = append(b, `,"prompt_token_id_logprobs":null,"prompt_token_ids":`...)
	if r.v.Bool("return_token_ids") {
		b = protocol.AppendInts(b, r.work.Prompt.Tokens)
	} else {
		b = append(b, "null"...)
	}
	b = append(b, `,"mm_placeholders":null,"metrics":null,"kv_transfer_params":null,"ec_transfer_params":null`...)
	b = r.appendMode(b)
	for i, o := range outs {
		if i > 0 {
			b = append(b, ',')
		}
		b = r.appendChoice(b, i, len(o.Tokens), o)
	}
	return append(b, "]}"...)
}

// appendMode begins the choices.
func (r *Request) appendMode(b []byte) []byte {
	if r.text {
		return append(b, `,"output_mode":"text","choices":[`...)
	}
	return append(b, `,"output_mode":"tokens","choices":[`...)
}

// appendChoice writes a choice that has so many tokens by now.
func (r *Request) appendChoice(b []byte, i, tokens int, o *generation.Output) []byte {
	b = strconv.AppendInt(append(b, `{"index":`...), int64(i), 10)
	b = append(b, `,"finish_reason":`...)
	if o.Finish == "" {
		b = append(b, "null"...)
	} else {
		b = append(b, `"`+o.Finish+`"`...)
	}
	b = protocol.AppendStop(append(b, `,"stop_reason":`...), o.Stop)
	b = protocol.AppendInts(append(b, `,"token_ids":`...), o.Tokens)
	b = append(b, `,"routed_experts":null,"sampling_mask":null,"weight_versions":`...)
	if o.Finish == "" || tokens == 0 {
		b = append(b, "null"...)
	} else {
		b = strconv.AppendInt(append(b, `[{"version":"default","start":0,"end":`...), int64(tokens), 10)
		b = append(b, "}]"...)
	}
	if r.text {
		b = pyjson.AppendString(append(b, `,"text":`...), o.Text)
	}
	b = append(b, `,"logprobs":`...)
	if r.params.Logprobs == nil {
		return append(b, "null}"...)
	}
	return append(r.appendLogprobs(b, o.Logprobs), '}')
}

// stream writes the frames of a streamed answer.
type stream struct {
	r      *Request
	h      protocol.Head
	buf    []byte
	begun  bool // the prompt's tokens were told, should they be
	counts []int
	emit   func(frame []byte)
}

// Frames makes the writer of a streamed answer.
func (r *Request) Frames(h protocol.Head, emit func(frame []byte)) request.Frames {
	return &stream{r: r, h: h, emit: emit, counts: make([]int, r.N)}
}

// Begin does nothing: a choice begins with its first token.
func (s *stream) Begin() {}

// Part tells more of a choice.
func (s *stream) Part(i int, o *generation.Output) {
	if len(o.Tokens) == 0 && o.Finish == "" && !(s.r.text && o.Text != "") {
		return
	}
	s.counts[i] += len(o.Tokens)
	s.begin()
	s.add(`,"usage":`)
	if s.r.Continuous {
		u := protocol.Usage{Prompt: len(s.r.work.Prompt.Tokens), Completion: s.counts[i]}
		s.buf = u.Append(s.buf)
	} else {
		s.add("null")
	}
	if !s.begun && s.r.v.Bool("return_token_ids") {
		s.add(`,"prompt_token_ids":`)
		s.buf = protocol.AppendInts(s.buf, s.r.work.Prompt.Tokens)
	}
	s.begun = true
	s.buf = s.r.appendMode(s.buf)
	s.buf = s.r.appendChoice(s.buf, i, s.counts[i], o)
	s.end()
}

// End closes the stream.
func (s *stream) End(u protocol.Usage, _ *protocol.Timing) {
	if s.r.Usage {
		s.begin()
		if u.Details != nil {
			u.Details = &protocol.PromptDetails{Cached: u.Details.Cached, Created: -1}
		}
		s.buf = u.AppendFinal(append(s.buf, `,"usage":`...))
		s.buf = s.r.appendMode(s.buf)
		s.end()
	}
	s.emit([]byte(request.Done))
}

// Fail ends a stream that could not begin.
func (s *stream) Fail(e *protocol.Error) (broken bool) {
	s.emit(e.Event())
	s.emit([]byte(request.Done))
	return false
}

func (s *stream) begin() {
	s.buf = pyjson.AppendString(append(s.buf[:0], `data: {"request_id":`...), s.h.ID)
}

func (s *stream) add(text string) { s.buf = append(s.buf, text...) }

func (s *stream) end() {
	s.add("]}\n\n")
	s.emit(s.buf)
}
