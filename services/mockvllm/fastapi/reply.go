package fastapi

import (
	"io"
	"net/http"
	"strconv"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
)

// isJSON is a header of many answers, which is only read.
var isJSON = []string{"application/json"}

// Reply sends a JSON body.
func Reply(w http.ResponseWriter, status int, body []byte) {
	h := w.Header()
	h["Content-Type"] = isJSON
	h["Content-Length"] = []string{strconv.Itoa(len(body))}
	w.WriteHeader(status)
	_, _ = w.Write(body) // the client may have left; there is nobody else to tell
}

// ReplyValue sends an object of names and values.
func ReplyValue(w http.ResponseWriter, status int, pairs ...any) {
	Reply(w, status, pyjson.AppendJSON(nil, pyjson.ObjectOf(pairs...), pyjson.Format{Compact: true}))
}

// Bare answers with a text, if any, and, as vLLM does, without a content type.
func Bare(w http.ResponseWriter, status int, text string) {
	w.Header()["Content-Type"] = nil
	w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text) // the client may have left
}

// Empty answers 200 without a body.
func Empty(w http.ResponseWriter, _ *http.Request) { Bare(w, http.StatusOK, "") }
