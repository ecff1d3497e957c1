package models

import (
	"net/http"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/fastapi"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol/request"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema"
)

// Decoded makes a handler that answers from a decoded request alone, and from the name of the model that it is for.
func (m *Models) Decoded(name string, answer func(v *schema.Values, served string) ([]byte, *protocol.Error),
	refuse func(http.ResponseWriter, *protocol.Error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, ok := fastapi.ReadBody(w, r)
		if !ok {
			return
		}
		var b []byte
		v, _, err := protocol.Decode(name, r.Header.Get("Content-Type"), body)
		if err == nil {
			var served string
			if served, _, err = m.Find(request.Str(v, "model")); err == nil {
				b, err = answer(v, served)
			}
		}
		if err != nil {
			refuse(w, err)
			return
		}
		fastapi.Reply(w, http.StatusOK, b)
	}
}
