package protocol

import "strconv"

// Stream writes the frames of one streamed answer. Frames hold only what vLLM sets explicitly, so null and absent differ.
type Stream struct {
	h     Head
	chat  bool
	usage bool // a usage chunk ends the stream
	every bool // each chunk carries the usage so far
	open  []byte
	buf   []byte
}

// NewStream prepares a stream of chat chunks, or of text completion chunks.
func NewStream(h Head, chat bool, c *Common) *Stream {
	object := "text_completion"
	if chat {
		object = "chat.completion.chunk"
	}
	open := appendString([]byte(`data: {"id":`), h.ID)
	open = append(open, `,"object":"`+object+`","created":`...)
	open = strconv.AppendInt(open, h.Created, 10)
	open = appendString(append(open, `,"model":`...), h.Model)
	return &Stream{h: h, chat: chat, usage: c.Usage, every: c.Running, open: append(open, `,"choices":[`...)}
}

// Done is the frame that ends every stream.
const Done = "data: [DONE]\n\n"

// Role is the first chunk of a chat choice. Text completions have none. The bytes are valid until the next call.
func (s *Stream) Role(index int, u Usage) []byte {
	s.begin(index, `,"delta":{"role":"assistant","content":""},"logprobs":null,"finish_reason":null}]`)
	s.running(u)
	return s.end(`,"prompt_token_ids":null,"prompt_text":null}`)
}

// Delta is the text of one token.
func (s *Stream) Delta(index int, text string, u Usage) []byte {
	s.text(index, text)
	if s.chat {
		s.add(`,"logprobs":null,"finish_reason":null,"token_ids":null}]`)
	} else {
		s.add(`,"logprobs":null,"finish_reason":null,"stop_reason":null,"prompt_token_ids":null,"token_ids":null}]`)
	}
	s.running(u)
	return s.end("}")
}

// Finish is the last chunk of a choice, with its last text.
func (s *Stream) Finish(index int, c Choice, u Usage) []byte {
	s.text(index, c.Text)
	s.add(`,"logprobs":null,"finish_reason":"` + c.Finish + `","stop_reason":`)
	s.buf = append(s.buf, Marshal(c.stop())...)
	if !s.chat {
		s.add(`,"prompt_token_ids":null`)
	}
	s.add(`,"token_ids":null}]`)
	s.running(u)
	if !s.usage {
		s.fingerprint()
	}
	return s.end("}")
}

// Usage is the chunk that ends a stream with include_usage.
func (s *Stream) Usage(u Usage) []byte {
	s.buf = append(append(s.buf[:0], s.open...), ']')
	s.counts(u)
	s.add("}")
	s.fingerprint()
	return s.end("}")
}

func (s *Stream) text(index int, text string) {
	if s.chat {
		s.begin(index, `,"delta":{"content":`)
	} else {
		s.begin(index, `,"text":`)
	}
	s.buf = appendString(s.buf, text)
	if s.chat {
		s.add("}")
	}
}

func (s *Stream) begin(index int, rest string) {
	s.buf = append(append(s.buf[:0], s.open...), `{"index":`...)
	s.buf = strconv.AppendInt(s.buf, int64(index), 10)
	s.add(rest)
}

func (s *Stream) add(text string) { s.buf = append(s.buf, text...) }

func (s *Stream) end(text string) []byte {
	s.add(text + "\n\n")
	return s.buf
}

func (s *Stream) running(u Usage) {
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
func (s *Stream) counts(u Usage) {
	s.add(`,"usage":{"prompt_tokens":`)
	s.buf = strconv.AppendInt(s.buf, int64(u.Prompt), 10)
	s.add(`,"total_tokens":`)
	s.buf = strconv.AppendInt(s.buf, int64(u.Prompt+u.Completion), 10)
	s.add(`,"completion_tokens":`)
	s.buf = strconv.AppendInt(s.buf, int64(u.Completion), 10)
}

func (s *Stream) fingerprint() {
	s.buf = appendString(append(s.buf, `,"system_fingerprint":`...), s.h.Fingerprint)
}
