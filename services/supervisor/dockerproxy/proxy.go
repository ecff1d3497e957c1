package dockerproxy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"syscall"
	"time"

	"go.uber.org/zap"

	"github.com/fluidmcp/fluidmcp/internal/web"
	"github.com/fluidmcp/fluidmcp/services/supervisor/engine"
)

// drain is how long calls in flight may take once the proxy ends. Those that wait for a container would take for ever.
const drain = time.Second

// Proxy lets the supervisor reach its containers.
type Proxy struct {
	project string
	engine  *engine.Client
	log     *zap.Logger
}

// New returns a proxy. It asks the engine for nothing before somebody asks it.
func New(cfg Config, log *zap.Logger) (*Proxy, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("docker proxy configuration: %w", err)
	}
	return &Proxy{project: cfg.Project, engine: engine.New(cfg.Engine), log: log}, nil
}

// Listen opens the unix socket at path, for its owner alone. It takes the place of one that a predecessor left, and not of one where
// somebody still answers.
func Listen(ctx context.Context, path string) (net.Listener, error) {
	ln, err := (&net.ListenConfig{}).Listen(ctx, "unix", path)
	if errors.Is(err, syscall.EADDRINUSE) {
		if conn, taken := (&net.Dialer{}).DialContext(ctx, "unix", path); taken == nil {
			_ = conn.Close()
			return nil, fmt.Errorf("%w: another proxy answers there", err)
		}
		if gone := os.Remove(path); gone != nil {
			return nil, errors.Join(err, gone)
		}
		ln, err = (&net.ListenConfig{}).Listen(ctx, "unix", path)
	}
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(err, ln.Close())
	}
	return ln, nil
}

// Run answers on ln until ctx ends.
func (p *Proxy) Run(ctx context.Context, ln net.Listener) error {
	defer p.engine.Close()
	front := web.Server{Handler: web.Logged(p.log, p), Log: p.log, Drain: drain}
	return front.Serve(ctx, ln)
}

// ServeHTTP answers one call.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c, err := parse(r)
	if err != nil {
		p.refuse(w, r, &engine.Error{Status: http.StatusForbidden, Message: err.Error()})
		return
	}
	if c.id != "" {
		// From here on by its id, which no other container can take; names pass on.
		found, err := p.ours(r.Context(), c.id)
		if err != nil {
			p.refuse(w, r, err)
			return
		}
		c.id = found.ID
	}
	if err := p.answer(r.Context(), w, c); err != nil {
		p.refuse(w, r, err)
	}
}

// ours looks at a container. One that is not ours does not exist, as far as the client learns.
func (p *Proxy) ours(ctx context.Context, id string) (engine.Container, error) {
	found, err := p.engine.Inspect(ctx, id)
	if engine.NotFound(err) || err == nil && !p.marked(found.Config.Labels) {
		return engine.Container{}, &engine.Error{Status: http.StatusNotFound, Message: "No such container: " + id}
	}
	return found, err
}

// marked tells whether a container with these labels may be reached.
func (p *Proxy) marked(labels map[string]string) bool {
	return labels[engine.ModelLabel] != "" && labels[engine.ProjectLabel] == p.project
}

// refuse says no in the engine's own way.
func (p *Proxy) refuse(w http.ResponseWriter, r *http.Request, err error) {
	record := web.RecordOf(r.Context())
	record.Err = err
	if record.Status != 0 {
		return // the answer has begun; it ends torn
	}
	no, ok := errors.AsType[*engine.Error](err)
	if !ok {
		no = &engine.Error{Status: http.StatusBadGateway, Message: err.Error()}
	}
	body, err := json.Marshal(map[string]string{"message": no.Message})
	if err != nil {
		return // text is always JSON
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(no.Status)
	_, _ = w.Write(body)
}
