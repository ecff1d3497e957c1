package mockvllm

import (
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/faults"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol"
)

// faulty puts the rules of the injector before all routes of vLLM. The mock's own are never hit.
func (s *Server) faulty(generates map[string]bool, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, ownPaths) {
			next.ServeHTTP(w, r)
			return
		}
		v := s.faults.Decide(r.URL.Path, generates[r.Method+" "+r.URL.Path], time.Now())
		if v.Delay > 0 && !s.sleep(r, v.Delay) {
			return
		}
		if v.Status == 0 {
			next.ServeHTTP(w, r)
			return
		}
		refuse(w, faultError(w.Header(), v))
	})
}

// sleep returns false when the client left. It ends early when the server stops, which then refuses the request.
func (s *Server) sleep(r *http.Request, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-s.stopping:
	case <-r.Context().Done():
		return false
	}
	return true
}

func faultError(h http.Header, v faults.Verdict) *protocol.Error {
	e := &protocol.Error{Status: v.Status, Type: protocol.TypeInternal, Message: v.Message}
	if v.RetryAfter > 0 {
		e.Type = protocol.TypeRateLimit
		h.Set("Retry-After", strconv.Itoa(int(math.Ceil(v.RetryAfter.Seconds()))))
	}
	return e
}

func (s *Server) getFaults(w http.ResponseWriter, _ *http.Request) {
	reply(w, http.StatusOK, protocol.Marshal(s.faults.Get()))
}

func (s *Server) putFaults(w http.ResponseWriter, r *http.Request) {
	body, ok := readBody(w, r)
	if !ok {
		return
	}
	set, err := faults.Parse(body)
	if err != nil {
		refuse(w, &protocol.Error{Status: http.StatusBadRequest, Type: protocol.TypeBadRequest, Message: err.Error()})
		return
	}
	s.faults.Put(set)
	s.getFaults(w, r)
}

func (s *Server) deleteFaults(w http.ResponseWriter, _ *http.Request) {
	s.faults.Put(faults.Set{})
	w.WriteHeader(http.StatusNoContent)
}

// journaled records what vLLM would count, so that probes do not push answers out of the journal.
func (s *Server) journaled(next http.Handler) http.Handler {
	recorded := s.journal.Middleware(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if isUncounted(r.URL.Path) {
			next.ServeHTTP(w, r)
			return
		}
		recorded.ServeHTTP(w, r)
	})
}

func (s *Server) getJournal(w http.ResponseWriter, r *http.Request) {
	reply(w, http.StatusOK, protocol.Marshal(s.journal.List(r.URL.Query().Get("request_id"))))
}

func (s *Server) clearJournal(w http.ResponseWriter, _ *http.Request) {
	s.journal.Clear()
	w.WriteHeader(http.StatusNoContent)
}
