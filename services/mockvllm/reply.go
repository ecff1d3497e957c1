package mockvllm

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol/messages"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
)

// isJSON is a header of many answers, which is only read.
var isJSON = []string{"application/json"}

// reply sends a JSON body.
func reply(w http.ResponseWriter, status int, body []byte) {
	h := w.Header()
	h["Content-Type"] = isJSON
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) // the client may have left; there is nobody else to tell
}

// object makes a JSON object of names and values.
func object(pairs ...any) *pyjson.Object {
	o := &pyjson.Object{}
	for i := 0; i+1 < len(pairs); i += 2 {
		name, _ := pairs[i].(string)
		o.Set(name, pairs[i+1])
	}
	return o
}

// replyValue sends an object of names and values.
func replyValue(w http.ResponseWriter, status int, pairs ...any) {
	reply(w, status, pyjson.AppendJSON(nil, object(pairs...), pyjson.Format{Compact: true}))
}

// refuse answers with an error.
func refuse(w http.ResponseWriter, err *protocol.Error) {
	if err.Uncaught || err.Status == http.StatusInternalServerError {
		for name := range w.Header() {
			if name == "Vary" || name == "X-Request-Id" || strings.HasPrefix(name, "Access-Control-") {
				w.Header().Del(name)
			}
		}
	}
	reply(w, err.Status, err.Body())
}

func refuseMessages(w http.ResponseWriter, err *protocol.Error) {
	reply(w, err.Status, messages.ErrorBody(err))
}

// detail is how FastAPI itself refuses.
func detail(w http.ResponseWriter, status int, text string) {
	refuse(w, &protocol.Error{Status: status, Detail: text})
}

// empty answers 200 without a body and, as vLLM does, without a content type.
func empty(w http.ResponseWriter, _ *http.Request) {
	w.Header()["Content-Type"] = nil
	w.Header().Set("Content-Length", "0")
	w.WriteHeader(http.StatusOK)
}
