package mockvllm

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/answers"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/fastapi"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema"
)

// Headers of SageMaker: https://github.com/aws/model-hosting-container-standards, which vLLM wraps its handler with.
const (
	sessionHeader = "X-Amzn-Sagemaker-Session-Id"
	adapterHeader = "X-Amzn-Sagemaker-Adapter-Identifier"
)

// invoke takes SageMaker's requests: what is no chat request is a completion.
func (s *Server) invoke(w http.ResponseWriter, r *http.Request) {
	body, ok := fastapi.ReadBody(w, r)
	if !ok || s.life.Mute(r.Context()) {
		return
	}
	g, err := s.invoked(r, body)
	if err != nil {
		fastapi.Refuse(w, err)
		return
	}
	s.answers.Send(w, r, g)
}

func (s *Server) invoked(r *http.Request, body []byte) (*answers.Request, *protocol.Error) {
	if err := protocol.CheckType(r.Header.Get("Content-Type")); err != nil {
		return nil, err
	}
	doc, err := invocation(r, body)
	if err != nil {
		return nil, err
	}
	for _, a := range []answers.API{answers.Chat, answers.Text} {
		v, failed := schema.Parse(a.Schema, doc)
		var wrong *schema.Error
		switch {
		case errors.As(failed, &wrong) && wrong.Type == schema.TypeSchema:
			continue // another interface may take it
		case failed != nil:
			return nil, protocol.Refused(failed)
		}
		asked, err := a.Read(v, s.model)
		if err != nil {
			return nil, err
		}
		return s.answers.Prepare(a, r, asked)
	}
	return nil, protocol.BadRequest("Cannot find suitable handler for request. Expected one of: ['%s', '%s']", answers.Chat.Schema, answers.Text.Schema)
}

// invocation decodes a body. It names the adapter that the header has as the model; without that header no model is named.
func invocation(r *http.Request, body []byte) (any, *protocol.Error) {
	doc, err := pyjson.Decode(body)
	if err != nil {
		return nil, fastapi.NotJSON(err, body)
	}
	if err := session(r, doc); err != nil {
		return nil, err
	}
	o, ok := doc.(*pyjson.Object)
	switch doc.(type) {
	case []any:
		return nil, protocol.BadRequest("list indices must be integers or slices, not str")
	case string:
		return nil, protocol.BadRequest("'str' object does not support item assignment")
	}
	if !ok {
		return nil, protocol.BadRequest("argument of type '%s' is not iterable", pyjson.TypeName(doc))
	}
	o.Set("model", nil)
	if adapter := r.Header.Values(adapterHeader); len(adapter) > 0 {
		o.Set("model", fastapi.Latin1(adapter[0]))
	}
	return doc, nil
}

// session refuses all that asks for stateful sessions, which vLLM does not turn on.
func session(r *http.Request, doc any) *protocol.Error {
	const off = "Invalid payload. stateful sessions not enabled"
	o, object := doc.(*pyjson.Object)
	kind, asks := any(nil), holds(doc, "requestType")
	if object {
		kind, _ = o.Get("requestType")
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
	if kind, _ := o.Get("requestType"); !known {
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
