package protocol

import (
	"fmt"
	"net/http"
	"strings"
)

// Types of vLLM's errors.
const (
	TypeSchema         = "Bad Request" // found by the schema
	TypeBadRequest     = "BadRequestError"
	TypeNotFound       = "NotFoundError"
	TypeNotImplemented = "NotImplementedError"
	TypeInternal       = "InternalServerError"
	TypeRateLimit      = "RateLimitError"
)

// Error is a refusal in vLLM's envelope {"error":{"message","type","param","code"}}, where code is the HTTP status.
type Error struct {
	Status  int
	Type    string
	Message string
	Param   string // "" is sent as null

	// Detail, when set, is sent instead of the envelope: {"detail":...} is how FastAPI itself refuses.
	Detail string
}

// Error gives the message.
func (e *Error) Error() string { return e.Detail + e.Message }

// Body is the answer.
func (e *Error) Body() []byte {
	if e.Detail != "" {
		return append(appendString([]byte(`{"detail":`), e.Detail), '}')
	}
	b := appendString([]byte(`{"error":{"message":`), e.Message)
	b = appendString(append(b, `,"type":`...), e.Type)
	b = append(b, `,"param":`...)
	if e.Param == "" {
		b = append(b, "null"...)
	} else {
		b = appendString(b, e.Param)
	}
	return fmt.Appendf(b, `,"code":%d}}`, e.Status)
}

// MessagesBody is the answer of the Messages API, in Anthropic's form with vLLM's types. What the schema refuses never
// reaches that API's handler in vLLM and keeps the other form.
func (e *Error) MessagesBody() []byte {
	if e.Type == TypeSchema || e.Detail != "" {
		return e.Body()
	}
	b := appendString([]byte(`{"type":"error","error":{"type":`), e.Type)
	b = appendString(append(b, `,"message":`...), e.Message)
	return append(b, "}}"...)
}

func badRequest(format string, args ...any) *Error {
	return &Error{Status: http.StatusBadRequest, Type: TypeBadRequest, Message: fmt.Sprintf(format, args...)}
}

// badValue names the parameter and its value, as vLLM does where it knows them.
func badValue(param, value, format string, args ...any) *Error {
	e := badRequest(format, args...)
	e.Param = param
	e.Message += " (parameter=" + param
	if value != "" {
		e.Message += ", value=" + value
	}
	e.Message += ")"
	return e
}

// notDone refuses what vLLM would do and this server does not.
func notDone(param string) *Error {
	return &Error{Status: http.StatusNotImplemented, Type: TypeNotImplemented, Param: param,
		Message: fmt.Sprintf("mockvllm does not support `%s` yet.", param)}
}

// UnknownModel refuses a model that is not served.
func UnknownModel(model string, served []string) *Error {
	return &Error{Status: http.StatusNotFound, Type: TypeNotFound, Param: "model",
		Message: fmt.Sprintf("The model `%s` does not exist. Valid aliases: %s.", model, strings.Join(served, ", "))}
}

// Stopping refuses requests that come while the server ends.
func Stopping() *Error {
	return &Error{Status: http.StatusInternalServerError, Type: TypeInternal,
		Message: "cannot schedule new futures after shutdown"}
}

// fault is one line of a schema error.
type fault struct {
	kind, loc, msg string
	input          any
	ctx            string // Python's repr of a dict, or ""
}

func (f fault) String() string {
	line := fmt.Sprintf("\n  {'type': %s, 'loc': %s, 'msg': %s, 'input': %s",
		pyRepr(f.kind), pyRepr(f.loc), pyRepr(f.msg), pyRepr(pyString(f.input)))
	if f.ctx != "" {
		line += ", 'ctx': " + f.ctx
	}
	return line + "}"
}

func schemaError(faults ...fault) *Error {
	plural := "s"
	if len(faults) == 1 {
		plural = ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%d validation error%s:", len(faults), plural)
	for _, f := range faults {
		b.WriteString(f.String())
	}
	return &Error{Status: http.StatusBadRequest, Type: TypeSchema, Message: b.String(), Param: faults[0].loc}
}
