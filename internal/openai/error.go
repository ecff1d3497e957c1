package openai

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Error types of the envelope that FluidMCP itself uses. A model server's own errors pass through unchanged.
const (
	TypeInvalidRequest = "invalid_request_error" // the caller has to change something
	TypePermission     = "permission_error"      // the caller is known and may not do this
	TypeNotFound       = "not_found_error"       // no such model or path
	TypeUnavailable    = "service_unavailable"   // nothing can answer now; trying later may help
	TypeUpstream       = "upstream_error"        // the model server failed
	TypeTimeout        = "timeout_error"         // the model server took too long
	TypeConflict       = "conflict_error"        // the state of the model does not allow it
	TypeInternal       = "internal_error"        // a defect of FluidMCP
)

// Error is a failure as the client sees it, with the cause that only the log sees.
type Error struct {
	Status     int           // HTTP status
	Type       string        // one of the Type constants
	Code       string        // stable word for programs, such as "model_not_found"
	Param      string        // request field at fault; "" is sent as null
	Message    string        // what is wrong and how to mend it, for a person
	RetryAfter time.Duration // sent as Retry-After in whole seconds, rounded up, when positive
	Cause      error         // for the log; never sent
}

// Error gives message and cause, for logs.
func (e *Error) Error() string {
	if e.Cause == nil {
		return e.Message
	}
	return fmt.Sprintf("%s: %v", strings.TrimSuffix(e.Message, "."), e.Cause)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Cause }

// MarshalJSON renders the envelope {"error":{"message","type","param","code"}} of the OpenAI API reference.
func (e *Error) MarshalJSON() ([]byte, error) {
	type body struct {
		Message string  `json:"message"`
		Type    string  `json:"type"`
		Param   *string `json:"param"`
		Code    *string `json:"code"`
	}
	return json.Marshal(struct {
		Error body `json:"error"`
	}{body{e.Message, e.Type, orNull(e.Param), orNull(e.Code)}})
}

// Write sends the envelope with its status and, where set, Retry-After.
func (e *Error) Write(w http.ResponseWriter) {
	body, err := json.Marshal(e)
	if err != nil { // strings always marshal
		panic(err)
	}
	e.WriteBody(w, body)
}

// WriteBody sends the failure with a body in another API's form.
func (e *Error) WriteBody(w http.ResponseWriter, body []byte) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	if e.RetryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(int((e.RetryAfter+time.Second-1)/time.Second)))
	}
	w.WriteHeader(e.Status)
	_, _ = w.Write(body) // the client may have left; there is nobody else to tell
}

func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
