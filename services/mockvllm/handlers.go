package mockvllm

import (
	"net/http"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol/request"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema"
)

func (s *Server) version(w http.ResponseWriter, _ *http.Request) {
	reply(w, http.StatusOK, []byte(`{"version":"`+Version+`"}`))
}

// load is 0 unless the server is told to track it.
func (s *Server) load(w http.ResponseWriter, _ *http.Request) {
	replyValue(w, http.StatusOK, "server_load", s.serverLoad.Load())
}

func (s *Server) kvEventSources(w http.ResponseWriter, _ *http.Request) {
	reply(w, http.StatusOK, []byte(`{}`))
}

func (s *Server) notScaling(w http.ResponseWriter, _ *http.Request) {
	reply(w, http.StatusOK, []byte(`{"is_scaling_elastic_ep":false}`))
}

// decoded makes a handler that answers from a decoded request alone.
func (s *Server) decoded(name string, answer func(*schema.Values, *request.Model) ([]byte, *protocol.Error),
	refuse func(http.ResponseWriter, *protocol.Error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, ok := readBody(w, r)
		if !ok {
			return
		}
		var b []byte
		v, _, err := protocol.Decode(name, r.Header.Get("Content-Type"), body)
		if err == nil {
			err = s.check(request.Str(v, "model"))
		}
		if err == nil {
			b, err = answer(v, s.model)
		}
		if err != nil {
			refuse(w, err)
			return
		}
		reply(w, http.StatusOK, b)
	}
}
