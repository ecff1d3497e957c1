package chat

import (
	"strconv"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/generation"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol/request"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/text/toolparser"
)

// stream frames chunks of a chat completion. They hold only what vLLM sets explicitly, so null and absent differ.
type stream struct {
	r       *Request
	prompt  int    // tokens
	open    []byte // of each frame
	system  string // fingerprint of it
	buf     []byte
	choices []choice
	emit    func(frame []byte)
}

// choice is how far a choice is.
type choice struct {
	reader *request.Reader
	tokens int
	called bool
}

// Frames makes the writer of a streamed answer.
func (r *Request) Frames(h protocol.Head, emit func(frame []byte)) request.Frames {
	const most = len(`data: {"id":"","object":"chat.completion.chunk","created":1234567890,"model":"","choices":[`)
	open := append(make([]byte, 0, most+len(h.ID)+len(h.Model)), `data: {"id":`...)
	open = pyjson.AppendString(open, h.ID)
	open = strconv.AppendInt(append(open, `,"object":"chat.completion.chunk","created":`...), h.Created, 10)
	open = pyjson.AppendString(append(open, `,"model":`...), h.Model)
	s := &stream{r: r, prompt: len(r.Work.Prompt.Tokens), system: h.Fingerprint, open: append(open, `,"choices":[`...), emit: emit,
		choices: make([]choice, r.Params.N)}
	for i := range s.choices {
		s.choices[i].reader = r.NewReader(!r.includeReasoning)
	}
	return s
}

// Begin sends the role of all choices, and what is to be echoed.
func (s *stream) Begin() {
	for i := range s.choices {
		s.begin(i)
		s.buf = pyjson.AppendString(append(s.buf, `{"role":`...), s.r.role())
		s.add(`,"content":""},"logprobs":null,"finish_reason":null}]`)
		s.running(i)
		s.add(`,"prompt_token_ids":`)
		if s.r.returnTokens {
			s.buf = protocol.AppendInts(s.buf, s.r.Work.Prompt.Tokens)
		} else {
			s.add("null")
		}
		s.add(`,"prompt_text":`)
		s.buf = protocol.AppendText(s.buf, s.r.promptText())
		s.end()
	}
	echo := s.r.echoed()
	for i := 0; echo != "" && i < len(s.choices); i++ {
		s.begin(i)
		s.buf = pyjson.AppendString(append(s.buf, `{"content":`...), echo)
		s.add(`},"logprobs":null,"finish_reason":null}]`)
		s.running(i)
		s.end()
	}
	s.r.forget()
}

// Part sends a delta. A part of which a parser makes nothing has none, and neither has the end of what had no token.
func (s *stream) Part(i int, o *generation.Output) {
	c := &s.choices[i]
	if o.Text == "" && c.tokens+len(o.Tokens) == 0 { // vLLM takes what ends without a token for a prompt that is still being read
		return
	}
	c.tokens += len(o.Tokens)
	hidden := s.r.hidden()
	d := c.reader.Feed(o)
	c.called = c.called || d != nil && len(d.Calls) > 0
	logprobs := s.r.logprobs && !hidden
	tokens := s.r.returnTokens && !hidden
	if d == nil && o.Finish == "" && !logprobs && !tokens {
		return
	}
	s.begin(i)
	s.delta(d)
	s.add(`,"logprobs":`)
	if logprobs {
		s.buf = s.r.appendLogprobs(s.buf, o)
	} else {
		s.add("null")
	}
	s.finish(c, o)
	s.add(`,"token_ids":`)
	if tokens {
		s.buf = protocol.AppendInts(s.buf, o.Tokens)
	} else {
		s.add("null")
	}
	s.add(`}]`)
	s.running(i)
	if o.Finish != "" && !s.r.Usage {
		s.fingerprint()
	}
	s.end()
}

func (s *stream) finish(c *choice, o *generation.Output) {
	s.add(`,"finish_reason":`)
	if o.Finish == "" {
		s.add("null")
		return
	}
	reason := o.Finish
	if c.called && reason == generation.FinishStop && s.r.Talk.Tools.Choice != request.Named {
		reason = finishCalls
	}
	s.add(`"` + reason + `","stop_reason":`)
	s.buf = protocol.AppendStop(s.buf, o.Stop)
}

// finishCalls is the finish reason of an answer with calls. A named tool was no choice of the model's.
const finishCalls = "tool_calls"

// delta writes the object. Members that are not set are left out.
func (s *stream) delta(d *request.Piece) {
	s.add("{")
	sep := ""
	if d != nil && d.Content != nil {
		s.buf = pyjson.AppendString(append(s.buf, `"content":`...), *d.Content)
		sep = ","
	} else if d != nil && d.NoContent {
		s.add(`"content":null`)
		sep = ","
	}
	if d != nil && d.Reasoning != nil {
		s.buf = pyjson.AppendString(append(s.buf, sep+`"reasoning":`...), *d.Reasoning)
		sep = ","
	} else if d != nil && d.Hidden {
		s.add(sep + `"reasoning":null`)
		sep = ","
	}
	if d != nil {
		s.calls(sep, d.Calls)
	}
	s.add("}")
}

// calls writes pieces of calls, of the first one only when the client wants no more.
func (s *stream) calls(sep string, calls []toolparser.CallDelta) {
	opened := false
	for _, c := range calls {
		if c.Index > 0 && !s.r.Talk.Tools.Parallel {
			continue
		}
		if opened {
			s.add(",{")
		} else {
			s.add(sep + `"tool_calls":[{`)
			opened = true
		}
		if c.Begins {
			s.add(`"id":"` + callID(c.ID) + `","type":"function",`)
		}
		s.buf = strconv.AppendInt(append(s.buf, `"index":`...), int64(c.Index), 10)
		s.add(`,"function":{`)
		if c.Begins {
			s.buf = pyjson.AppendString(append(s.buf, `"name":`...), c.Name)
		}
		if c.Arguments != "" {
			if c.Begins {
				s.add(",")
			}
			s.buf = pyjson.AppendString(append(s.buf, `"arguments":`...), c.Arguments)
		}
		s.add("}}")
	}
	if opened {
		s.add("]")
	}
}

// End sends the usage, when it was asked for, and [DONE].
func (s *stream) End(u protocol.Usage, t *protocol.Timing) {
	if s.r.Usage {
		s.buf = append(append(request.Borrow(), s.open...), `],"usage":`...)
		u.Reasoning = s.r.reasoningOf(s.reasoned())
		s.buf = u.AppendFinal(s.buf)
		s.fingerprint()
		if t != nil {
			s.buf = t.Append(append(s.buf, `,"metrics":`...), true)
		}
		s.end()
	}
	s.emit([]byte(request.Done))
}

func (s *stream) reasoned() (n int) {
	for _, c := range s.choices {
		n += c.reader.ReasoningTokens()
	}
	return n
}

// Fail sends the error and [DONE].
func (s *stream) Fail(e *protocol.Error) (broken bool) {
	s.emit(e.Event())
	s.emit([]byte(request.Done))
	return false
}

// begin leaves the choice open before its delta.
func (s *stream) begin(i int) {
	s.buf = append(append(request.Borrow(), s.open...), `{"index":`...)
	s.buf = append(strconv.AppendInt(s.buf, int64(i), 10), `,"delta":`...)
}

func (s *stream) add(text string) { s.buf = append(s.buf, text...) }

func (s *stream) end() {
	s.add("}\n\n")
	s.emit(s.buf)
	request.Return(s.buf)
	s.buf = nil
}

// running adds the counts of a choice so far, when every chunk is to have them.
func (s *stream) running(i int) {
	if !s.r.Continuous {
		return
	}
	c := &s.choices[i]
	u := protocol.Usage{Prompt: s.prompt, Completion: c.tokens, Reasoning: s.r.reasoningOf(c.reader.ReasoningTokens())}
	s.buf = u.AppendRunning(append(s.buf, `,"usage":`...), true)
}

func (s *stream) fingerprint() {
	if s.system != "" {
		s.buf = pyjson.AppendString(append(s.buf, `,"system_fingerprint":`...), s.system)
	}
}
