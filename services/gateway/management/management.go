package management

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
	"github.com/fluidmcp/fluidmcp/internal/secret"
	"github.com/fluidmcp/fluidmcp/internal/sse"
	"github.com/fluidmcp/fluidmcp/internal/web"
)

// Config is what the proxy works with. All of its fields but the token are needed.
type Config struct {
	Supervisor string                 // base URL
	Token      string                 // of the supervisor; "" when it asks for none
	Transport  http.RoundTripper      // to it
	Stopping   func() context.Context // ends when the gateway is asked to stop
	Log        *zap.Logger
}

// New hands /api/llm/… to the supervisor, which has the same paths. The gateway's token stands for the client:
// what the client sent as its key does not go on. A page of another site cannot make a visitor's browser stop models. What is followed
// there has no end that a gateway could wait for when it stops.
func New(cfg Config) (http.Handler, error) {
	base, err := url.Parse(cfg.Supervisor)
	if err != nil {
		return nil, fmt.Errorf("supervisor URL: %w", err)
	}
	quiet, err := zap.NewStdLogAt(cfg.Log, zap.DebugLevel)
	if err != nil {
		return nil, fmt.Errorf("logger for the management proxy: %w", err)
	}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(p *httputil.ProxyRequest) {
			p.SetURL(base)
			p.SetXForwarded()
			for _, name := range secret.Headers {
				p.Out.Header.Del(name)
			}
			p.Out.Header.Del("Cookie")
			p.Out.URL.RawQuery = secret.WithoutKeys(p.Out.URL.RawQuery)
			// The guard below has compared them with our own host; to the supervisor's they would be foreign.
			p.Out.Header.Del("Origin")
			p.Out.Header.Del("Sec-Fetch-Site")
			if cfg.Token != "" {
				p.Out.Header.Set("Authorization", "Bearer "+cfg.Token)
			}
		},
		Transport:     cfg.Transport,
		FlushInterval: -1, // logs and events may be followed
		ErrorLog:      quiet,
		ErrorHandler:  supervisorDown,
		ModifyResponse: func(resp *http.Response) error {
			resp.Header.Del(web.RequestIDHeader) // ours is there already
			if web.MediaType(resp.Header) == sse.ContentType {
				resp.Body = untilStop{resp.Body, cfg.Stopping()}
			}
			return nil
		},
	}
	return web.SameOrigin(followed(cfg.Stopping, proxy)), nil
}

// followed ends what somebody follows when the gateway stops; the rest of what is asked for has the time that it needs.
func followed(stopping func() context.Context, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Has("follow") {
			ctx, cancel := context.WithCancel(r.Context())
			defer cancel()
			defer context.AfterFunc(stopping(), cancel)()
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
