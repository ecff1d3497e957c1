package gateway

import (
	"context"
	"net/http"
	"strings"

	"github.com/gorilla/mux"

	"github.com/fluidmcp/fluidmcp/internal/telemetry"
	"github.com/fluidmcp/fluidmcp/internal/web"
	"github.com/fluidmcp/fluidmcp/services/gateway/console"
	"github.com/fluidmcp/fluidmcp/services/gateway/management"
	"github.com/fluidmcp/fluidmcp/services/gateway/reference"
)

// routes is every URL of the gateway. Inference is told apart by a few prefixes and does not pay for the search among the
// others.
func (g *Gateway) routes() (http.Handler, error) {
	pages, err := g.pages()
	if err != nil {
		return nil, err
	}
	// These look at the method themselves, so that each of their requests is counted.
	byBody, byPath := g.counted(g.inferByBody), g.counted(g.inferByPath)
	models, oneModel := g.counted(g.listModels), g.counted(g.showModel)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path := r.URL.Path
		below, isLLM := strings.CutPrefix(path, "/llm")
		switch {
		case path == "/v1/models", below == "/v1/models":
			models.ServeHTTP(w, r)
		case strings.HasPrefix(below, "/v1/models/"):
			oneModel.ServeHTTP(w, r)
		case strings.HasPrefix(below, "/v1/"):
			byBody.ServeHTTP(w, r)
		case isLLM && strings.HasPrefix(below, "/"):
			byPath.ServeHTTP(w, r)
		default:
			pages.ServeHTTP(w, r)
		}
	}), nil
}

// pages is what is not inference, and what model servers have outside of /v1/.
func (g *Gateway) pages() (*mux.Router, error) {
	manage, err := management.New(management.Config{Supervisor: g.cfg.SupervisorURL, Token: g.cfg.SupervisorToken, Transport: g.supervisor,
		Stopping: func() context.Context { return g.stopping }, Log: g.log.Named("management")})
	if err != nil {
		return nil, err
	}
	document, err := reference.Document()
	if err != nil {
		return nil, err
	}
	r := mux.NewRouter().SkipClean(true).UseEncodedPath()
	get := []string{http.MethodGet, http.MethodHead}

	r.Handle("/health", web.Handler(g.health)).Methods(get...)
	r.Handle("/ready", web.Ready(g.ready)).Methods(get...)
	r.Handle("/metrics", telemetry.MetricsHandler(g.registry)).Methods(get...)
	r.PathPrefix("/ui/").Handler(http.StripPrefix("/ui", console.Handler())).Methods(get...)
	r.Handle("/ui", http.RedirectHandler("/ui/", http.StatusMovedPermanently)).Methods(get...)
	r.Handle("/openapi.json", document).Methods(get...)
	r.PathPrefix("/docs/").Handler(http.StripPrefix("/docs", reference.Viewer())).Methods(get...)
	r.Handle("/docs", http.RedirectHandler("/docs/", http.StatusMovedPermanently)).Methods(get...)
	r.Handle("/", http.RedirectHandler("/ui/", http.StatusFound)).Methods(get...)
	r.PathPrefix("/api/llm/").Handler(g.administrators(manage))

	r.NotFoundHandler = g.counted(g.inferElsewhere)
	r.MethodNotAllowedHandler = web.Handler(func(w http.ResponseWriter, req *http.Request) error {
		return notAllowed(w, req, get...) // all routes with methods have these
	})
	return r, nil
}

// notAllowed answers 405 and names the methods that are allowed (RFC 9110, 15.5.6).
func notAllowed(w http.ResponseWriter, r *http.Request, allowed ...string) error {
	w.Header().Set("Allow", strings.Join(allowed, ", "))
	return web.MethodNotAllowed(w, r)
}
