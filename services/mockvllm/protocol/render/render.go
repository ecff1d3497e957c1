package render

import (
	"net/http"
	"strconv"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/generation"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol/request"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema"
)

// Check refuses what only a server that answers can do.
func Check(v *schema.Values) *protocol.Error {
	switch {
	case v.Bool("use_beam_search"):
		return protocol.BadRequest("Beam search is not supported by the render endpoint")
	case v.Get("previous_response_id") != nil:
		return &protocol.Error{Status: http.StatusBadRequest, Type: "invalid_request_error", Param: "previous_response_id",
			Message: "previous_response_id is not supported by the stateless render endpoint."}
	}
	return nil
}

// Requests writes the requests for tokens that a request becomes: one, but a list of them for completions.
func Requests(v *schema.Values, works []*generation.Work, c *request.Common, id string, m *request.Model) []byte {
	r := rendering{v: v, common: c, model: m, kind: v.Model()}
	if r.kind != "CompletionRequest" {
		return r.append(nil, id, works[0], true)
	}
	b := []byte("[")
	for i, w := range works {
		one := id
		if i > 0 {
			b = append(b, ',')
		}
		if len(works) > 1 {
			one += "-" + strconv.Itoa(i)
		}
		b = r.append(b, one, w, isText(v.Get("prompt"), i))
	}
	return append(b, ']')
}

type rendering struct {
	v      *schema.Values
	common *request.Common
	model  *request.Model
	kind   string // name of the request's model
}

// isText tells whether prompt i of a completion came as a text, not as tokens.
func isText(prompts any, i int) bool {
	list, many := prompts.([]any)
	if !many {
		return true
	}
	_, text := protocol.At(list, i).(string)
	return text
}

// append writes a GenerateRequest. Only a prompt that was a text has offsets in it.
func (r *rendering) append(b []byte, id string, w *generation.Work, text bool) []byte {
	b = pyjson.AppendString(append(b, `{"request_id":`...), id)
	b = protocol.AppendInts(append(b, `,"token_ids":`...), w.Prompt.Tokens)
	b = append(b, `,"token_offsets":`...)
	if text && r.v.Bool("return_token_offsets") {
		b = r.appendOffsets(b, &w.Prompt)
	} else {
		b = append(b, "null"...)
	}
	b = append(b, `,"features":null,"content_parts":null,"sampling_params":`...)
	b = r.appendParams(b, w.Params)
	b = r.appendField(append(b, `,"model":`...), "model")
	b = r.appendReasoning(b)
	b = append(b, `,"return_token_ids":null,"output_mode":"tokens","stream":`...)
	b = strconv.AppendBool(b, r.common.Stream)
	b = r.appendOptions(append(b, `,"stream_options":`...))
	b = r.appendField(append(b, `,"cache_salt":`...), "cache_salt")
	b = strconv.AppendInt(append(b, `,"priority":`...), r.common.Priority, 10)
	for _, name := range []string{"kv_transfer_params", "ec_transfer_params"} {
		b = append(b, `,"`+name+`":`...)
		if r.kind == "ResponsesRequest" {
			b = r.appendField(b, name)
		} else {
			b = append(b, "null"...)
		}
	}
	return append(b, '}')
}

func (r *rendering) appendField(b []byte, name string) []byte {
	return protocol.AppendJSON(b, r.v.Get(name))
}

// appendOptions writes what a streamed answer tells of its usage. Messages want to know all.
func (r *rendering) appendOptions(b []byte) []byte {
	switch {
	case !r.common.Stream || r.kind == "ResponsesRequest":
		return append(b, "null"...)
	case r.kind == "AnthropicMessagesRequest":
		return append(b, `{"include_usage":true,"continuous_usage_stats":true}`...)
	}
	return r.appendField(b, "stream_options")
}

// appendReasoning writes what a server with a parser of reasoning tells it.
func (r *rendering) appendReasoning(b []byte) []byte {
	parses := r.model.Reasoning != "" && r.kind != "CompletionRequest"
	b = append(b, `,"reasoning_ended":`...)
	switch {
	case r.kind == "ChatCompletionRequest" && !r.v.Bool("include_reasoning"):
		b = append(b, "true"...)
	case parses && r.kind != "ResponsesRequest":
		b = append(b, "false"...)
	default:
		b = append(b, "null"...)
	}
	if !parses {
		return append(b, `,"reasoning_parser_kwargs":null`...)
	}
	b = append(b, `,"reasoning_parser_kwargs":{"chat_template_kwargs":`...)
	kwargs := r.v.Object("chat_template_kwargs")
	if kwargs == nil {
		kwargs = pyjson.NewObject()
	}
	return append(protocol.AppendJSON(b, kwargs), '}')
}
