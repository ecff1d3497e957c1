package gateway

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httputil"
	"net/url"
	"time"

	"go.uber.org/zap"

	"github.com/fluidmcp/fluidmcp/internal/openai"
	"github.com/fluidmcp/fluidmcp/internal/sse"
	"github.com/fluidmcp/fluidmcp/internal/web"
)

// management hands /api/llm/… to the supervisor, which has the same paths. The gateway's token stands for the client:
// what the client sent as its key does not go on. A page of another site cannot make a visitor's browser stop models. What is followed
// there has no end that a gateway could wait for when it stops.
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
		FlushInterval: -1, // logs and events may be followed
		ErrorLog:      quiet,
		ErrorHandler:  supervisorDown,
		ModifyResponse: func(resp *http.Response) error {
			resp.Header.Del(web.RequestIDHeader) // ours is there already
			if web.MediaType(resp.Header) == sse.ContentType {
				resp.Body = untilStop{resp.Body, g.stopping}
			}
			return nil
		},
	}
	return g.administrators(web.SameOrigin(g.followed(proxy))), nil
}

// followed ends what somebody follows when the gateway stops; the rest of what is asked for has the time that it needs.
func (g *Gateway) followed(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Has("follow") {
			ctx, cancel := context.WithCancel(r.Context())
			defer cancel()
			defer context.AfterFunc(g.stopping, cancel)()
			r = r.WithContext(ctx)
		}
		next.ServeHTTP(w, r)
	})
}

// untilStop is a body that ends as a complete one does when it breaks off because the gateway stops.
type untilStop struct {
	io.ReadCloser
	stopping context.Context
}

func (b untilStop) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil && b.stopping.Err() != nil {
		err = io.EOF
	}
	return n, err
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
