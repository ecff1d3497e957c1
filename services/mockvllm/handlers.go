package mockvllm

import (
	"net/http"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/config"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/fastapi"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol/request"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema"
)

func (s *Server) version(w http.ResponseWriter, _ *http.Request) {
	fastapi.Reply(w, http.StatusOK, []byte(`{"version":"`+config.Version+`"}`))
}

// load is 0 unless the server is told to track it.
func (s *Server) load(w http.ResponseWriter, _ *http.Request) {
	fastapi.ReplyValue(w, http.StatusOK, "server_load", s.serverLoad.Load())
}

func (s *Server) kvEventSources(w http.ResponseWriter, _ *http.Request) {
	fastapi.Reply(w, http.StatusOK, []byte(`{}`))
}

func (s *Server) notScaling(w http.ResponseWriter, _ *http.Request) {
	fastapi.Reply(w, http.StatusOK, []byte(`{"is_scaling_elastic_ep":false}`))
}

// decoded makes a handler that answers from a decoded request alone.
func (s *Server) decoded(name string, answer func(*schema.Values, *request.Model) ([]byte, *protocol.Error),
	refuse func(http.ResponseWriter, *protocol.Error)) http.HandlerFunc {
	return s.decodedFor(name, func(v *schema.Values, _ string) ([]byte, *protocol.Error) { return answer(v, s.model) }, refuse)
}

// decodedFor is decoded where the answer names the model that is served.
func (s *Server) decodedFor(name string, answer func(v *schema.Values, served string) ([]byte, *protocol.Error),
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
			if served, _, err = s.models.Find(request.Str(v, "model")); err == nil {
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
