package mockvllm

import (
	"net/http"
	"time"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol"
)

func (s *Server) version(w http.ResponseWriter, _ *http.Request) {
	reply(w, http.StatusOK, []byte(`{"version":"`+Version+`"}`))
}

// load is 0 unless vLLM is told to track it.
func (s *Server) load(w http.ResponseWriter, _ *http.Request) {
	reply(w, http.StatusOK, []byte(`{"server_load":0}`))
}

func (s *Server) kvEventSources(w http.ResponseWriter, _ *http.Request) {
	reply(w, http.StatusOK, []byte(`{}`))
}

func (s *Server) notScaling(w http.ResponseWriter, _ *http.Request) {
	reply(w, http.StatusOK, []byte(`{"is_scaling_elastic_ep":false}`))
}

// notDone refuses what vLLM serves and this server does not.
func (s *Server) notDone(w http.ResponseWriter, r *http.Request) {
	refuse(w, &protocol.Error{Status: http.StatusNotImplemented, Type: protocol.TypeNotImplemented,
		Message: "mockvllm does not support " + r.URL.Path + " yet."})
}

func (s *Server) models(w http.ResponseWriter, _ *http.Request) {
	reply(w, http.StatusOK, protocol.ModelsBody(s.cfg.ServedNames, s.cfg.Model, s.cfg.MaxModelLen, time.Now()))
}

func (s *Server) tokenize(w http.ResponseWriter, r *http.Request) {
	body, ok := readBody(w, r)
	if !ok {
		return
	}
	req, err := protocol.DecodeTokenize(r.Header.Get("Content-Type"), body)
	if err == nil {
		err = s.known(req.Model)
	}
	if err != nil {
		refuse(w, err)
		return
	}
	reply(w, http.StatusOK, req.Body(s.cfg.MaxModelLen))
}

func (s *Server) detokenize(w http.ResponseWriter, r *http.Request) {
	body, ok := readBody(w, r)
	if !ok {
		return
	}
	req, err := protocol.DecodeDetokenize(r.Header.Get("Content-Type"), body)
	if err == nil {
		err = s.known(req.Model)
	}
	if err != nil {
		refuse(w, err)
		return
	}
	reply(w, http.StatusOK, req.Body())
}

func (s *Server) countTokens(w http.ResponseWriter, r *http.Request) {
	body, ok := readBody(w, r)
	if !ok {
		return
	}
	var counted []byte
	req, err := protocol.DecodeCountTokens(r.Header.Get("Content-Type"), body)
	if err == nil {
		err = s.known(req.Model)
	}
	if err == nil {
		counted, err = req.CountTokens(s.model)
	}
	if err != nil {
		refuseMessages(w, err)
		return
	}
	reply(w, http.StatusOK, counted)
}
