package refusal

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
)

// Error is why vLLM refuses a body. It is sent in the OpenAI envelope, also by the Messages API.
type Error struct {
	Status  int    // 400, or 500 where vLLM's own validators stumble
	Type    string // TypeSchema, TypeBadRequest or TypeInternal
	Message string
	Param   string // "" is null
}

// Types of errors: what the schema itself refuses, what vLLM's validators refuse, and where these fail.
const (
	TypeSchema     = "Bad Request"
	TypeBadRequest = "BadRequestError"
	TypeInternal   = "InternalServerError"
)

// Error gives the message.
func (e *Error) Error() string { return e.Message }

// BadRequest is a plain ValueError or TypeError, or a VLLMValidationError when it has a parameter.
func BadRequest(msg, param string) *Error {
	return &Error{Status: http.StatusBadRequest, Type: TypeBadRequest, Message: Sanitize(msg), Param: param}
}

// Invalid is a VLLMValidationError, which names the parameter and, unless nil, its value.
func Invalid(param string, value any, format string, args ...any) *Error {
	msg := fmt.Sprintf(format, args...)
	extras := make([]string, 0, 2)
	if param != "" {
		extras = append(extras, "parameter="+param)
	}
	if value != nil {
		extras = append(extras, "value="+pyjson.Str(value))
	}
	if len(extras) > 0 {
		msg += " (" + strings.Join(extras, ", ") + ")"
	}
	return BadRequest(msg, param)
}

// Stumbled is any other exception of Python's.
func Stumbled(format string, args ...any) *Error {
	return &Error{Status: http.StatusInternalServerError, Type: TypeInternal, Message: Sanitize(fmt.Sprintf(format, args...))}
}
