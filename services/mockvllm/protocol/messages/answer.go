package messages

import (
	"strconv"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/generation"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol/request"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
)

// stopReason is Anthropic's word for why an answer ended, and the stop string that it met; "" is null: for an answer that
// the server broke off there is no word. A stop string ends a message before an unfinished call does.
func stopReason(o *generation.Output, called, complete bool) (reason, sequence string) {
	word, _ := o.Stop.(string)
	switch {
	case o.Finish == generation.FinishLength:
		return "max_tokens", ""
	case o.Finish != generation.FinishStop:
		return "", ""
	case complete:
		return "tool_use", ""
	case word != "":
		return "stop_sequence", word
	case called:
		return "tool_use", ""
	}
	return "end_turn", ""
}

// AppendBody writes a whole message. Unlike chat completions it leaves nulls out.
func (r *Request) AppendBody(b []byte, h protocol.Head, outs []*generation.Output, u protocol.Usage, _ *protocol.Timing) []byte {
	said := r.Parse(outs[0])
	if !r.Talk.Tools.Parallel && len(said.Calls) > 1 {
		said.Calls = said.Calls[:1]
	}
	b = pyjson.AppendString(append(b, `{"id":`...), h.ID)
	b = append(b, `,"type":"message","role":"assistant","content":[`...)
	b = pyjson.AppendString(append(appendContent(b, said), `],"model":`...), h.Model)
	called := len(said.Calls) > 0
	reason, sequence := stopReason(outs[0], called, called)
	if reason != "" {
		b = append(b, `,"stop_reason":"`+reason+`"`...)
	}
	if sequence != "" {
		b = pyjson.AppendString(append(b, `,"stop_sequence":`...), sequence)
	}
	return append(appendUsage(append(b, `,"usage":`...), u), '}')
}

// appendContent writes the blocks. A message without any has an empty text.
func appendContent(b []byte, said request.Said) []byte {
	start := len(b)
	separate := func() {
		if len(b) > start {
			b = append(b, ',')
		}
	}
	if said.Reasoning != nil && *said.Reasoning != "" {
		b = pyjson.AppendString(append(b, `{"type":"thinking","thinking":`...), *said.Reasoning)
		b = append(b, `,"signature":"`+signature()+`"}`...)
	}
	if said.Content != nil && *said.Content != "" {
		separate()
		b = append(pyjson.AppendString(append(b, `{"type":"text","text":`...), *said.Content), '}')
	}
	for _, c := range said.Calls {
		separate()
		id := c.ID
		if id == "" {
			id = protocol.NewCallID()
		}
		b = pyjson.AppendString(append(b, `{"type":"tool_use","id":`...), id)
		b = pyjson.AppendString(append(b, `,"name":`...), c.Name)
		b = append(b, `,"input":`...)
		if input, err := pyjson.DecodeString(c.Arguments); err == nil {
			b = pyjson.AppendJSON(b, input, pyjson.Format{Compact: true})
		} else {
			b = append(b, "{}"...)
		}
		b = append(b, '}')
	}
	if len(b) == start {
		b = append(b, `{"type":"text","text":""}`...)
	}
	return b
}

// signature stands at the end of a block of thinking: 32 hex digits.
func signature() string { return protocol.NewID() + protocol.NewID() }

// appendUsage writes {"input_tokens","output_tokens"}. What the prefix cache had is told apart where the server tells it.
func appendUsage(b []byte, u protocol.Usage) []byte {
	input := u.Prompt
	if u.Details != nil {
		input -= u.Details.Cached + max(0, u.Details.Created)
	}
	b = strconv.AppendInt(append(b, `{"input_tokens":`...), int64(max(0, input)), 10)
	b = strconv.AppendInt(append(b, `,"output_tokens":`...), int64(u.Completion), 10)
	if u.Details != nil {
		if u.Details.Created >= 0 {
			b = strconv.AppendInt(append(b, `,"cache_creation_input_tokens":`...), int64(u.Details.Created), 10)
		}
		b = strconv.AppendInt(append(b, `,"cache_read_input_tokens":`...), int64(u.Details.Cached), 10)
	}
	return append(b, '}')
}

// ErrorBody is a refusal in Anthropic's form with vLLM's types. What the schema refuses never reaches that API's handler in
// vLLM and keeps the other form.
func ErrorBody(e *protocol.Error) []byte {
	if e.Type == protocol.TypeSchema || e.Detail != "" {
		return e.Body()
	}
	b := pyjson.AppendString([]byte(`{"type":"error","error":{"type":`), e.Type)
	b = pyjson.AppendString(append(b, `,"message":`...), e.Message)
	return append(b, "}}"...)
}
