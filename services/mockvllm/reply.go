package mockvllm

import (
	"net/http"
	"strconv"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol"
)

// reply sends a JSON body.
func reply(w http.ResponseWriter, status int, body []byte) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) // the client may have left; there is nobody else to tell
}

func refuse(w http.ResponseWriter, err *protocol.Error) { reply(w, err.Status, err.Body()) }

func refuseMessages(w http.ResponseWriter, err *protocol.Error) {
	reply(w, err.Status, err.MessagesBody())
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
