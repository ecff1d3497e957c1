package responses

import (
	"strconv"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/generation"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol/request"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/text/toolparser"
)

// stream sends the events of a response: of each item its beginning, its pieces and its end.
type stream struct {
	r      *Request
	h      protocol.Head
	emit   func(frame []byte)
	reader *request.Reader
	items  []*item
	open   *item // the last of items, until it ends
	number int   // of the next event
	finish string
	buf    []byte
}

// Frames makes the writer of a streamed answer, which begins with the response at once, if there can be one.
func (r *Request) Frames(h protocol.Head, emit func(frame []byte)) request.Frames {
	s := &stream{r: r, h: h, emit: emit, reader: r.NewReader(r.hide)}
	if r.unanswerable() != nil {
		return s
	}
	for _, event := range []string{"response.created", "response.in_progress"} {
		s.event(event, `"response":`)
		s.buf = s.r.appendResponse(s.buf, s.h, nil, "in_progress", nil, nil)
		s.send(event)
	}
	return s
}

// Begin does nothing: the response was sent before anything was said.
func (s *stream) Begin() {}

// Part sends what a part of the answer brings.
func (s *stream) Part(_ int, o *generation.Output) {
	if o.Finish != "" {
		s.finish = o.Finish
	}
	s.r.raw.text, s.r.raw.tokens = append(s.r.raw.text, o.Text...), append(s.r.raw.tokens, o.Tokens...)
	p := s.reader.Feed(o)
	if p == nil {
		return
	}
	if p.Reasoning != nil { // also where it is a mark that is not shown
		s.say("reasoning", *p.Reasoning, nil)
	}
	if p.Content != nil && *p.Content != "" {
		s.say("message", *p.Content, o.Logprobs)
	}
	for _, c := range p.Calls {
		if c.Index == 0 || s.r.Talk.Tools.Parallel {
			s.call(c)
		}
	}
}

// say sends words in an item of their kind.
func (s *stream) say(kind, words string, likely []generation.Position) {
	if s.open == nil || s.open.kind != kind {
		s.begin(newItem(kind))
		s.event("response.content_part.added", `"content_index":0,"item_id":"`+s.open.id+`","output_index":`+s.index()+`,"part":`)
		if kind == "reasoning" {
			s.add(`{"text":"","type":"reasoning_text"}`)
		} else {
			s.add(`{"annotations":[],"text":"","type":"output_text","logprobs":[]}`)
		}
		s.send("response.content_part.added")
	}
	s.open.text = append(s.open.text, words...)
	event := "response.output_text.delta"
	if kind == "reasoning" {
		event = "response.reasoning_text.delta"
	}
	s.event(event, `"content_index":0,"delta":`)
	s.buf = pyjson.AppendString(s.buf, words)
	s.add(`,"item_id":"` + s.open.id + `"`)
	if kind == "message" {
		s.add(`,"logprobs":`)
		if s.r.logprobs {
			s.open.likely = append(s.open.likely, likely...)
			s.buf = s.r.appendLogprobs(s.buf, likely, false)
		} else {
			s.add("[]")
		}
	}
	s.add(`,"output_index":` + s.index())
	s.send(event)
}

// call sends a piece of a call.
func (s *stream) call(c toolparser.CallDelta) {
	if c.Begins {
		s.begin(s.r.newCall(c.ID, c.Name))
	}
	if c.Arguments == "" || s.open == nil {
		return
	}
	s.open.text = append(s.open.text, c.Arguments...)
	if s.open.kind == "custom_tool_call" {
		return // its input is sent when it is there: a piece of the arguments is no piece of the input
	}
	s.value("response.function_call_arguments.delta", "delta", c.Arguments)
}

// value sends an event with a text of the open item.
func (s *stream) value(event, key, text string) {
	s.event(event, `"`+key+`":`)
	s.buf = pyjson.AppendString(s.buf, text)
	s.add(`,"item_id":"` + s.open.id + `","output_index":` + s.index())
	s.send(event)
}

func (s *stream) begin(it *item) {
	s.close()
	it.streamed = true
	s.items, s.open = append(s.items, it), it
	s.event("response.output_item.added", `"item":`)
	s.buf = it.appendBegun(s.buf)
	s.add(`,"output_index":` + s.index())
	s.send("response.output_item.added")
}

// close ends the open item.
func (s *stream) close() {
	it := s.open
	if it == nil {
		return
	}
	place := `"content_index":0,"item_id":"` + it.id + `"`
	switch it.kind {
	case "reasoning":
		s.event("response.reasoning_text.done", place+`,"output_index":`+s.index())
		s.done("response.reasoning_text.done", string(it.text))
		s.event("response.content_part.done", place+`,"output_index":`+s.index()+`,"part":{"text":`)
		s.buf = pyjson.AppendString(s.buf, string(it.text))
		s.add(`,"type":"reasoning_text"}`)
		s.send("response.content_part.done")
	case "message":
		s.event("response.output_text.done", place+`,"logprobs":[],"output_index":`+s.index())
		s.done("response.output_text.done", string(it.text))
		s.event("response.content_part.done", place+`,"output_index":`+s.index()+`,"part":`)
		s.buf = it.appendPart(s.buf, s.r)
		s.send("response.content_part.done")
	case "custom_tool_call":
		input := customInput(it.text)
		if input != "" {
			s.value("response.custom_tool_call_input.delta", "delta", input)
		}
		s.value("response.custom_tool_call_input.done", "input", input)
	default:
		s.event("response.function_call_arguments.done", `"arguments":`)
		s.buf = pyjson.AppendString(s.buf, string(it.text))
		s.add(`,"item_id":"` + it.id + `","output_index":` + s.index())
		s.sequence()
		s.add(`,"type":"response.function_call_arguments.done","name":`)
		s.buf = pyjson.AppendString(s.buf, it.name)
		s.flush()
	}
	s.event("response.output_item.done", `"item":`)
	s.buf = it.append(s.buf, s.r)
	s.add(`,"output_index":` + s.index())
	s.send("response.output_item.done")
	s.open = nil
}

// done sends an event that ends with the whole text.
func (s *stream) done(event, text string) {
	s.sequence()
	s.buf = pyjson.AppendString(append(s.buf, `,"text":`...), text)
	s.add(`,"type":"` + event + `"`)
	s.flush()
}

// End sends the whole response, completed or not.
func (s *stream) End(u protocol.Usage, t *protocol.Timing) {
	s.close()
	n := s.reader.ReasoningTokens()
	u.Reasoning = &n
	s.event("response.completed", `"response":`)
	s.r.keep(s.items, s.r.appendResponse(nil, s.h, s.items, statusOf(s.finish), &u, t))
	s.buf = append(s.buf, s.r.whole...)
	s.send("response.completed")
}

// Fail leaves the stream where it is: vLLM breaks off.
func (s *stream) Fail(*protocol.Error) (broken bool) { return true }

// index is that of the open item.
func (s *stream) index() string { return strconv.Itoa(len(s.items) - 1) }

func (s *stream) event(name, rest string) {
	s.buf = append(s.buf[:0], "event: "+name+"\ndata: {"+rest...)
}

func (s *stream) add(text string) { s.buf = append(s.buf, text...) }

func (s *stream) sequence() {
	s.buf = strconv.AppendInt(append(s.buf, `,"sequence_number":`...), int64(s.number), 10)
	s.number++
}

// send ends the event with its number and type.
func (s *stream) send(event string) {
	s.sequence()
	s.add(`,"type":"` + event + `"`)
	s.flush()
}

func (s *stream) flush() {
	s.add("}\n\n")
	s.emit(s.buf)
}
