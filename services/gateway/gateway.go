package gateway

import (
	"context"
	"crypto/rand"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
	"github.com/fluidmcp/fluidmcp/internal/telemetry"
	"github.com/fluidmcp/fluidmcp/internal/web"
	"github.com/fluidmcp/fluidmcp/services/gateway/adapters"
	"github.com/fluidmcp/fluidmcp/services/gateway/admission"
	"github.com/fluidmcp/fluidmcp/services/gateway/edge"
	"github.com/fluidmcp/fluidmcp/services/gateway/feed"
	"github.com/fluidmcp/fluidmcp/services/gateway/intake"
	"github.com/fluidmcp/fluidmcp/services/gateway/keys"
	"github.com/fluidmcp/fluidmcp/services/gateway/metrics"
	"github.com/fluidmcp/fluidmcp/services/gateway/probe"
	"github.com/fluidmcp/fluidmcp/services/gateway/retry"
	"github.com/fluidmcp/fluidmcp/services/gateway/routing"
	"github.com/fluidmcp/fluidmcp/services/gateway/upstream"
)

// loadInterval is how often a model server is asked for its load, where the balance goes by it.
const loadInterval = 2 * time.Second

// Deps are what the program gives to a gateway.
type Deps struct {
	Log          *zap.Logger
	DroppedLines func() uint64 // how many of the log's lines were lost; nil where none can be
}

// Gateway is one front door.
type Gateway struct {
	cfg      Config
	log      *zap.Logger
	id       string // among the gateways of a supervisor
	started  time.Time
	stopping context.Context // that of Run: it ends when the gateway is asked to stop

	router     *routing.Router
	backends   *upstream.Transport
	watches    upstream.Watches
	adapters   *adapters.Adapters
	supervisor *upstream.Transport
	feed       *feed.Feed
	prober     *probe.Prober
	poller     *probe.Poller
	registry   *prometheus.Registry
	metrics    *metrics.Metrics
	doors      *keys.Doors
	edge       *edge.Edge
	quotas     admission.Quotas
	gates      *admission.Gates
	paces      retry.Paces
	intake     *intake.Intake
	handler    http.Handler
}

// New wires a gateway. It opens nothing.
func New(cfg Config, deps Deps) (*Gateway, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("gateway configuration: %w", err)
	}
	g := &Gateway{cfg: cfg, log: deps.Log, id: "gateway-" + rand.Text()[:8], started: time.Now()}
	g.stopping = context.Background()
	var err error
	if g.doors, err = keys.NewDoors(cfg.KeysFile, web.OnLoopback(cfg.Addr), g.log); err != nil {
		return nil, fmt.Errorf("gateway configuration: %w", err)
	}
	if g.edge, err = edge.New(edge.Config{TLSCertFile: cfg.TLSCertFile, TLSKeyFile: cfg.TLSKeyFile, ProxyProtocol: cfg.ProxyProtocol,
		TrustedProxies: cfg.TrustedProxies, CORSOrigins: cfg.CORSOrigins}); err != nil {
		return nil, fmt.Errorf("gateway configuration: %w", err)
	}
	g.gates = admission.NewGates(admission.Defaults{Queue: cfg.QueueSize, QueueTimeout: cfg.QueueTimeout, LoadTimeout: cfg.LoadTimeout})
	g.intake = intake.New(intake.Limits{Body: cfg.MaxBodyBytes, Buffered: cfg.MaxBufferedBytes})
	g.router = routing.NewRouter()
	g.backends = upstream.NewTransport(upstream.Config{ConnectTimeout: cfg.ConnectTimeout})
	g.adapters = adapters.New(g.backends)
	g.supervisor = upstream.NewTransport(upstream.Config{ConnectTimeout: cfg.ConnectTimeout})
	g.registry = telemetry.NewRegistry()
	g.metrics = metrics.New(g.registry, reasons, retryReasons)
	if deps.DroppedLines != nil {
		g.registry.MustRegister(metrics.DroppedLines(deps.DroppedLines))
	}
	g.feed = feed.New(feed.Deps{
		Client:  &fleet.Client{URL: cfg.SupervisorURL, Token: cfg.SupervisorToken, HTTP: &http.Client{Transport: g.supervisor}},
		ID:      g.id,
		Router:  g.router,
		Changed: g.changed,
		Demand:  g.demand,
		Wanted:  g.gates.Wanted(),
		Log:     g.log.Named("fleet"),
	})
	g.registry.MustRegister(&metrics.State{Router: g.router, Feed: g.feed, Gates: g.gates, Backends: g.backends, Buffered: g.intake.Buffered})
	g.poller = &probe.Poller{Transport: g.backends, Interval: loadInterval, Backends: g.balanced,
		SetLoad: func(id string, l probe.Load, valid time.Duration) { g.router.SetLoad(id, routing.Load(l), valid) }}
	g.prober = &probe.Prober{Transport: g.backends, Interval: cfg.ProbeInterval, Backends: g.routable,
		SetUp: g.router.SetUp, Log: g.log.Named("probe")}
	handler, err := g.routes()
	if err != nil {
		return nil, fmt.Errorf("gateway routes: %w", err)
	}
	g.handler = g.edge.Wrap(g.log, handler)
	return g, nil
}

// Run serves on ln until ctx ends, drains, and waits for everything that it has started. It returns nil when it stopped
// as asked. The fleet is followed until the last request is over, because draining needs heartbeats.
func (g *Gateway) Run(ctx context.Context, ln net.Listener) error {
	g.stopping = ctx
	work, stop := context.WithCancel(context.WithoutCancel(ctx))
	var background sync.WaitGroup
	background.Go(func() { g.feed.Follow(work) })
	background.Go(func() { g.feed.Beat(work) })
	background.Go(func() { g.prober.Run(work) })
	background.Go(func() { g.poller.Run(work) })
	background.Go(func() { g.edge.Watch(work, g.log, g.metrics.Refused.WithLabelValues(metrics.CertificateFile).Inc) })
	background.Go(func() { g.doors.Watch(work, g.metrics.Refused.WithLabelValues(metrics.KeyFile).Inc) })

	g.log.Info("serving", zap.Stringer("addr", ln.Addr()), zap.String("supervisor", g.cfg.SupervisorURL), zap.String("id", g.id))
	server := web.Server{Handler: g.handler, TLS: g.edge.TLS(), Log: g.log, Grace: g.cfg.StopGrace, Drain: g.cfg.DrainTimeout}
	err := server.Serve(ctx, g.edge.Listen(ln))
	stop()
	background.Wait()
	g.backends.CloseIdleConnections()
	g.supervisor.CloseIdleConnections()
	if err != nil {
		return fmt.Errorf("gateway: %w", err)
	}
	return nil
}

// changed is told of every new table.
func (g *Gateway) changed(t *routing.Table) {
	g.metrics.Keep(t)
	models := make([]fleet.Model, 0, len(t.Models))
	for _, m := range t.Models {
		models = append(models, m.Model)
	}
	g.gates.Apply(models)
	g.doors.Declared(models)
	g.paces.Keep(func(model string) bool { _, ok := t.Resolve(model); return ok })
}

// demand is what clients want of the models.
func (g *Gateway) demand() feed.Demand {
	d := feed.Demand{Queued: make(map[string]int), LastUsed: make(map[string]time.Time)}
	for model, load := range g.gates.Loads() {
		if load.Queued > 0 {
			d.Queued[model] = load.Queued
		}
		if !load.LastUsed.IsZero() {
			d.LastUsed[model] = load.LastUsed
		}
	}
	return d
}

// routable gives the addresses of the backends that take new requests, by id.
func (g *Gateway) routable() map[string]string {
	return g.addresses(func(b routing.Status) bool { return b.Routable })
}

// balanced gives those whose load decides who gets a request.
func (g *Gateway) balanced() map[string]string {
	return g.addresses(func(b routing.Status) bool { return b.Routable && b.NeedsLoad })
}

func (g *Gateway) addresses(of func(routing.Status) bool) map[string]string {
	urls := make(map[string]string)
	for _, b := range g.router.Backends() {
		if of(b) {
			urls[b.ID] = b.URL
		}
	}
	return urls
}
