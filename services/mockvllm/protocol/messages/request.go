package messages

import (
	"strconv"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol/request"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/sampling"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema"
)

// Request is one for a message.
type Request struct {
	request.Turn
}

// Read takes a request apart that the schema has accepted.
func Read(v *schema.Values, m *request.Model) (*Request, *protocol.Error) {
	r := &Request{request.Turn{Common: request.Common{Model: request.Str(v, "model"), N: 1, Stream: v.Bool("stream"),
		CacheSalt: request.Str(v, "cache_salt")}, Server: m, Params: request.Sampling(v, m.Defaults)}}
	r.Length.ReadMax(v, "max_tokens")
	r.Length.MaxName = "max_completion_tokens"
	r.Params.HideSpecial, r.Params.SpacesBetween = true, true
	for _, s := range request.List(v, "stop_sequences") {
		r.Params.Stop = append(r.Params.Stop, s.(string))
	}
	if config := v.Values("output_config"); config != nil {
		if format := config.Values("format"); format != nil && format.Get("json_schema") != nil {
			r.Params.Constraint = &sampling.Constraint{Kind: "json", Spec: format.Get("json_schema")}
		}
	}
	if thinking := v.Values("thinking"); thinking != nil && request.Str(thinking, "type") == "enabled" {
		if budget, given := thinking.Int("budget_tokens"); given {
			r.Params.ThinkingBudget = &budget
		}
	}
	var err *protocol.Error
	if r.Talk, err = conversation(v); err != nil {
		return r, err
	}
	if salt, given := v.Str("cache_salt"); given { // the request for a chat that it becomes is stricter
		if err := schema.Salt(salt); err != nil {
			return r, protocol.Refused(err)
		}
	}
	return r, nil
}

// CountTokens answers /v1/messages/count_tokens.
func CountTokens(v *schema.Values, m *request.Model) ([]byte, *protocol.Error) {
	talk, err := conversation(v)
	if err != nil {
		return nil, err
	}
	prompt, err := talk.Prompt(request.Length{}, m)
	if err != nil {
		return nil, err
	}
	if err := talk.Tools.Callable(m.Tools); err != nil {
		return nil, err
	}
	n := strconv.Itoa(len(prompt.Tokens))
	return []byte(`{"input_tokens":` + n + `,"context_management":{"original_input_tokens":` + n + `}}`), nil
}
