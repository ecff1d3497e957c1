package sagemaker

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/fastapi"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
)

// session refuses all that asks for stateful sessions, which vLLM does not turn on.
func session(r *http.Request, doc any) *protocol.Error {
	const off = "Invalid payload. stateful sessions not enabled"
	o, object := doc.(*pyjson.Object)
	kind, asks := any(nil), holds(doc, "requestType")
	if object {
		kind = o.Value("requestType")
	}
	text, _ := kind.(string)
	known := text == "NEW_SESSION" || text == "CLOSE"
	switch {
	case asks && known && o.Len() == 1:
		return fastapi.HTTPException(off)
	case asks:
		return fastapi.HTTPException(notSession(doc, known))
	case r.Header.Get(sessionHeader) != "":
		return fastapi.HTTPException(off + ", X-Amzn-SageMaker-Session-Id header not supported")
	}
	return nil
}

// holds is Python's `in` for what JSON may be.
func holds(doc any, key string) bool {
	switch doc := doc.(type) {
	case *pyjson.Object:
		_, ok := doc.Get(key)
		return ok
	case []any:
		for _, item := range doc {
			if item == any(key) {
				return true
			}
		}
	case string:
		return strings.Contains(doc, key)
	}
	return false
}

// notSession is pydantic's list of what is wrong with a session request, which may have no member but its type.
func notSession(doc any, known bool) string {
	type mistake struct {
		Type  string          `json:"type"`
		Loc   []string        `json:"loc"`
		Msg   string          `json:"msg"`
		Input json.RawMessage `json:"input"`
		Ctx   any             `json:"ctx,omitempty"`
	}
	input := func(v any) json.RawMessage { return pyjson.AppendJSON(nil, v, pyjson.Format{Compact: true}) }
	o, ok := doc.(*pyjson.Object)
	if !ok {
		return string(protocol.Marshal([]mistake{{"model_type", []string{}, "Input should be a valid dictionary or instance of SessionRequest", input(doc),
			map[string]string{"class_name": "SessionRequest"}}}))
	}
	var all []mistake
	if kind := o.Value("requestType"); !known {
		const expected = "'NEW_SESSION' or 'CLOSE'"
		all = append(all, mistake{"enum", []string{"requestType"}, "Input should be " + expected, input(kind), map[string]string{"expected": expected}})
	}
	for key, value := range o.All() {
		if key != "requestType" {
			all = append(all, mistake{"extra_forbidden", []string{key}, "Extra inputs are not permitted", input(value), nil})
		}
	}
	return string(protocol.Marshal(all))
}
