package responses

import (
	"slices"
	"strings"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/generation"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol/request"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/sampling"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema"
)

// Request is one for a response.
type Request struct {
	request.Turn
	v        *schema.Values
	logprobs bool
	hide     bool            // the client wants no reasoning
	late     *protocol.Error // found in the input
	clash    *protocol.Error // found after the prompt was made

	raw   raw    // what the model wrote
	whole []byte // the response object, once it was written
	said  []string
}

// Read takes a request apart that the schema has accepted. What is wrong with it is told by Works, after the model was found.
func Read(v *schema.Values, m *request.Model) *Request {
	params := request.Sampling(v, m.Defaults)
	params.SpacesBetween = true
	r := &Request{v: v, hide: !v.Bool("include_reasoning"), Turn: request.Turn{Common: request.ReadCommon(v, m), Server: m, Params: params,
		Length: request.Length{MaxName: "max_output_tokens", Special: true}}}
	if r.RequestID == nil {
		id := "resp_" + protocol.NewID()
		r.RequestID = &id
	}
	if v.Object("chat_template_kwargs").Value("tokenize") == true {
		r.Length.Special = false // the tokens are made with the template, which has them
	}
	r.Length.ReadMax(v, "max_output_tokens")
	if request.Str(v, "truncation") != "disabled" {
		all := int64(-1)
		r.Length.Truncate = &all
	}
	r.logprobs = slices.Contains(request.List(v, "include"), any("message.output_text.logprobs"))
	if r.logprobs {
		top, _ := v.Int("top_logprobs")
		r.Params.Logprobs = &top
	}
	if stop, single := v.Str("stop"); single && stop == "" {
		r.Params.Stop = nil // unlike elsewhere this is none
	}
	r.constraint()
	r.Talk, r.late = conversation(v)
	return r
}

// constraint reads the form of the answer from text.format.
func (r *Request) constraint() {
	text := r.v.Values("text")
	if text == nil || text.Values("format") == nil {
		return
	}
	if r.Params.Constraint != nil {
		r.clash = protocol.BadValue("structured_outputs", "", "Cannot specify both structured_outputs and text.format")
		return
	}
	format := text.Values("format")
	switch request.Str(format, "type") {
	case "json_object":
		r.Params.Constraint = &sampling.Constraint{Kind: "json_object", Spec: true}
	case "json_schema":
		if s := format.Get("schema_"); s != nil {
			r.Params.Constraint = &sampling.Constraint{Kind: "json", Spec: s}
		}
	}
}

// Works makes the prompt and checks it, in vLLM's order. That nothing could read calls is no reason to refuse tools here.
func (r *Request) Works() ([]*generation.Work, *protocol.Error) {
	if r.late != nil {
		return nil, r.late
	}
	if r.Server.Tools == "" {
		r.Talk.Tools.Choice = request.NoCalls
	} else if r.Talk.Tools.List == nil && request.Str(r.v, "tool_choice") == "required" {
		r.clash = protocol.BadValue("tool_choice", "", "tool_choice requires a function call, but tools contains no function tool the model can call.")
	}
	if r.clash != nil {
		if _, err := r.Talk.Prompt(r.Length, r.Server); err != nil {
			return nil, err
		}
		return nil, r.clash
	}
	works, err := r.Turn.Works()
	if err == nil && r.Work.Late == nil {
		r.Work.Late = r.unanswerable()
	}
	return works, err
}

// unanswerable refuses fields that a request may leave null and a response, which repeats them, may not.
func (r *Request) unanswerable() *protocol.Error {
	var faults []string
	for _, f := range []struct{ field, message, kind string }{
		{"background", "Input should be a valid boolean", "bool_type"},
		{"truncation", "Input should be 'auto' or 'disabled'", "literal_error"},
	} {
		if r.v.Get(f.field) == nil {
			faults = append(faults, "\n"+f.field+"\n  "+f.message+" [type="+f.kind+", input_value=None, input_type=NoneType]\n"+
				"    For further information visit https://errors.pydantic.dev/2.14/v/"+f.kind)
		}
	}
	switch len(faults) {
	case 0:
		return nil
	case 1:
		return protocol.BadRequest("1 validation error for ResponsesResponse%s", faults[0])
	}
	return protocol.BadRequest("%d validation errors for ResponsesResponse%s", len(faults), strings.Join(faults, ""))
}

func invalid(status int, param, message string) *protocol.Error {
	return &protocol.Error{Status: status, Type: "invalid_request_error", Param: param, Message: message}
}
