package gateway

import (
	"cmp"
	"context"
	"net/http"
	"time"

	"github.com/fluidmcp/fluidmcp/internal/web"
	"github.com/fluidmcp/fluidmcp/services/gateway/admission"
	"github.com/fluidmcp/fluidmcp/services/gateway/relay"
	"github.com/fluidmcp/fluidmcp/services/gateway/routing"
	"github.com/fluidmcp/fluidmcp/services/gateway/upstream"
)

// try is one backend's answer, or failure, and what has to be given back after it.
type try struct {
	lease    routing.Lease
	beside   string // id of the backend that was asked at the same time, in vain
	slot     admission.Slot
	patience *upstream.Patience
	answer   *relay.Answer // nil when failed
	failed   upstream.Kind // "" with an answer
	err      error
	took     time.Duration // until there was something to send
	cancel   func()        // nil unless another backend was, or could have been, asked at the same time
}

func (t *try) close() {
	if t.answer != nil {
		_ = t.answer.Close() // nothing more is wanted from it
	}
	if t.patience != nil { // nil after a defect
		t.patience.Stop()
	}
	if t.cancel != nil {
		t.cancel()
	}
	t.lease.Release()
	t.slot.Leave()
}

// defect is how a try has failed that broke down in the gateway itself.
const defect upstream.Kind = "defect"

// unavailable is the reason to ask another backend when one answered that it cannot.
const unavailable = "unavailable"

// The reasons of fluidmcp_retries_total.
var retryReasons = []string{string(upstream.Connect), string(upstream.Broken), unavailable, hedged}

// retryReason says why another backend should be asked, or "". Nothing was sent to the client yet.
func (t *try) retryReason() string {
	switch t.failed {
	case upstream.Connect, upstream.Broken:
		return string(t.failed)
	case "":
	default:
		return "" // a backend that is slow stays so elsewhere; a client that left wants nothing
	}
	switch t.answer.Status {
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return unavailable
	}
	if t.answer.Ending() {
		return unavailable
	}
	return ""
}

// answers tells an answer for which no other backend has to be asked.
func (t *try) answers() bool { return t.failed == "" && t.retryReason() == "" }

// outcome is that of fluidmcp_upstream_attempts_total.
func (t *try) outcome() string {
	switch {
	case t.failed != "":
		return string(t.failed)
	case t.answer.Status >= http.StatusInternalServerError:
		return "status_5xx"
	case t.answer.Status >= http.StatusBadRequest:
		return "status_4xx"
	}
	return "ok"
}

// report tells the router what the try says about the backend.
func (t *try) report() {
	switch {
	case t.failed == upstream.Canceled, t.failed == upstream.Exhausted, t.failed == defect: // nothing
	case t.failed == upstream.Connect:
		t.lease.Report(routing.Unreachable)
	case t.failed != "" || t.answer.Status >= http.StatusInternalServerError || t.answer.Ending():
		t.lease.Report(routing.Failure)
	default:
		t.lease.Report(routing.Success)
	}
}

// try asks one backend and waits until it has something worth sending.
func (g *Gateway) try(ctx context.Context, r *http.Request, c *call, q *query, m *routing.Model, lease routing.Lease) *try {
	begin := c.took()
	client := r.Context()
	if m.Timeouts.Connect > 0 {
		ctx = upstream.WithConnectTimeout(ctx, m.Timeouts.Connect)
	}
	ctx, patience := g.watches.WithPatience(ctx, g.firstByte(m), cmp.Or(m.Timeouts.Total, g.cfg.TotalTimeout))
	t := &try{lease: lease, patience: patience}
	t.answer, t.err = g.send(ctx, r, q, m, t, relay.Options{
		End:       q.endpoint.End,
		DropUsage: q.dropUsage,
		Idle:      cmp.Or(m.Timeouts.Idle, g.cfg.IdleTimeout),
		Patience:  patience,
		Memory:    g.intake,
		Meter:     c,
		Cause:     func() error { return cause(client, ctx) },
	})
	t.took = c.took() - begin
	if t.err != nil {
		t.failed = upstream.KindOf(ctx, t.err)
	}
	return t
}

func (g *Gateway) firstByte(m *routing.Model) time.Duration {
	return cmp.Or(m.Timeouts.FirstByte, g.cfg.FirstByteTimeout)
}

// send makes the request of a try and holds its answer back.
func (g *Gateway) send(ctx context.Context, r *http.Request, q *query, m *routing.Model, t *try, opts relay.Options) (*relay.Answer, error) {
	to := upstream.Target{Base: t.lease.URL, Path: q.endpoint.Path, APIKey: t.lease.Backend.APIKey, Scheme: g.edge.SchemeOf(r)}
	req := upstream.NewRequest(ctx, r, to, g.bodyFor(ctx, q, m, to))
	if q.named && web.RecordOf(r.Context()).Made {
		req.Without(web.RequestIDHeader) // vLLM would prefer it
	}
	form := q.body.Form
	if form != nil {
		req.Body, req.ContentLength = form.Reader(q.nameFor(m), t.patience.Sending)
	}
	resp, err := g.backends.Forward(req) //nolint:bodyclose // relay.Receive takes it over
	if form != nil {
		if kind := upstream.KindOf(ctx, err); kind != upstream.Connect && kind != upstream.Exhausted {
			form.Begin() // whoever sends on it may just begin to read
		}
	}
	if err != nil {
		return nil, err
	}
	upstream.DropHopByHop(resp.Header)
	upstream.Relocate(resp.Header, r, req)
	return relay.Receive(resp, opts)
}

// bodyFor is what a backend of the model gets. Behind the path of a model a name that nobody has declared is that of an adapter where the
// backend has one, and does not matter otherwise.
func (g *Gateway) bodyFor(ctx context.Context, q *query, m *routing.Model, to upstream.Target) []byte {
	if q.guess && m == q.model && !g.adapters.Has(ctx, to.Base, to.APIKey, q.body.JSON.Model) {
		return q.body.JSON.Rewrite(m.ServedName, q.endpoint.Chat())
	}
	return q.bodyFor(m)
}
