package derender

import (
	"strconv"
	"unicode/utf8"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/generation"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol/request"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/text/toolparser"
)

// textChunk makes the next chunk of a text completion, and what the client has to carry on.
func (d *words) textChunk(chunk *schema.Values) ([]byte, *protocol.Error) {
	if err := d.promptFits(d.v.Get("prompt_token_ids")); err != nil {
		return nil, err
	}
	choices := request.List(chunk, "choices")
	if len(choices) > 1 {
		return nil, protocol.BadRequest("derender_completion_stream expects at most one choice per chunk")
	}
	s := readState(d.v.Values("stream_state"), d.model.Tokenizer, promptOf(d.v.Get("prompt_token_ids"), chunk), d.hides())
	b := appendHead([]byte(`{"chunk":`), d.v, chunk, "text_completion", d.h)
	for _, choice := range choices {
		choice, _ := choice.(*schema.Values)
		ids := protocol.Int64s(choice.Get("token_ids"))
		text := s.add(ids)
		b = protocol.AppendJSON(append(b, `{"index":`...), choice.Get("index"))
		b = pyjson.AppendString(append(b, `,"text":`...), text)
		words, told := restore(choice, d.model.Tokenizer, s.context)
		b = appendTextWords(append(b, `,"logprobs":`...), words, told, s.offset)
		b = appendReasons(b, choice.Get("finish_reason"), choice)
		b = append(b, `,"prompt_token_ids":null,"token_ids":null}`...)
		s.told(ids)
		s.offset += int64(utf8.RuneCountInString(text))
	}
	b = usageOf(append(b, `],"usage":`...), chunk, d.v.Get("prompt_tokens"))
	b = protocol.AppendJSON(append(b, `,"system_fingerprint":null,"metrics":`...), chunk.Get("metrics"))
	return append(s.append(append(b, `},"stream_state":`...)), '}'), nil
}

// chatChunk makes the next chunk of a chat completion.
func (d *words) chatChunk(chunk *schema.Values) ([]byte, *protocol.Error) {
	prompt := d.v.Get("prompt_token_ids")
	choices := request.List(chunk, "choices")
	switch {
	case d.parses() && prompt == nil:
		return nil, protocol.BadRequest("prompt_token_ids is required when a tool or reasoning parser is configured. Without it parse_delta cannot tell " +
			"whether the prompt left reasoning open (e.g. a chat template that pre-opens <think>) and would misclassify reasoning content as plain content.")
	case len(choices) > 1:
		return nil, protocol.BadRequest("derender_chat_stream expects at most one choice per chunk (got %d).", len(choices))
	}
	s := readState(d.v.Values("stream_state"), d.model.Tokenizer, promptOf(prompt, chunk), d.hides())
	var choice *schema.Values
	if len(choices) > 0 {
		choice, _ = choices[0].(*schema.Values)
	}
	ids := protocol.Int64s(choice.Get("token_ids"))
	if n := len(protocol.Int64s(prompt)); n+len(s.ids)+len(ids) > d.model.MaxLen {
		return nil, protocol.BadRequest("prompt_token_ids length (%d) plus output_token_ids length (%d) plus delta (%d) exceeds max_model_len (%d).",
			n, len(s.ids), len(ids), d.model.MaxLen)
	}
	b := appendHead([]byte(`{"chunk":`), d.v, chunk, "chat.completion.chunk", d.h)
	switch {
	case choice == nil:
	case d.parses():
		b = d.appendParsed(b, choice, ids, &s)
	default:
		b = d.appendDelta(b, choice, ids, &s)
	}
	b = usageOf(append(b, `],"usage":`...), chunk, d.v.Get("prompt_tokens"))
	b = append(b, `,"system_fingerprint":null,"prompt_token_ids":null,"prompt_text":null,"metrics":`...)
	b = protocol.AppendJSON(b, chunk.Get("metrics"))
	return append(s.append(append(b, `},"stream_state":`...)), '}'), nil
}

// appendDelta writes a choice whose words nobody takes apart.
func (d *words) appendDelta(b []byte, choice *schema.Values, ids []int64, s *state) []byte {
	p := request.Piece{}
	if text := s.add(ids); text != "" {
		p.Content = &text
	}
	b = d.appendPiece(b, choice, &p, s)
	words, told := restore(choice, d.model.Tokenizer, s.context)
	b = appendChatWords(append(b, `,"logprobs":`...), words, told)
	s.told(ids)
	b = appendReasons(b, choice.Get("finish_reason"), choice)
	return append(d.appendIDs(b, ids), '}')
}

// appendParsed reads all tokens again, chunk by chunk, to know what the new ones mean.
func (d *words) appendParsed(b []byte, choice *schema.Values, ids []int64, s *state) []byte {
	prompt := protocol.Int64s(d.v.Get("prompt_token_ids"))
	turn := d.turn(prompt)
	reader := turn.NewReader(!d.asked.Bool("include_reasoning"))
	w := newWindow(d.model.Tokenizer, prompt, false)
	rest := s.ids
	for _, n := range s.lens {
		n := min(int(n), len(rest))
		reader.Feed(&generation.Output{Text: w.add(rest[:n]), Tokens: small(rest[:n])})
		rest = rest[n:]
	}
	finish := choice.Get("finish_reason")
	o := &generation.Output{Text: w.add(ids), Tokens: small(ids)}
	o.Finish, _ = finish.(string)
	p := &request.Piece{}
	if len(ids) > 0 || finish != nil {
		if fed := reader.Feed(o); fed != nil {
			p = fed
		}
	}
	if len(ids) > 0 {
		s.ids, s.lens = append(s.ids, ids...), append(s.lens, int64(len(ids)))
	}
	s.toolsSent = s.toolsSent || len(p.Calls) > 0
	b = d.appendPiece(b, choice, p, s)
	if finish != nil && s.toolsSent && turn.Talk.Tools.Choice != request.Named {
		finish = "tool_calls"
	}
	b = appendReasons(append(b, `,"logprobs":null`...), finish, choice)
	return append(d.appendIDs(b, ids), '}')
}

// appendPiece opens a choice and writes what is new in it.
func (d *words) appendPiece(b []byte, choice *schema.Values, p *request.Piece, s *state) []byte {
	b = protocol.AppendJSON(append(b, `{"index":`...), choice.Get("index"))
	if s.roleSent {
		b = append(b, `,"delta":{"role":null`...)
	} else {
		b = append(b, `,"delta":{"role":"assistant"`...)
	}
	s.roleSent = true
	b = protocol.AppendText(append(b, `,"content":`...), p.Content)
	b = protocol.AppendText(append(b, `,"reasoning":`...), p.Reasoning)
	for i, c := range p.Calls {
		if i == 0 {
			b = append(b, `,"tool_calls":[`...)
		} else {
			b = append(b, ',')
		}
		b = s.appendCall(b, c)
	}
	if len(p.Calls) > 0 {
		b = append(b, ']')
	}
	return append(b, '}')
}

// appendCall writes a piece of a call, whose id stays what it was.
func (s *state) appendCall(b []byte, c toolparser.CallDelta) []byte {
	b = append(b, `{"id":`...)
	if c.Begins {
		for len(s.calls) <= c.Index {
			s.calls = append(s.calls, protocol.NewCallID())
		}
		b = pyjson.AppendString(b, s.calls[c.Index])
		b = append(b, `,"type":"function"`...)
	} else {
		b = append(b, `null,"type":null`...)
	}
	b = strconv.AppendInt(append(b, `,"index":`...), int64(c.Index), 10)
	b = append(b, `,"function":{"name":`...)
	if c.Begins {
		b = pyjson.AppendString(b, c.Name)
	} else {
		b = append(b, "null"...)
	}
	b = append(b, `,"arguments":`...)
	if c.Arguments == "" && !c.Begins {
		b = append(b, "null"...)
	} else {
		b = pyjson.AppendString(b, c.Arguments)
	}
	return append(b, "}}"...)
}
