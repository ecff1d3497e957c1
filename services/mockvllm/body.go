package mockvllm

import (
	"net/http"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema"
)

// readRequest reads and validates a body. It answers itself where it returns false.
func readRequest(w http.ResponseWriter, r *http.Request, model string) (v *schema.Values, raw any, ok bool) {
	body, ok := readBody(w, r)
	if !ok {
		return nil, nil, false
	}
	v, raw, err := protocol.Decode(model, r.Header.Get("Content-Type"), body)
	if err != nil {
		refuse(w, err)
		return nil, nil, false
	}
	return v, raw, true
}

// raised is how vLLM's handlers refuse in their own words.
func raised(w http.ResponseWriter, status int, message string) {
	refuse(w, &protocol.Error{Status: status, Type: http.StatusText(status), Message: message})
}

// crashed is what vLLM says when a handler fails.
func crashed(w http.ResponseWriter, message string) {
	refuse(w, &protocol.Error{Status: http.StatusInternalServerError, Type: protocol.TypeInternal, Message: message})
}

// bodyObject reads a body that a handler decodes by itself. malformed is what it says of one that is no JSON.
func bodyObject(w http.ResponseWriter, r *http.Request, malformed func(error) string) (*pyjson.Object, bool) {
	body, ok := readBody(w, r)
	if !ok {
		return nil, false
	}
	v, err := pyjson.Decode(body)
	if err != nil {
		raised(w, http.StatusBadRequest, malformed(err))
		return nil, false
	}
	o, ok := v.(*pyjson.Object)
	if !ok {
		raised(w, http.StatusBadRequest, "Request body must be a JSON object")
	}
	return o, ok
}
