package fastapi

import (
	"errors"
	"net/http"
	"strings"
	"unicode/utf8"

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

// NotJSON is how handlers that decode a body themselves refuse one.
func NotJSON(err error, body []byte) *protocol.Error {
	var wrong *pyjson.SyntaxError
	if errors.As(err, &wrong) {
		return HTTPException("JSON decode error: " + wrong.Error())
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
