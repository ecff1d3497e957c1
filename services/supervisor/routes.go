package supervisor

import (
	"crypto/sha256"
	"crypto/subtle"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/gorilla/mux"
	"go.uber.org/zap"

	"github.com/fluidmcp/fluidmcp/internal/openai"
	"github.com/fluidmcp/fluidmcp/internal/telemetry"
	"github.com/fluidmcp/fluidmcp/internal/web"
	"github.com/fluidmcp/fluidmcp/services/supervisor/api"
	"github.com/fluidmcp/fluidmcp/services/supervisor/gateways"
	"github.com/fluidmcp/fluidmcp/services/supervisor/unit"
)

func (s *Supervisor) handler() http.Handler {
	routes := web.SameOrigin(s.routes())
	if s.cfg.Token != "" || !web.OnLoopback(s.cfg.Addr) {
		return s.logged(routes)
	}
	return s.logged(web.Handler(func(w http.ResponseWriter, r *http.Request) error {
		if err := web.OwnHost(r); err != nil {
			return err
		}
		routes.ServeHTTP(w, r)
		return nil
	}))
}

// routes is every URL. The id of a model may hold slashes, encoded or not.
func (s *Supervisor) routes() *mux.Router {
	r := mux.NewRouter().SkipClean(true)
	r.Handle("/health", methods{http.MethodGet: health})
	r.Handle("/ready", methods{http.MethodGet: web.Ready(s.reconciled)})
	r.Handle("/metrics", methods{http.MethodGet: unfailing(telemetry.MetricsHandler(s.registry))})

	feed := gateways.Feed{Fleet: s.board, Keys: s.cfg.Token != "", Ending: s.ending}
	r.Handle("/v1/fleet", s.private(methods{http.MethodGet: feed.Get}))
	r.Handle("/v1/gateways/{id:.+}/heartbeat", s.private(methods{http.MethodPost: s.gateways.Heartbeat}))
	r.Handle("/v1/gateways/{id:.+}", s.private(methods{http.MethodDelete: s.gateways.Leave}))

	a := api.API{Board: s.board, File: s.file, Rollouts: s.rollouts, Restarts: s.restarts, Store: s.store, Logs: s.logs, Gateways: s.gateways,
		Target: s.servers.Target, Ending: s.ending}
	const one = "/api/llm/models/{id:.+}"
	r.Handle("/api/llm/status", s.private(methods{http.MethodGet: a.Status}))
	r.Handle("/api/llm/apply", s.private(methods{http.MethodPost: a.Apply}))
	r.Handle("/api/llm/events", s.private(methods{http.MethodGet: a.History}))
	r.Handle("/api/llm/models", s.private(methods{http.MethodGet: a.Models, http.MethodPost: a.Add}))
	r.Handle(one+"/start", s.private(methods{http.MethodPost: a.Act(unit.Start)}))
	r.Handle(one+"/stop", s.private(methods{http.MethodPost: a.Act(unit.Stop)}))
	r.Handle(one+"/restart", s.private(methods{http.MethodPost: a.Restart}))
	r.Handle(one+"/health-check", s.private(methods{http.MethodPost: a.HealthCheck}))
	r.Handle(one+"/events", s.private(methods{http.MethodGet: a.ModelHistory}))
	r.Handle(one+"/logs", s.private(methods{http.MethodGet: a.Output}))
	r.Handle(one+"/crashes", s.private(methods{http.MethodGet: a.Crashes}))
	r.Handle(one, s.private(methods{http.MethodGet: a.Model, http.MethodPatch: a.Patch, http.MethodDelete: a.Delete}))
	r.NotFoundHandler = web.Handler(web.NotFound)
	return r
}

// methods is a path's handlers by method. HEAD is answered as GET, whose body net/http leaves out.
type methods map[string]web.Handler

func (m methods) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	method := r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	if h, ok := m[method]; ok {
		h.ServeHTTP(w, r)
		return
	}
	w.Header().Set("Allow", strings.Join(slices.Sorted(maps.Keys(m)), ", "))
	web.Handler(web.MethodNotAllowed).ServeHTTP(w, r)
}

// unfailing makes a handler one that returns no error.
func unfailing(h http.Handler) web.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		h.ServeHTTP(w, r)
		return nil
	}
}

// private asks for the token when there is one.
func (s *Supervisor) private(next http.Handler) http.Handler {
	if s.cfg.Token == "" {
		return next
	}
	want := sha256.Sum256([]byte(s.cfg.Token)) // equal lengths keep the comparison's time constant
	return web.Handler(func(w http.ResponseWriter, r *http.Request) error {
		token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		got := sha256.Sum256([]byte(token))
		if subtle.ConstantTimeCompare(got[:], want[:]) != 1 {
			w.Header().Set("WWW-Authenticate", "Bearer")
			return &openai.Error{Status: http.StatusUnauthorized, Type: openai.TypeInvalidRequest, Code: "invalid_token",
				Message: "The supervisor needs its token: send it as Authorization: Bearer TOKEN."}
		}
		next.ServeHTTP(w, r)
		return nil
	})
}

// logged writes one line a request. What machines ask every few seconds is written only when it fails.
func (s *Supervisor) logged(next http.Handler) http.Handler {
	all := web.Logged(s.log, next)
	failures := web.Logged(s.log.WithOptions(zap.IncreaseLevel(max(zap.WarnLevel, s.log.Level()))), next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch p := r.URL.Path; {
		case p == "/health", p == "/ready", p == "/metrics", strings.HasPrefix(p, "/v1/gateways/"):
			failures.ServeHTTP(w, r)
		default:
			all.ServeHTTP(w, r)
		}
	})
}

// reconciled is the readiness of the supervisor: whether it has a snapshot to give.
func (s *Supervisor) reconciled() error {
	_, err := s.board.Snapshot(false)
	return err
}

func health(w http.ResponseWriter, _ *http.Request) error {
	return web.JSON(w, http.StatusOK, map[string]string{"status": "ok"})
}
