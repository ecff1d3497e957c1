package derender

import (
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol/request"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema"
)

// mostAnswers is vLLM's VLLM_MAX_N_SEQUENCES.
const mostAnswers = 16384

// bounds refuses more tokens than an answer of this server could have.
func bounds(m *request.Model, from ...*schema.Values) *protocol.Error {
	if n := len(from); n > mostAnswers {
		return protocol.BadRequest("generate_responses count (%d) exceeds server maximum (%d). Set VLLM_MAX_N_SEQUENCES to increase this limit.", n, mostAnswers)
	}
	for _, one := range from {
		choices := request.List(one, "choices")
		if n := len(choices); n > mostAnswers {
			return protocol.BadRequest("choices count (%d) in response '%s' exceeds server maximum (%d).", n, idOf(one), mostAnswers)
		}
		for _, choice := range choices {
			choice, _ := choice.(*schema.Values)
			if err := choiceFits(choice, m); err != nil {
				return err
			}
		}
		if n := len(request.List(one, "prompt_logprobs")); n > m.MaxLen {
			return protocol.BadRequest("prompt_logprobs length (%d) in response '%s' exceeds max_model_len (%d).", n, idOf(one), m.MaxLen)
		}
	}
	return nil
}

func choiceFits(choice *schema.Values, m *request.Model) *protocol.Error {
	index := pyjson.Str(choice.Get("index"))
	if n := len(request.List(choice, "token_ids")); n > m.MaxLen {
		return protocol.BadRequest("token_ids length (%d) in choice %s exceeds max_model_len (%d).", n, index, m.MaxLen)
	}
	content := request.List(choice.Values("logprobs"), "content")
	if n := len(content); n > m.MaxLen {
		return protocol.BadRequest("logprobs.content length (%d) in choice %s exceeds max_model_len (%d).", n, index, m.MaxLen)
	}
	for _, entry := range content {
		entry, _ := entry.(*schema.Values)
		if n := len(request.List(entry, "top_logprobs")); m.MaxLogprobs >= 0 && n > m.MaxLogprobs {
			return protocol.BadRequest("top_logprobs count (%d) in choice %s exceeds max_logprobs (%d).", n, index, m.MaxLogprobs)
		}
	}
	return nil
}

func (d *words) promptFits(ids any) *protocol.Error {
	if n := len(protocol.Int64s(ids)); n > d.model.MaxLen {
		return protocol.BadRequest("prompt_token_ids length (%d) exceeds max_model_len (%d).", n, d.model.MaxLen)
	}
	return nil
}
