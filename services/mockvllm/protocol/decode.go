package protocol

import (
	"cmp"
	"errors"
	"net/http"
	"strings"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema"
)

// Decode reads a body and holds it against the schema of a request. It returns the body itself too.
func Decode(model, contentType string, body []byte) (*schema.Values, any, *Error) {
	unsupported := CheckType(contentType)
	if unsupported != nil && !ReadsJSON(contentType) {
		return nil, nil, unsupported
	}
	doc, refused := DecodeJSON(body)
	if refused = cmp.Or(refused, unsupported); refused != nil {
		return nil, nil, refused
	}
	v, err := schema.Parse(model, doc)
	if err != nil {
		return nil, nil, Refused(err)
	}
	return v, doc, nil
}

// CheckType refuses what vLLM does not read as JSON.
func CheckType(contentType string) *Error {
	if kind, _, _ := strings.Cut(contentType, ";"); strings.EqualFold(kind, "application/json") {
		return nil
	}
	return &Error{Status: http.StatusBadRequest, Type: TypeSchema,
		Message: "1 validation error:\n  Unsupported Media Type: Only 'application/json' is allowed"}
}

// ReadsJSON tells whether FastAPI reads a body of this type as JSON, before vLLM looks at the type more closely.
func ReadsJSON(contentType string) bool {
	kind, _, _ := strings.Cut(contentType, ";")
	sub, ok := strings.CutPrefix(strings.ToLower(strings.TrimSpace(kind)), "application/")
	return ok && (sub == "json" || strings.HasSuffix(sub, "+json"))
}

// DecodeJSON reads a body as FastAPI does for a route with a request model. An empty one is nil.
func DecodeJSON(body []byte) (any, *Error) {
	if len(body) == 0 {
		return nil, nil
	}
	doc, err := pyjson.Decode(body)
	if err == nil {
		return doc, nil
	}
	var malformed *pyjson.SyntaxError
	if errors.As(err, &malformed) {
		return nil, Refused(schema.Malformed(malformed))
	}
	return nil, Unparsed()
}

// Unparsed is what FastAPI says of a body that it fails to read or to decode, other than for its syntax.
func Unparsed() *Error {
	return &Error{Status: http.StatusBadRequest, Detail: "There was an error parsing the body"}
}

// Refused turns what the schema says into an answer.
func Refused(err error) *Error {
	var e *schema.Error
	if !errors.As(err, &e) {
		return &Error{Status: http.StatusInternalServerError, Type: TypeInternal, Message: err.Error()}
	}
	return &Error{Status: e.Status, Type: e.Type, Message: e.Message, Param: e.Param}
}
