package mockvllm

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"unicode/utf8"

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
	body, ok := readBody(w, r)
	if !ok || s.mute(r.Context()) {
		return
	}
	g, err := s.invoked(r, body)
	if err != nil {
		refuse(w, err)
		return
	}
	s.generate(w, r, g)
}

func (s *Server) invoked(r *http.Request, body []byte) (*answering, *protocol.Error) {
	if err := protocol.CheckType(r.Header.Get("Content-Type")); err != nil {
		return nil, err
	}
	doc, err := invocation(r, body)
	if err != nil {
		return nil, err
	}
	for _, a := range []api{chatAPI, textAPI} {
		v, failed := schema.Parse(a.schema, doc)
		var wrong *schema.Error
		switch {
		case errors.As(failed, &wrong) && wrong.Type == schema.TypeSchema:
			continue // another interface may take it
		case failed != nil:
			return nil, protocol.Refused(failed)
		}
		asked, err := a.read(v, s.model)
		if err != nil {
			return nil, err
		}
		return s.answering(a, r, asked)
	}
	return nil, protocol.BadRequest("Cannot find suitable handler for request. Expected one of: ['%s', '%s']", chatAPI.schema, textAPI.schema)
}

// invocation decodes a body. It names the adapter that the header has as the model; without that header no model is named.
func invocation(r *http.Request, body []byte) (any, *protocol.Error) {
	doc, err := pyjson.Decode(body)
	if err != nil {
		return nil, notJSON(err, body)
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
		return nil, protocol.BadRequest("argument of type '%s' is not iterable", pythonType(doc))
	}
	o.Set("model", nil)
	if adapter := r.Header.Values(adapterHeader); len(adapter) > 0 {
		o.Set("model", latin1(adapter[0]))
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
		return httpException(off)
	case asks:
		return httpException(notSession(doc, known))
	case r.Header.Get(sessionHeader) != "":
		return httpException(off + ", X-Amzn-SageMaker-Session-Id header not supported")
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

// httpException is an HTTPException of FastAPI's, as vLLM words it.
func httpException(message string) *protocol.Error {
	return &protocol.Error{Status: http.StatusBadRequest, Type: protocol.TypeSchema, Message: message}
}

// notJSON is how handlers that decode a body themselves refuse one.
func notJSON(err error, body []byte) *protocol.Error {
	var wrong *pyjson.SyntaxError
	if errors.As(err, &wrong) {
		return httpException("JSON decode error: " + wrong.Error())
	}
	at := 0
	for at < len(body) {
		r, size := utf8.DecodeRune(body[at:])
		if r == utf8.RuneError && size <= 1 {
			return protocol.BadRequest("'utf-8' codec can't decode byte 0x%02x in position %d: %s", body[at], at, notUTF8(body[at:]))
		}
		at += size
	}
	return protocol.BadRequest("%s", err)
}

// notUTF8 tells in Python's words what is wrong with a text that begins with a bad byte.
func notUTF8(text []byte) string {
	switch {
	case text[0] < 0xc2 || text[0] > 0xf4:
		return "invalid start byte"
	case !utf8.FullRune(text):
		return "unexpected end of data"
	}
	return "invalid continuation byte"
}
