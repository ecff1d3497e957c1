package middleware

import (
	"net/http"
	"slices"
	"strings"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/config"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/console"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/control"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/metrics"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/starlette"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/uvicorn"
)

// Logged writes the access line of every answer as it begins, as long as the log is on. What nobody gets has none.
func Logged(cfg config.Config, log *console.Console, next http.Handler) http.Handler {
	if !cfg.AccessLog {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !slices.Contains(cfg.HTTP.QuietPaths, r.URL.Path) {
			w = &recorder{w, r, log}
		}
		next.ServeHTTP(w, r)
	})
}

// recorder logs the status on its way out.
type recorder struct {
	http.ResponseWriter
	r   *http.Request // nil once its line is written
	log *console.Console
}

func (w *recorder) WriteHeader(status int) {
	if r := w.r; r != nil && status >= http.StatusOK {
		w.r = nil // an answer may take long
		if !uvicorn.Left(r.Context()) {
			w.log.Access(r, status)
		}
	}
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController reach the connection.
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// Identified gives every answer the request's id, or a new one, if it is to.
func Identified(cfg config.Config, next http.Handler) http.Handler {
	if !cfg.HTTP.RequestIDs {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := protocol.NewID() + protocol.NewID()
		if given, ok := r.Header["X-Request-Id"]; ok {
			id = given[0]
		}
		w.Header().Set("X-Request-Id", id)
		next.ServeHTTP(w, r)
	})
}

// Counted counts requests by the path of their route. Of the mock's own paths vLLM's metrics know nothing.
func Counted(m *metrics.Metrics, t *starlette.Router, next http.Handler) http.Handler {
	counts := m.HTTP(next, t.Template)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, control.Paths) {
			next.ServeHTTP(w, r)
			return
		}
		counts.ServeHTTP(w, r)
	})
}
