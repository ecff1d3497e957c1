package gateway

import (
	"cmp"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/fluidmcp/fluidmcp/internal/web"
	"github.com/fluidmcp/fluidmcp/services/gateway/relay"
	"github.com/fluidmcp/fluidmcp/services/gateway/routing"
	"github.com/fluidmcp/fluidmcp/services/gateway/upstream"
)

// attempt is one backend's answer, and what has to be given back after it.
type attempt struct {
	lease    routing.Lease
	patience *upstream.Patience
	answer   *relay.Answer // nil when failed
	failed   upstream.Kind // "" with an answer
	err      error
}

func (a *attempt) close() {
	if a.answer != nil {
		_ = a.answer.Close() // nothing more is wanted from it
	}
	a.patience.Stop()
	a.lease.Release()
}

// unavailable is the reason to ask another backend when one answered that it cannot.
const unavailable = "unavailable"

// The reasons of fluidmcp_retries_total.
var retryReasons = []string{string(upstream.Connect), string(upstream.Broken), unavailable}

// retryReason says why another backend should be asked, or "". Nothing was sent to the client yet.
func (a *attempt) retryReason() string {
	switch a.failed {
	case upstream.Connect, upstream.Broken:
		return string(a.failed)
	case "":
	default:
		return "" // a backend that is slow stays so elsewhere; a client that left wants nothing
	}
	switch a.answer.Status {
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return unavailable
	}
	return ""
}

// attempt asks backends, each at most once, until one has an answer, none is left, or the retries are used up. The
// answer of the last one counts, also when it is a refusal.
func (g *Gateway) attempt(r *http.Request, c *call, q *query) (*attempt, error) {
	var tried []string
	lease, ok := g.router.Acquire(q.model.ID, routing.Request{Random: rand.Uint64()}) //nolint:gosec // not a secret
	if !ok {
		return nil, c.fail(reasonNoBackend, errUnavailable(q.model.Model))
	}
	for left := g.cfg.Retries; ; left-- {
		a := g.try(r, c, q, lease)
		tried = append(tried, lease.Backend.ID)
		if reason := a.retryReason(); reason != "" && left > 0 && !q.spent() {
			next, ok := g.router.Acquire(q.model.ID, routing.Request{Tried: tried, Random: rand.Uint64()}) //nolint:gosec // not a secret
			if ok {
				g.metrics.retries.WithLabelValues(c.metrics().label, reason).Inc()
				a.close()
				lease = next
				continue
			}
		}
		if a.failed != "" {
			a.close()
			return nil, c.failure(r, a)
		}
		return a, nil
	}
}

// try asks one backend and waits until it has something worth sending.
func (g *Gateway) try(r *http.Request, c *call, q *query, lease routing.Lease) *attempt {
	begin := time.Now()
	limits := q.model.Timeouts
	idle := cmp.Or(limits.Idle, g.cfg.IdleTimeout)
	ctx, patience := upstream.WithPatience(r.Context(), cmp.Or(limits.FirstByte, g.cfg.FirstByteTimeout), cmp.Or(limits.Total, g.cfg.TotalTimeout))
	a := &attempt{lease: lease, patience: patience}
	a.answer, a.err = g.send(ctx, r, q, lease, relay.Options{
		End:       q.endpoint.end,
		DropUsage: q.dropUsage,
		Idle:      idle,
		Patience:  patience,
		Meter:     c,
		Cause:     func() error { return cause(r.Context(), ctx) },
	})
	outcome := "ok"
	switch {
	case a.err != nil:
		a.failed = upstream.KindOf(ctx, a.err)
		outcome = string(a.failed)
	case a.answer.Status >= http.StatusInternalServerError:
		outcome = "status_5xx"
	case a.answer.Status >= http.StatusBadRequest:
		outcome = "status_4xx"
	}
	switch {
	case a.failed == upstream.Canceled: // says nothing about the backend
	case a.failed == upstream.Connect:
		lease.Report(routing.Unreachable)
	case a.failed != "" || a.answer.Status >= http.StatusInternalServerError:
		lease.Report(routing.Failure)
	default:
		lease.Report(routing.Success)
	}
	c.tried(lease.Backend.ID, outcome, time.Since(begin))
	return a
}

// send makes the request and holds its answer back.
func (g *Gateway) send(ctx context.Context, r *http.Request, q *query, lease routing.Lease, opts relay.Options) (*relay.Answer, error) {
	req, err := upstream.NewRequest(ctx, r, upstream.Target{Base: lease.URL, Path: q.endpoint.path, APIKey: lease.Backend.APIKey}, q.body)
	if err != nil {
		return nil, err
	}
	if q.upload != nil {
		req.Body, req.ContentLength = io.NopCloser(q.upload), q.upload.length
	}
	resp, err := g.backends.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	upstream.DropHopByHop(resp.Header)
	return relay.Receive(resp, opts)
}

// cause says why a request to a backend was ended before its answer, or nil when it was not.
func cause(client, attempt context.Context) error {
	var timeout *upstream.TimeoutError
	switch {
	case errors.Is(context.Cause(client), web.ErrStopping):
		return web.ErrStopping
	case errors.Is(context.Cause(client), errDeadline):
		return errDeadline
	case client.Err() != nil:
		return web.ErrClientLeft
	case errors.As(context.Cause(attempt), &timeout):
		return timeout
	}
	return nil
}
