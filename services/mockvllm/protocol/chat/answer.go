package chat

import (
	"strconv"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/generation"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol/request"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/text/toolparser"
)

// AppendBody writes a whole chat completion. All declared keys are there, null where there is nothing to say.
func (r *Request) AppendBody(b []byte, h protocol.Head, outs []*generation.Output, u protocol.Usage, t *protocol.Timing) []byte {
	b = pyjson.AppendString(append(b, `{"id":`...), h.ID)
	b = strconv.AppendInt(append(b, `,"object":"chat.completion","created":`...), h.Created, 10)
	b = pyjson.AppendString(append(b, `,"model":`...), h.Model)
	b = append(b, `,"choices":[`...)
	reasoning := 0
	for i, o := range outs {
		if i > 0 {
			b = append(b, ',')
		}
		var n int
		b, n = r.appendChoice(b, i, o)
		reasoning += n
	}
	b = h.AppendFingerprint(append(b, `],"service_tier":null,"system_fingerprint":`...))
	u.Reasoning = r.reasoningOf(reasoning)
	b = u.Append(append(b, `,"usage":`...))
	b = request.AppendPromptLogprobs(append(b, `,"prompt_logprobs":`...), r.Work.PromptLogprobs())
	b = append(b, `,"prompt_token_ids":`...)
	if r.returnTokens {
		b = protocol.AppendInts(b, r.Work.Prompt.Tokens)
	} else {
		b = append(b, "null"...)
	}
	b = protocol.AppendText(append(b, `,"prompt_text":`...), r.promptText())
	b = append(b, `,"kv_transfer_params":null,"ec_transfer_params":null,"metrics":`...)
	return append(t.Append(b, false), '}')
}

// reasoningOf is told only where a parser looks for reasoning.
func (r *Request) reasoningOf(tokens int) *int {
	if r.Server.Reasoning == "" {
		return nil
	}
	return &tokens
}

// hidden tells whether reasoning is not told, nor tokens, which would tell it too.
func (r *Request) hidden() bool { return r.Parses() && !r.includeReasoning }

// appendChoice returns how many tokens were reasoning.
func (r *Request) appendChoice(b []byte, i int, o *generation.Output) ([]byte, int) {
	said := r.Parse(o)
	hidden := r.hidden()
	b = strconv.AppendInt(append(b, `{"index":`...), int64(i), 10)
	b = pyjson.AppendString(append(b, `,"message":{"role":`...), r.role())
	b = protocol.AppendText(append(b, `,"content":`...), r.content(said))
	b = append(b, `,"refusal":null,"annotations":null,"audio":null,"function_call":null`...)
	b = r.appendCalls(b, said.Calls)
	b = append(b, `,"reasoning":`...)
	if hidden {
		b = append(b, "null"...)
	} else {
		b = protocol.AppendText(b, said.Reasoning)
	}
	b = append(b, `},"logprobs":`...)
	if r.logprobs && !hidden {
		b = r.appendLogprobs(b, o)
	} else {
		b = append(b, "null"...)
	}
	b = append(append(b, `,"finish_reason":"`...), r.finish(o.Finish, said)...)
	b = protocol.AppendStop(append(b, `","stop_reason":`...), o.Stop)
	b = append(b, `,"token_ids":`...)
	if r.returnTokens && !hidden {
		b = protocol.AppendInts(b, o.Tokens)
	} else {
		b = append(b, "null"...)
	}
	return append(b, `,"routed_experts":null}`...), said.ReasoningTokens
}

// content is what a message says besides calls: never null where a call was asked for, with what is to be echoed before it.
func (r *Request) content(s request.Said) *string {
	text := s.Content
	if text == nil && r.Talk.Tools.Forced() {
		text = new(string)
	}
	if !r.echo {
		return text
	}
	echo := r.echoed()
	if text != nil {
		echo += *text
	}
	return &echo
}

// finish tells of calls, unless the tool was named: then it was no choice of the model's.
func (r *Request) finish(reason string, s request.Said) string {
	auto := len(s.Calls) > 0 && !r.Talk.Tools.Forced()
	if auto || r.Talk.Tools.Choice == request.Required && reason == generation.FinishStop {
		return finishCalls
	}
	return reason
}

func (r *Request) appendCalls(b []byte, calls []toolparser.Call) []byte {
	if !r.Talk.Tools.Parallel && len(calls) > 1 {
		calls = calls[:1]
	}
	for i, c := range calls {
		if i == 0 {
			b = append(b, `,"tool_calls":[`...)
		} else {
			b = append(b, ',')
		}
		b = pyjson.AppendString(append(b, `{"id":`...), callID(c.ID))
		b = pyjson.AppendString(append(b, `,"type":"function","function":{"name":`...), c.Name)
		b = pyjson.AppendString(append(b, `,"arguments":`...), c.Arguments)
		b = append(b, "}}"...)
	}
	if len(calls) > 0 {
		b = append(b, ']')
	}
	return b
}
