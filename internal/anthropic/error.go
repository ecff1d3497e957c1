package anthropic

import (
	"encoding/json"
	"net/http"

	"github.com/fluidmcp/fluidmcp/internal/openai"
)

// types are Anthropic's words for the types that FluidMCP uses; all others are an api_error.
var types = map[string]string{
	openai.TypeInvalidRequest: "invalid_request_error",
	openai.TypeNotFound:       "not_found_error",
	openai.TypeUnavailable:    "overloaded_error",
	openai.TypeTimeout:        "timeout_error",
	openai.TypeConflict:       "conflict_error",
}

// Envelope renders {"type":"error","error":{"type","message","details":{"error_code"}}}. Anthropic's SDKs choose their error
// class by the HTTP status and show the code as error_code; details are left out without a code.
func Envelope(e *openai.Error) []byte {
	type details struct {
		Code string `json:"error_code"`
	}
	type failure struct {
		Type    string   `json:"type"`
		Message string   `json:"message"`
		Details *details `json:"details,omitempty"`
	}
	f := failure{Type: types[e.Type], Message: e.Message}
	if f.Type == "" {
		f.Type = "api_error"
	}
	if e.Code != "" {
		f.Details = &details{e.Code}
	}
	body, err := json.Marshal(struct {
		Type  string  `json:"type"`
		Error failure `json:"error"`
	}{"error", f})
	if err != nil { // strings always marshal
		panic(err)
	}
	return body
}

// Write sends the envelope with its status and, where set, Retry-After.
func Write(e *openai.Error, w http.ResponseWriter) { e.WriteBody(w, Envelope(e)) }
