package protocol

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
)

// Types of vLLM's errors.
const (
	TypeSchema         = "Bad Request" // found by the schema
	TypeBadRequest     = "BadRequestError"
	TypeNotFound       = "NotFoundError"
	TypeUnprocessable  = "UnprocessableEntityError"
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

	// Handled, of an error with status 500, is one that a handler of vLLM has caught: the answer passes all of its layers.
	Handled bool

	// Uncaught is what vLLM does not expect. Its outermost layer answers then, which knows nothing of CORS and of ids.
	Uncaught bool

	// Template says that the chat template has refused the request.
	Template bool

	// Detail, when set, is sent instead of the envelope: {"detail":...} is how FastAPI itself refuses.
	Detail string
}

// Error gives the message.
func (e *Error) Error() string { return e.Detail + e.Message }

// Body is the answer.
func (e *Error) Body() []byte {
	if e.Detail != "" {
		return append(pyjson.AppendString([]byte(`{"detail":`), e.Detail), '}')
	}
	b := pyjson.AppendString([]byte(`{"error":{"message":`), e.Message)
	b = pyjson.AppendString(append(b, `,"type":`...), e.Type)
	b = append(b, `,"param":`...)
	if e.Param == "" {
		b = append(b, "null"...)
	} else {
		b = pyjson.AppendString(b, e.Param)
	}
	b = strconv.AppendInt(append(b, `,"code":`...), int64(e.Status), 10)
	return append(b, "}}"...)
}

// Event is the error as data of an event stream whose 200 has been sent. Unlike all other answers it is written by Python's
// json.dumps: with blanks, and in ASCII.
func (e *Error) Event() []byte {
	b := pyjson.AppendASCII([]byte(`data: {"error": {"message": `), e.Message)
	b = pyjson.AppendASCII(append(b, `, "type": `...), e.Type)
	b = append(b, `, "param": `...)
	if e.Param == "" {
		b = append(b, "null"...)
	} else {
		b = pyjson.AppendASCII(b, e.Param)
	}
	return fmt.Appendf(b, `, "code": %d}}`+"\n\n", e.Status)
}

// BadRequest is what vLLM itself refuses.
func BadRequest(format string, args ...any) *Error {
	return &Error{Status: http.StatusBadRequest, Type: TypeBadRequest, Message: fmt.Sprintf(format, args...)}
}

// BadValue names the parameter and its value, as vLLM does where it knows them. Without a value only the parameter is named.
func BadValue(param, value, format string, args ...any) *Error {
	e := BadRequest(format, args...)
	e.Param = param
	e.Message += " (parameter=" + param
	if value != "" {
		e.Message += ", value=" + value
	}
	e.Message += ")"
	return e
}

// EmptyPrompt is what is said of a prompt without tokens.
const EmptyPrompt = "The decoder prompt cannot be empty"

// OverLength refuses a prompt of n tokens. The tokenizer stops one token past the limit, so that many may be more.
func OverLength(n, most int) *Error {
	least := ""
	if n == most+1 {
		least = "at least "
	}
	return BadValue("input_tokens", strconv.Itoa(n), "This model's maximum context length is %d tokens. "+
		"However, your prompt contains %s%d input tokens, which exceeds this limit even without any output tokens. "+
		"Please reduce the length of the input prompt.", most, least, n)
}

// UnknownModel refuses a model that is not served.
func UnknownModel(model string, served []string) *Error {
	return &Error{Status: http.StatusNotFound, Type: TypeNotFound, Param: "model",
		Message: fmt.Sprintf("The model `%s` does not exist. Valid aliases: %s.", model, strings.Join(served, ", "))}
}

// Stopping refuses requests that come while the server ends.
func Stopping() *Error {
	return &Error{Status: http.StatusInternalServerError, Type: TypeInternal, Message: "cannot schedule new futures after shutdown"}
}

// Failed is what is left of an answer with which the engine fails.
func Failed() *Error {
	return &Error{Status: http.StatusInternalServerError, Type: TypeInternal, Message: "Internal server error", Handled: true}
}

// Dead refuses everything once the engine has died.
func Dead() *Error {
	return &Error{Status: http.StatusInternalServerError, Type: TypeInternal,
		Message: "EngineCore encountered an issue. See stack trace (above) for the root cause."}
}

// Busy refuses what would make the queue longer than it may be.
func Busy() *Error {
	return &Error{Status: http.StatusServiceUnavailable, Type: "Service Unavailable",
		Message: "The engine is currently busy and cannot accept new requests. Please try again later or on a different instance."}
}
