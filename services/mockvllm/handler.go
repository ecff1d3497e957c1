package mockvllm

import (
	"net/http"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/answers"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/apidocs"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/middleware"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol/messages"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol/request"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/sagemaker"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/starlette"
)

// handler is all of the server: the routes, and around them, from the inside out, the middlewares.
func (s *Server) handler() http.Handler {
	t := starlette.NewRouter(s.routes(), starlette.Mount{Prefix: "/metrics", Handler: s.metrics.ServeHTTP})
	served := s.operations.Loading(t, s.control.Faulty(t.Generates(), t))
	rooted := starlette.Rooted(s.cfg.HTTP.RootPath, middleware.Counted(s.metrics, t, served))
	known := middleware.Identified(s.cfg, middleware.Authorized(s.cfg, starlette.CORS(s.cfg.HTTP, rooted)))
	journaled := s.control.Punctual(s.cfg.HTTP.RootPath, t.Generates(), s.control.Journaled(known))
	return middleware.Logged(s.cfg, s.console, journaled)
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

// decoded makes a handler that answers from a decoded request alone.
func (s *Server) decoded(name string, answer func(*schema.Values, *request.Model) ([]byte, *protocol.Error),
	refuse func(http.ResponseWriter, *protocol.Error)) http.HandlerFunc {
	return s.models.Decoded(name, func(v *schema.Values, _ string) ([]byte, *protocol.Error) { return answer(v, s.model) }, refuse)
}

// countTokens counts, where there is a place in the queue: vLLM renders the request as if it were to be answered.
func (s *Server) countTokens(v *schema.Values, m *request.Model) ([]byte, *protocol.Error) {
	if err := s.answers.Admit(1); err != nil {
		return nil, err
	}
	return messages.CountTokens(v, m)
}

func (s *Server) refuseCount(w http.ResponseWriter, err *protocol.Error) {
	if err.Type == protocol.TypeNotFound {
		s.answers.LogUnknown(answers.Messages.Logs, err)
	}
	s.answers.LogTemplate(err)
	answers.RefuseMessages(w, err)
}

func (s *Server) invocations() http.HandlerFunc {
	if s.cfg.Pooling.Task() != "" {
		forms, expected := s.pooling.Forms()
		return sagemaker.Invocations(forms, expected, s.life.Mute)
	}
	forms, expected := s.answers.Forms()
	return sagemaker.Invocations(forms, expected, s.life.Mute)
}
