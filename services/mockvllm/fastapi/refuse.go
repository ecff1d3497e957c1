package fastapi

import (
	"errors"
	"net/http"
	"strings"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
)

// Refuse answers with an error.
func Refuse(w http.ResponseWriter, err *protocol.Error) {
	if err.Uncaught || err.Status == http.StatusInternalServerError && !err.Handled {
		for name := range w.Header() {
			if name == "Vary" || name == "X-Request-Id" || strings.HasPrefix(name, "Access-Control-") {
				w.Header().Del(name)
			}
		}
	}
	Reply(w, err.Status, err.Body())
}

// Detail is how FastAPI itself refuses.
func Detail(w http.ResponseWriter, status int, text string) {
	Refuse(w, &protocol.Error{Status: status, Detail: text})
}

// Raised is how vLLM's handlers refuse in their own words: with an HTTPException, which passes all layers also as a 500.
func Raised(w http.ResponseWriter, status int, message string) {
	Refuse(w, &protocol.Error{Status: status, Type: http.StatusText(status), Message: message, Handled: true})
}

// Crashed is what vLLM says when a handler fails.
func Crashed(w http.ResponseWriter, message string) {
	Refuse(w, &protocol.Error{Status: http.StatusInternalServerError, Type: protocol.TypeInternal, Message: message})
}

// HTTPException is an HTTPException of FastAPI's, as vLLM words it.
func HTTPException(message string) *protocol.Error {
	return &protocol.Error{Status: http.StatusBadRequest, Type: protocol.TypeSchema, Message: message}
}

// NotJSON is how handlers that decode a body themselves refuse one. syntax is what they say of a fault of the syntax; what else
// Python fails on is told in its own words.
func NotJSON(err error, syntax func(*pyjson.SyntaxError) string) *protocol.Error {
	var wrong *pyjson.SyntaxError
	switch {
	case errors.As(err, &wrong):
		return HTTPException(syntax(wrong))
	case errors.Is(err, pyjson.ErrTooDeep):
		return &protocol.Error{Status: http.StatusInternalServerError, Type: protocol.TypeInternal, Message: err.Error()}
	}
	return protocol.BadRequest("%s", err)
}

// SyntaxFault is the usual word for a fault of the syntax.
func SyntaxFault(err *pyjson.SyntaxError) string { return "JSON decode error: " + err.Error() }

// NoFormat is another, without the fault.
func NoFormat(*pyjson.SyntaxError) string { return "Invalid JSON format" }
