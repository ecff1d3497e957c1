package gateway

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httputil"
	"net/url"
	"time"

	"go.uber.org/zap"

	"github.com/fluidmcp/fluidmcp/internal/openai"
	"github.com/fluidmcp/fluidmcp/internal/web"
)

// management hands /api/llm/… to the supervisor, which has the same paths. The gateway's token stands for the client:
// what the client sent as its key does not go on. A page of another site cannot make a visitor's browser stop models.
func (g *Gateway) management() (http.Handler, error) {
	base, err := url.Parse(g.cfg.SupervisorURL)
	if err != nil {
		return nil, fmt.Errorf("supervisor URL: %w", err)
	}
	quiet, err := zap.NewStdLogAt(g.log.Named("management"), zap.DebugLevel)
	if err != nil {
		return nil, fmt.Errorf("logger for the management proxy: %w", err)
	}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(p *httputil.ProxyRequest) {
			p.SetURL(base)
			p.SetXForwarded()
			for _, secret := range []string{"Authorization", "X-Api-Key", "Api-Key", "Cookie"} {
				p.Out.Header.Del(secret)
			}
			// The guard below has compared them with our own host; to the supervisor's they would be foreign.
			p.Out.Header.Del("Origin")
			p.Out.Header.Del("Sec-Fetch-Site")
			if g.cfg.SupervisorToken != "" {
				p.Out.Header.Set("Authorization", "Bearer "+g.cfg.SupervisorToken)
			}
		},
		Transport:     g.supervisor,
		FlushInterval: -1, // logs may be followed
		ErrorLog:      quiet,
		ErrorHandler:  supervisorDown,
		ModifyResponse: func(resp *http.Response) error {
			resp.Header.Del(web.RequestIDHeader) // ours is there already
			return nil
		},
	}
	return g.administrators(web.SameOrigin(proxy)), nil
}

func supervisorDown(w http.ResponseWriter, r *http.Request, err error) {
	web.Handler(func(_ http.ResponseWriter, r *http.Request) error {
		if r.Context().Err() != nil {
			return errors.Join(err, r.Context().Err())
		}
		return &openai.Error{Status: http.StatusServiceUnavailable, Type: openai.TypeUnavailable, Code: "supervisor_unreachable",
			Message: "The supervisor cannot be reached. Models that run keep answering.", RetryAfter: 2 * time.Second, Cause: err}
	}).ServeHTTP(w, r)
}
