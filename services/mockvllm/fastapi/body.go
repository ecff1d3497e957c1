package fastapi

import (
	"io"
	"net/http"

	"github.com/fluidmcp/fluidmcp/internal/httpfield"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/journal"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema"
)

// ReadBody returns false when the client left before its body was there. To FastAPI that is a body that it cannot parse: the
// answer, which nobody gets, counts as such a refusal.
func ReadBody(w http.ResponseWriter, r *http.Request) ([]byte, bool) {
	body, ok := read(r)
	if !ok {
		Refuse(w, protocol.Unparsed())
	}
	return body, ok
}

// ReadRaw is ReadBody for vLLM's handlers that read a body themselves. Those do not expect that a client leaves: Starlette's
// ClientDisconnect ends them.
func ReadRaw(w http.ResponseWriter, r *http.Request) ([]byte, bool) {
	body, ok := read(r)
	if !ok {
		w.WriteHeader(http.StatusInternalServerError)
	}
	return body, ok
}

func read(r *http.Request) ([]byte, bool) {
	body, err := readAll(r)
	journal.Of(r.Context()).Body(body)
	return body, err == nil
}

// mostAtOnce bounds what is allocated for a body before any of it is there.
const mostAtOnce = 1 << 20

func readAll(r *http.Request) ([]byte, error) {
	if n := r.ContentLength; n > 0 && n <= mostAtOnce {
		body := make([]byte, n)
		got, err := io.ReadFull(r.Body, body)
		return body[:got], err
	}
	return io.ReadAll(r.Body)
}

// Latin1 reads a header as vLLM's web framework does: each byte is a character.
func Latin1(header string) string {
	runes := make([]rune, len(header))
	for i := range len(header) {
		runes[i] = rune(header[i])
	}
	return string(runes)
}

// ReadRequest reads and validates a body. It answers itself where it returns false.
func ReadRequest(w http.ResponseWriter, r *http.Request, model string) (v *schema.Values, raw any, ok bool) {
	body, ok := ReadBody(w, r)
	if !ok {
		return nil, nil, false
	}
	v, raw, err := protocol.Decode(model, httpfield.First(r.Header, "Content-Type"), body)
	if err != nil {
		Refuse(w, err)
		return nil, nil, false
	}
	return v, raw, true
}

// ReadObject reads a body that a handler decodes by itself. syntax is what it says of one that is no JSON.
func ReadObject(w http.ResponseWriter, r *http.Request, syntax func(*pyjson.SyntaxError) string) (*pyjson.Object, bool) {
	body, ok := ReadRaw(w, r)
	if !ok {
		return nil, false
	}
	v, err := pyjson.Decode(body)
	if err != nil {
		Refuse(w, NotJSON(err, syntax))
		return nil, false
	}
	o, ok := v.(*pyjson.Object)
	if !ok {
		Raised(w, http.StatusBadRequest, "Request body must be a JSON object")
	}
	return o, ok
}
