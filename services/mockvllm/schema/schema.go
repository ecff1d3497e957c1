package schema

import (
	"maps"
	"slices"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
)

// Parse validates a decoded body against a request model of vLLM's, such as "ChatCompletionRequest" (see Models). Like
// vLLM's validators it may change the body's objects. The error is an *Error.
func Parse(model string, body any) (*Values, error) {
	n, ok := models()[model]
	if !ok {
		return nil, stumbled("no model %s", model)
	}
	if body == nil { // FastAPI has no body then
		return nil, schemaError(1, []fault{{kind: missing}})
	}
	out, r := validate(n, body, maxFaults)
	switch {
	case r.raised != nil:
		return nil, r.raised.sendable()
	case r.count > 0:
		return nil, schemaError(r.count, r.faults).sendable()
	}
	v, ok := out.(*Values)
	if !ok {
		return nil, stumbled("%s gave no model", model)
	}
	return v, nil
}

// Models are the names that Parse takes.
func Models() []string { return slices.Sorted(maps.Keys(models())) }

// Validate is Parse where a handler of vLLM's validates, not FastAPI: what is wrong is told in pydantic's own words.
func Validate(model string, body any) (*Values, error) {
	n, ok := models()[model]
	if !ok {
		return nil, stumbled("no model %s", model)
	}
	out, r := validate(n, body, manyFaults)
	switch {
	case r.raised != nil:
		return nil, r.raised
	case r.count > 0:
		return nil, badRequest(pydanticText(model, r.faults), "")
	}
	v, ok := out.(*Values)
	if !ok {
		return nil, stumbled("%s gave no model", model)
	}
	return v, nil
}

// Malformed is the schema error of a body that json.loads refuses.
func Malformed(e *pyjson.SyntaxError) *Error {
	return schemaError(1, []fault{{kind: kind{"json_invalid", "JSON decode error"}, loc: []any{e.Pos}, input: &pyjson.Object{},
		ctx: []pyjson.Member{{Key: "error", Value: e.Msg}}}})
}
