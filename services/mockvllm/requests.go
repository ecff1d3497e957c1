package mockvllm

import (
	"net/http"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/fastapi"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/journal"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol"
)

// journaled records what vLLM would count, so that probes do not push answers out of the journal.
func (s *Server) journaled(next http.Handler) http.Handler {
	recorded := s.journal.Middleware(s.life.Number, next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if isUncounted(r.URL.Path) {
			next.ServeHTTP(w, r)
			return
		}
		recorded.ServeHTTP(w, r)
	})
}

// Journal is the record of the requests so far.
func (s *Server) Journal() *journal.Journal { return s.journal }

func (s *Server) getRequests(w http.ResponseWriter, r *http.Request) {
	fastapi.Reply(w, http.StatusOK, protocol.Marshal(s.journal.List(r.URL.Query().Get("request_id"))))
}

func (s *Server) forgetRequests(w http.ResponseWriter, _ *http.Request) {
	s.journal.Clear()
	w.WriteHeader(http.StatusNoContent)
}

func (s *Server) getStats(w http.ResponseWriter, _ *http.Request) {
	fastapi.Reply(w, http.StatusOK, protocol.Marshal(s.journal.Stats()))
}
