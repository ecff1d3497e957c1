package mockvllm

import (
	"net/http"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/apidocs"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/middleware"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/starlette"
)

// handler is all of the server: the routes, and around them, from the inside out, the middlewares.
func (s *Server) handler() http.Handler {
	t := starlette.NewRouter(s.routes(), starlette.Mount{Prefix: "/metrics", Handler: s.metrics.ServeHTTP})
	served := s.operations.Loading(t, s.control.Faulty(t.Generates(), t))
	rooted := starlette.Rooted(s.cfg.HTTP.RootPath, middleware.Counted(s.metrics, t, served))
	known := middleware.Identified(s.cfg, middleware.Authorized(s.cfg, starlette.CORS(s.cfg.HTTP, rooted)))
	return middleware.Logged(s.cfg, s.console, s.control.Journaled(known))
}

// document makes the body of /openapi.json.
func (s *Server) document() ([]byte, error) {
	kind := s.cfg.Pooling.Task()
	switch {
	case kind != "":
	case s.cfg.Routes.TokensOnly:
		kind = apidocs.Tokens
	case s.cfg.Routes.ScaleOut:
		kind = apidocs.ScaleOut
	default:
		kind = apidocs.Generate
	}
	has := map[string]bool{}
	for _, rt := range s.routes() {
		has[rt.Methods+" "+rt.Path] = true
	}
	return apidocs.Document(kind, has, s.cfg.HTTP.RootPath)
}
