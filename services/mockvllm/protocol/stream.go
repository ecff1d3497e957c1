package protocol

import (
	"strconv"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/text"
)

// stream frames chat and text completions. Frames hold only what vLLM sets explicitly, so null and absent differ.
type stream struct {
	h     Head
	chat  bool
	usage bool // a usage chunk ends the stream
	every bool // each chunk carries the usage so far
	open  []byte
	buf   []byte
	emit  func(frame []byte)
}

// NewChatStream frames chunks of chat completions.
func NewChatStream(h Head, c *Common, emit func(frame []byte)) Frames {
	return newStream(h, true, c, emit)
}

// NewTextStream frames chunks of text completions.
func NewTextStream(h Head, c *Common, emit func(frame []byte)) Frames {
	return newStream(h, false, c, emit)
}

func newStream(h Head, chat bool, c *Common, emit func(frame []byte)) *stream {
	object := "text_completion"
	if chat {
		object = "chat.completion.chunk"
	}
	open := appendString([]byte(`data: {"id":`), h.ID)
	open = append(open, `,"object":"`+object+`","created":`...)
	open = strconv.AppendInt(open, h.Created, 10)
	open = appendString(append(open, `,"model":`...), h.Model)
	return &stream{h: h, chat: chat, usage: c.Usage, every: c.Running, open: append(open, `,"choices":[`...), emit: emit}
}

// Open sends the role of all chat choices. Text completions have none.
func (s *stream) Open(choices, prompt int) {
	for i := range choices {
		if !s.chat {
			return
		}
		s.begin(i, `,"delta":{"role":"assistant","content":""},"logprobs":null,"finish_reason":null}]`)
		s.running(Usage{Prompt: prompt})
		s.end(`,"prompt_token_ids":null,"prompt_text":null}`)
	}
}

// Token sends a delta. A token of which a parser for calls makes nothing has none.
func (s *stream) Token(choice int, w Work, token int) {
	part := w.part(token)
	if w.calls != noCalls && part.Words == "" && len(part.Calls) == 0 {
		return
	}
	s.part(choice, w, part)
	if s.chat {
		s.add(`,"logprobs":null,"finish_reason":null,"token_ids":null}]`)
	} else {
		s.add(`,"logprobs":null,"finish_reason":null,"stop_reason":null,"prompt_token_ids":null,"token_ids":null}]`)
	}
	s.running(Usage{w.PromptTokens, token + 1})
	s.end("}")
}

// Finish sends the last chunk of a choice, with its last text.
func (s *stream) Finish(choice int, w Work, delivered int) {
	s.part(choice, w, w.last(delivered))
	s.add(`,"logprobs":null,"finish_reason":"` + w.streamedFinish(delivered) + `","stop_reason":`)
	s.buf = append(s.buf, Marshal(w.stop(delivered))...)
	if !s.chat {
		s.add(`,"prompt_token_ids":null`)
	}
	s.add(`,"token_ids":null}]`)
	s.running(Usage{w.PromptTokens, delivered})
	if !s.usage {
		s.fingerprint()
	}
	s.end("}")
}

// Done is the frame that ends a stream of completions.
const Done = "data: [DONE]\n\n"

// Close sends the usage, when it was asked for, and [DONE].
func (s *stream) Close(u Usage) {
	if s.usage {
		s.buf = append(append(s.buf[:0], s.open...), ']')
		s.counts(u)
		s.add("}")
		s.fingerprint()
		s.end("}")
	}
	s.emit([]byte(Done))
}

// part leaves the choice open behind its text or delta.
func (s *stream) part(choice int, w Work, part text.Part) {
	if !s.chat {
		s.begin(choice, `,"text":`)
		s.buf = appendString(s.buf, part.Words)
		return
	}
	s.begin(choice, `,"delta":{`)
	switch {
	case len(part.Calls) > 0:
		s.add(`"content":`)
		if part.Words == "" {
			s.add("null")
		} else {
			s.buf = appendString(s.buf, part.Words)
		}
		s.calls(w, part.Calls)
	case part.Words != "" || w.calls == noCalls:
		s.buf = appendString(append(s.buf, `"content":`...), part.Words)
	}
	s.add("}")
}

// calls appends pieces of calls, of the first one only when the client wants no more.
func (s *stream) calls(w Work, parts []text.CallPart) {
	separator := `,"tool_calls":[{`
	for _, p := range parts {
		if p.Index > 0 && !w.parallel {
			continue
		}
		s.add(separator)
		separator = ",{"
		if p.Begins {
			s.add(`"id":"` + newCallID() + `","type":"function",`)
		}
		s.add(`"index":` + itoa(p.Index) + `,"function":{`)
		if p.Begins {
			s.buf = appendString(append(s.buf, `"name":`...), p.Name)
		} else {
			s.buf = appendString(append(s.buf, `"arguments":`...), p.Arguments)
		}
		s.add("}}")
	}
	if separator == ",{" {
		s.add("]")
	}
}

func (s *stream) begin(index int, rest string) {
	s.buf = append(append(s.buf[:0], s.open...), `{"index":`...)
	s.buf = strconv.AppendInt(s.buf, int64(index), 10)
	s.add(rest)
}

func (s *stream) add(text string) { s.buf = append(s.buf, text...) }

func (s *stream) end(text string) {
	s.add(text + "\n\n")
	s.emit(s.buf)
}

func (s *stream) running(u Usage) {
	if !s.every {
		return
	}
	s.counts(u)
	if s.chat {
		s.add(`,"completion_tokens_details":null`)
	}
	s.add("}")
}

// counts leaves the object open.
func (s *stream) counts(u Usage) {
	s.add(`,"usage":{"prompt_tokens":`)
	s.buf = strconv.AppendInt(s.buf, int64(u.Prompt), 10)
	s.add(`,"total_tokens":`)
	s.buf = strconv.AppendInt(s.buf, int64(u.Prompt+u.Completion), 10)
	s.add(`,"completion_tokens":`)
	s.buf = strconv.AppendInt(s.buf, int64(u.Completion), 10)
}

func (s *stream) fingerprint() {
	s.buf = appendString(append(s.buf, `,"system_fingerprint":`...), s.h.Fingerprint)
}
