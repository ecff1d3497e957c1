package sagemaker

import (
	"context"
	"errors"
	"net/http"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/fastapi"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema"
)

// Headers of SageMaker.
const (
	sessionHeader = "X-Amzn-Sagemaker-Session-Id"
	adapterHeader = "X-Amzn-Sagemaker-Adapter-Identifier"
)

// Form is one of the forms that a body may have.
type Form struct {
	Schema string // name of the request's model in vLLM
	Answer func(w http.ResponseWriter, r *http.Request, v *schema.Values, body *pyjson.Object)
}

// Invocations makes the handler of /invocations: the first form answers that a body has. expected is how vLLM lists them all.
// mute keeps a request without an answer, or returns false.
func Invocations(forms []Form, expected string, mute func(context.Context) bool) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, ok := fastapi.ReadRaw(w, r)
		if !ok || mute(r.Context()) {
			return
		}
		form, v, doc, err := find(forms, r, body)
		switch {
		case err != nil:
			fastapi.Refuse(w, err)
		case form == nil:
			fastapi.Refuse(w, protocol.BadRequest("Cannot find suitable handler for request. Expected one of: %s", expected))
		default:
			form.Answer(w, r, v, doc)
		}
	}
}

// find returns the form of a body, nil for none.
func find(forms []Form, r *http.Request, body []byte) (*Form, *schema.Values, *pyjson.Object, *protocol.Error) {
	if err := protocol.CheckType(r.Header.Get("Content-Type")); err != nil {
		return nil, nil, nil, err
	}
	doc, err := invocation(r, body)
	if err != nil {
		return nil, nil, nil, err
	}
	for i, form := range forms {
		v, failed := schema.Parse(form.Schema, doc)
		var wrong *schema.Error
		switch {
		case failed == nil:
			return &forms[i], v, doc, nil
		case errors.As(failed, &wrong) && wrong.Type == schema.TypeSchema:
			continue // it may have another form
		}
		return nil, nil, nil, protocol.Refused(failed)
	}
	return nil, nil, nil, nil
}

// invocation decodes a body. It names the adapter that the header has as the model; without that header no model is named.
func invocation(r *http.Request, body []byte) (*pyjson.Object, *protocol.Error) {
	doc, err := pyjson.Decode(body)
	if err != nil {
		return nil, fastapi.NotJSON(err, fastapi.SyntaxFault)
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
	return o, nil
}
