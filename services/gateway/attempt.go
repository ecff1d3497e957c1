package gateway

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"slices"
	"time"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
	"github.com/fluidmcp/fluidmcp/internal/web"
	"github.com/fluidmcp/fluidmcp/services/gateway/admission"
	"github.com/fluidmcp/fluidmcp/services/gateway/refusal"
	"github.com/fluidmcp/fluidmcp/services/gateway/routing"
	"github.com/fluidmcp/fluidmcp/services/gateway/upstream"
)

// modelHeader tells the client which model has answered in place of the one that it asked for.
const modelHeader = "X-Fluidmcp-Model"

// attempt is step 4. It asks the model, or a part of the traffic's canary, and then the models that stand in for it, until one
// has an answer of which nothing was sent yet. The answer of the last one counts, also when it is a refusal.
func (g *Gateway) attempt(w http.ResponseWriter, r *http.Request, c *call, q *query) (*try, error) {
	plan := q.plan()
	for i, m := range plan {
		c.model, c.reason = m.ID, ""
		c.last = i == len(plan)-1
		t, err := g.ask(r, c, q, m)
		if c.last || q.spent() || r.Context().Err() != nil || err == nil && t.retryReason() == "" || err != nil && !c.elsewhere() {
			if err == nil && m != q.model {
				w.Header().Set(modelHeader, m.ID)
				g.metrics.Diverted.WithLabelValues(g.metrics.Of(q.model.ID).Label, c.metrics().Label).Inc()
			}
			return t, err
		}
		if err == nil {
			t.close()
		}
	}
	return nil, refusal.Unavailable(q.model.Model) // a plan has the model itself
}

// elsewhere tells a failure that another model may not have.
func (c *call) elsewhere() bool {
	switch c.reason {
	case reasonNoBackend, reasonConnect, reasonInterrupted, reasonQueueFull:
		return true
	}
	return false
}

// ask waits for the request's turn at a model and asks its backends. A request that may be held, and whose server has died under it,
// waits for the next one.
func (g *Gateway) ask(r *http.Request, c *call, q *query, m *routing.Model) (*try, error) {
	for left := g.cfg.Retries; ; left-- {
		slot, lease, err := g.turn(r, c, q, m)
		if err != nil {
			return nil, err
		}
		c.dead = nil
		t, err := g.backendsOf(r, c, q, m, lease)
		reason := c.unsent(t, err)
		if left == 0 || reason == "" || q.spent() || !c.last || !g.held(c, q, m) || !g.gone(r.Context(), m, append(c.dead, c.backend)) || !g.mayRetry(m, reason) {
			if err != nil {
				slot.Leave()
				return nil, err
			}
			t.slot = slot
			return t, nil
		}
		if t != nil {
			t.close()
		}
		slot.Leave()
		c.reason = ""
		g.metrics.Retries.WithLabelValues(c.metrics().Label, reason).Inc()
	}
}

// unsent says why a request should be asked anew of which no answer was sent, or "".
func (c *call) unsent(t *try, err error) string {
	switch {
	case err == nil:
		return t.retryReason()
	case c.reason == reasonConnect:
		return string(upstream.Connect)
	case c.reason == reasonInterrupted:
		return string(upstream.Broken)
	}
	return ""
}

// held tells whether a request waits for a model that has no server now. Where another model stands in, one that its client does not
// hear of is not worth the wait.
func (g *Gateway) held(c *call, q *query, m *routing.Model) bool {
	return !q.endpoint.Control && (m.OnDemand || c.waiting != nil || m.Limits.KeepAlive && c.last)
}

// mayRetry uses up a retry of the model's budget. Where nobody was reached there is nothing to be added to.
func (g *Gateway) mayRetry(m *routing.Model, reason string) bool {
	return reason == string(upstream.Connect) || g.paces.Of(m.ID).Budget.Take()
}

// noticed is how long after the death of a server its supervisor may need to say so. It takes some milliseconds, or a few seconds
// when the supervisor has died too.
const noticed = 10 * time.Second

// gone waits until each of these backends has been seen to take no requests, as far as the fleet knows, and is false when that does not
// come. When several die at once the fleet is told so one after the other, and whoever asked the others meanwhile would have no try left.
func (g *Gateway) gone(ctx context.Context, m *routing.Model, backends []string) bool {
	late := time.NewTimer(noticed)
	defer late.Stop()
	for {
		news := g.feed.News()
		now := g.current(m).Model.Backends
		backends = slices.DeleteFunc(backends, func(id string) bool {
			return !slices.ContainsFunc(now, func(b fleet.Backend) bool { return b.ID == id && b.Routable })
		})
		if len(backends) == 0 {
			return true
		}
		select {
		case <-news:
		case <-late.C:
			return false
		case <-ctx.Done():
			return false
		}
	}
}

// turn waits until the request may go to the model, and picks the backend that it goes to first.
func (g *Gateway) turn(r *http.Request, c *call, q *query, m *routing.Model) (slot admission.Slot, lease routing.Lease, err error) {
	ticket := q.turn
	ticket.Model = m.ID
	ticket.Hold = g.held(c, q, m)
	control := q.endpoint.Control // a server that is busy can be told to sleep, and one that sleeps is not woken by looking at it
	var news <-chan struct{}
	for {
		if !control {
			if slot, err = g.gates.Enter(r.Context(), ticket); err != nil {
				return slot, lease, c.noTurn(r, m, err)
			}
		}
		if lease, ok := g.acquire(q, m, q.except); ok {
			if !control {
				c.queued(slot.Waited)
			}
			return slot, lease, nil
		}
		slot.Leave()
		if now := g.current(m); control || !ticket.Hold || !now.Coming() {
			return slot, lease, c.fail(reasonNoBackend, refusal.Unavailable(now.Model))
		}
		// The model went while the request passed its gate. The gate is shut before a table's news are published, so this is tried
		// once at once, and after that with the news.
		if news != nil {
			select {
			case <-news:
			case <-r.Context().Done():
				return slot, lease, c.ended(r, r.Context().Err())
			}
		}
		news = g.feed.News()
	}
}

// current is the model as the table in force has it, or as it was when it is gone.
func (g *Gateway) current(m *routing.Model) *routing.Model {
	if now, ok := g.router.Table().Resolve(m.ID); ok {
		return now
	}
	return m
}

// backendsOf asks the backends of a model, each at most once, until one has an answer, none is left, or the retries are
// used up.
func (g *Gateway) backendsOf(r *http.Request, c *call, q *query, m *routing.Model, lease routing.Lease) (*try, error) {
	pace := g.paces.Of(m.ID)
	pace.Budget.Request()
	tried := q.except
	for left := g.cfg.Retries; ; left-- {
		t := g.firstOf(r, c, q, m, lease, pace)
		tried = append(tried, t.lease.Backend.ID, t.beside)
		reason := t.retryReason()
		if reason != "" && left > 0 && !q.spent() && g.mayRetry(m, reason) {
			if next, ok := g.acquire(q, m, tried); ok {
				g.metrics.Retries.WithLabelValues(c.metrics().Label, reason).Inc()
				t.close()
				lease = next
				continue
			}
		}
		if t.failed != "" {
			t.close()
			return nil, c.failure(r, q, t)
		}
		return t, nil
	}
}

func (g *Gateway) acquire(q *query, m *routing.Model, tried []string) (routing.Lease, bool) {
	req := routing.Request{Session: q.session, Tried: tried, Random: rand.Uint64()}
	if q.body.JSON != nil && m.NeedsPrefix() {
		req.Prefix = q.body.JSON.Prompt()
	}
	return g.router.Acquire(m.ID, req)
}

// cause says why a request to a backend was ended before its answer, or nil when it was not.
func cause(client, attempt context.Context) error {
	switch why := context.Cause(client); {
	case errors.Is(why, web.ErrStopping):
		return web.ErrStopping
	case errors.Is(why, errDeadline):
		return errDeadline
	case client.Err() != nil:
		return web.ErrClientLeft
	}
	if timeout, ok := errors.AsType[*upstream.TimeoutError](context.Cause(attempt)); ok {
		return timeout
	}
	return nil
}
