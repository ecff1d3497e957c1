package mockvllm

import (
	"net/http"
	"strconv"
	"sync"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/apidocs"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/fastapi"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol"
)

// description makes the body of /openapi.json at the first request for it.
func (s *Server) description() func() ([]byte, error) {
	return sync.OnceValues(func() ([]byte, error) {
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
	})
}

func (s *Server) openAPI(w http.ResponseWriter, _ *http.Request) {
	body, err := s.describe()
	if err != nil {
		fastapi.Refuse(w, &protocol.Error{Status: http.StatusInternalServerError, Type: protocol.TypeInternal, Message: err.Error()})
		return
	}
	fastapi.Reply(w, http.StatusOK, body)
}

func (s *Server) docs(w http.ResponseWriter, _ *http.Request) {
	page(w, apidocs.Swagger(s.cfg.HTTP.RootPath))
}

func (s *Server) redoc(w http.ResponseWriter, _ *http.Request) {
	page(w, apidocs.Redoc(s.cfg.HTTP.RootPath))
}

func (s *Server) docsRedirect(w http.ResponseWriter, _ *http.Request) { page(w, apidocs.OAuth2()) }

func page(w http.ResponseWriter, body []byte) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write(body) // the client may have left
}
