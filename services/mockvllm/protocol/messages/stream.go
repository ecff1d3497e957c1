package messages

import (
	"strconv"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/generation"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol/request"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema"
)

// stream frames a message: named events, blocks of content that open and close, and no [DONE].
type stream struct {
	r       *Request
	h       protocol.Head
	emit    func(frame []byte)
	buf     []byte
	reader  *request.Reader
	block   string // type of the open one, or ""
	index   int    // of the open block, or of the next
	called  bool
	args    []byte // of the last call
	waiting string // words that came while a call was open
	end     generation.Output
}

// Frames makes the writer of a streamed answer.
func (r *Request) Frames(h protocol.Head, emit func(frame []byte)) request.Frames {
	return &stream{r: r, h: h, emit: emit, reader: r.NewReader(false)}
}

// Begin sends the message without content.
func (s *stream) Begin() {
	s.event("message_start", `"message":{"id":`)
	s.buf = pyjson.AppendString(s.buf, s.h.ID)
	s.add(`,"type":"message","role":"assistant","content":[],"model":`)
	s.buf = pyjson.AppendString(s.buf, s.h.Model)
	s.add(`,"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":` + strconv.Itoa(len(s.r.Work.Prompt.Tokens)) + `,"output_tokens":0}}`)
	s.done()
}

// Part sends what a part of the answer brings. The end is told together with the usage.
func (s *stream) Part(_ int, o *generation.Output) {
	if o.Finish != "" {
		s.end = generation.Output{Finish: o.Finish, Stop: o.Stop}
	}
	p := s.reader.Feed(o)
	if p == nil {
		return
	}
	if p.Reasoning != nil && *p.Reasoning != "" {
		s.say("thinking", `{"type":"thinking","thinking":""}`, "thinking_delta", *p.Reasoning)
	}
	switch {
	case p.Content == nil || *p.Content == "":
	case s.block == "tool_use": // told behind the call
		s.waiting += *p.Content
	default:
		s.say("text", `{"type":"text","text":""}`, "text_delta", *p.Content)
	}
	for _, c := range p.Calls {
		if c.Index > 0 && !s.r.Talk.Tools.Parallel {
			continue
		}
		if c.Begins {
			s.call(c.ID, c.Name)
		}
		if c.Arguments != "" {
			s.args = append(s.args, c.Arguments...)
			s.delta("input_json_delta", "partial_json", c.Arguments)
		}
	}
}

// call opens the block of a tool call.
func (s *stream) call(id, name string) {
	if id == "" {
		id = protocol.NewCallID()
	}
	s.called, s.args = true, nil
	block := pyjson.AppendString([]byte(`{"type":"tool_use","id":`), id)
	block = pyjson.AppendString(append(block, `,"name":`...), name)
	s.open("tool_use", string(append(block, `,"input":{}}`...)))
}

// say sends words in a block of their kind.
func (s *stream) say(kind, block, delta, words string) {
	if s.block != kind {
		s.open(kind, block)
	}
	key := "text"
	if kind == "thinking" {
		key = kind
	}
	s.delta(delta, key, words)
}

func (s *stream) open(kind, block string) {
	s.close()
	s.block = kind
	s.event("content_block_start", `"content_block":`+block+`,"index":`+strconv.Itoa(s.index))
	s.done()
}

func (s *stream) delta(kind, key, value string) {
	s.event("content_block_delta", `"delta":{"type":"`+kind+`","`+key+`":`)
	s.buf = pyjson.AppendString(s.buf, value)
	s.add(`},"index":` + strconv.Itoa(s.index))
	s.done()
}

// close ends the open block. Thinking is signed.
func (s *stream) close() {
	if s.block == "" {
		return
	}
	if s.block == "thinking" {
		s.delta("signature_delta", "signature", signature())
	}
	s.event("content_block_stop", `"index":`+strconv.Itoa(s.index))
	s.done()
	s.block = ""
	s.index++
	if words := s.waiting; words != "" {
		s.waiting = ""
		s.say("text", `{"type":"text","text":""}`, "text_delta", words)
		s.close()
	}
}

// End ends block and message.
func (s *stream) End(u protocol.Usage, _ *protocol.Timing) {
	s.close()
	_, err := pyjson.Decode(s.args)
	reason, sequence := stopReason(&s.end, s.called, s.called && err == nil)
	s.event("message_delta", `"delta":{"stop_reason":`)
	s.buf = appendWord(s.buf, reason)
	s.buf = appendWord(append(s.buf, `,"stop_sequence":`...), sequence)
	s.buf = appendUsage(append(s.buf, `},"usage":`...), u)
	s.done()
	s.emit([]byte("event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"))
}

func appendWord(b []byte, word string) []byte {
	if word == "" {
		return append(b, "null"...)
	}
	return pyjson.AppendString(b, word)
}

// Fail sends an error: not the one that there is, but that vLLM does not find a chunk of the chat stream below where it is.
func (s *stream) Fail(e *protocol.Error) (broken bool) {
	var param any
	if e.Param != "" {
		param = e.Param
	}
	told := pyjson.NewObject(pyjson.Member{Key: "error", Value: pyjson.NewObject(pyjson.Member{Key: "message", Value: e.Message},
		pyjson.Member{Key: "type", Value: e.Type}, pyjson.Member{Key: "param", Value: param}, pyjson.Member{Key: "code", Value: e.Status})})
	b := pyjson.AppendString([]byte(`event: error`+"\n"+`data: {"type":"error","error":{"type":"internal_error","message":`),
		schema.MissingText("ChatCompletionStreamResponse", told, "model", "choices"))
	s.emit(append(b, "}}\n\n"...))
	return false
}

func (s *stream) event(name, rest string) {
	s.buf = append(s.buf[:0], "event: "+name+"\ndata: {\"type\":\""+name+"\","+rest...)
}

func (s *stream) add(text string) { s.buf = append(s.buf, text...) }

func (s *stream) done() {
	s.add("}\n\n")
	s.emit(s.buf)
}
