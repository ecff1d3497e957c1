package completion

import (
	"strconv"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/generation"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol/request"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
)

// AppendBody writes a whole text completion. The choices of the first prompt come first.
func (r *Request) AppendBody(b []byte, h protocol.Head, outs []*generation.Output, u protocol.Usage, t *protocol.Timing) []byte {
	b = pyjson.AppendString(append(b, `{"id":`...), h.ID)
	b = strconv.AppendInt(append(b, `,"object":"text_completion","created":`...), h.Created, 10)
	b = pyjson.AppendString(append(b, `,"model":`...), h.Model)
	b = append(b, `,"choices":[`...)
	for i, o := range outs {
		b = r.appendChoice(separate(b, i), i, o)
	}
	b = h.AppendFingerprint(append(b, `],"service_tier":null,"system_fingerprint":`...))
	b = u.Append(append(b, `,"usage":`...))
	b = append(b, `,"kv_transfer_params":null,"ec_transfer_params":null,"metrics":`...)
	return append(t.Append(b, false), '}')
}

func (r *Request) appendChoice(b []byte, i int, o *generation.Output) []byte {
	work := r.works[i/int(r.params.N)]
	b = strconv.AppendInt(append(b, `{"index":`...), int64(i), 10)
	text, tokens, likely := o.Text, o.Tokens, o.Logprobs
	if r.echo {
		text, tokens, likely = r.echoed(work, o)
	}
	b = pyjson.AppendString(append(b, `,"text":`...), text)
	b = append(b, `,"logprobs":`...)
	if r.logprobs {
		b, _ = r.appendLogprobs(b, tokens, likely, 0)
	} else {
		b = append(b, "null"...)
	}
	b = append(append(append(b, `,"finish_reason":"`...), o.Finish...), `","stop_reason":`...)
	b = protocol.AppendStop(b, o.Stop)
	b = r.appendTokens(append(b, `,"token_ids":`...), o.Tokens)
	b = request.AppendPromptLogprobs(append(b, `,"prompt_logprobs":`...), work.PromptLogprobs())
	b = r.appendTokens(append(b, `,"prompt_token_ids":`...), work.Prompt.Tokens)
	return append(b, `,"routed_experts":null}`...)
}

// appendTokens writes ids to those who asked for them.
func (r *Request) appendTokens(b []byte, ids []int) []byte {
	if !r.returnTokens {
		return append(b, "null"...)
	}
	return protocol.AppendInts(b, ids)
}

// echoed puts the prompt before a part of its answer. Without a budget for an answer the one token that the engine makes all
// the same is not told.
func (r *Request) echoed(w *generation.Work, o *generation.Output) (text string, tokens []int, likely []generation.Position) {
	if !r.returnTokens {
		text = w.Prompt.Text
	}
	tokens = append(tokens, w.Prompt.Tokens...)
	likely = append(likely, w.PromptLogprobs()...)
	if r.nothing {
		return text, tokens, likely
	}
	return text + o.Text, append(tokens, o.Tokens...), append(likely, o.Logprobs...)
}
