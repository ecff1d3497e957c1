package mockvllm

import (
	"net/http"
	"strings"

	"github.com/gorilla/mux"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol"
)

// route is one line of the table. The first route of a path names the methods that a 405 allows, as in vLLM; where vLLM has
// no path, all do.
type route struct {
	method, path string
	handler      http.HandlerFunc
	generates    bool // fault rules without a path apply
}

func (s *Server) routes() []route {
	return []route{
		{"GET", "/load", s.load, false},
		{"GET", "/version", s.version, false},
		{"GET", "/kv_event_sources", s.kvEventSources, false},
		{"GET", "/health", empty, false},
		{"GET", "/metrics", s.metrics.serve, false},
		{"POST", "/tokenize", s.tokenize, false},
		{"POST", "/detokenize", s.detokenize, false},
		{"GET", "/v1/models", s.models, false},
		{"GET", "/ping", empty, false},
		{"POST", "/ping", empty, false},
		{"POST", "/v1/chat/completions", generates(s, chatAPI, protocol.DecodeChat), true},
		{"POST", "/v1/completions", generates(s, textAPI, protocol.DecodeCompletion), true},
		{"POST", "/v1/chat/completions/batch", s.notDone, true},
		{"POST", "/v1/responses", s.notDone, true},
		{"POST", "/v1/messages", generates(s, messagesAPI, protocol.DecodeMessages), true},
		{"POST", "/v1/messages/count_tokens", s.countTokens, false},
		{"POST", "/invocations", s.notDone, true},
		{"POST", "/generative_scoring", s.notDone, true},
		{"POST", "/is_scaling_elastic_ep", s.notScaling, false},
		{"GET", faultsPath, s.getFaults, false},
		{"PUT", faultsPath, s.putFaults, false},
		{"DELETE", faultsPath, s.deleteFaults, false},
		{"GET", journalPath, s.getJournal, false},
		{"DELETE", journalPath, s.clearJournal, false},
	}
}

// What only a mock has. Neither faults nor vLLM's HTTP metrics know of these paths.
const (
	ownPaths    = "/mock/"
	faultsPath  = ownPaths + "faults"
	journalPath = ownPaths + "journal"
)

// handler is all of the server: middlewares from the outside in, then the routes.
func (s *Server) handler() http.Handler {
	router := mux.NewRouter().SkipClean(true) // vLLM's //health is not /health
	allowed, generates := map[string]string{}, map[string]bool{}
	for _, rt := range s.routes() {
		router.HandleFunc(rt.path, rt.handler).Methods(rt.method)
		switch {
		case allowed[rt.path] == "":
			allowed[rt.path] = rt.method
		case strings.HasPrefix(rt.path, ownPaths):
			allowed[rt.path] += ", " + rt.method
		}
		generates[rt.method+" "+rt.path] = rt.generates
	}
	router.NotFoundHandler = unknownPath(allowed)
	router.MethodNotAllowedHandler = wrongMethod(allowed)
	inner := s.faulty(generates, router)
	return s.logged(s.journaled(s.authorized(crossOrigin(s.metrics.counted(allowed, inner)))))
}

// unknownPath redirects a known path with a slash too many, and knows no other.
func unknownPath(known map[string]string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path, slash := strings.CutSuffix(r.URL.Path, "/")
		if !slash || known[path] == "" {
			detail(w, http.StatusNotFound, "Not Found")
			return
		}
		target := "http://" + r.Host + path
		if r.URL.RawQuery != "" {
			target += "?" + r.URL.RawQuery
		}
		w.Header().Set("Location", target)
		w.Header().Set("Content-Length", "0")
		w.WriteHeader(http.StatusTemporaryRedirect)
	})
}

func wrongMethod(allowed map[string]string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Allow", allowed[r.URL.Path])
		detail(w, http.StatusMethodNotAllowed, "Method Not Allowed")
	})
}
