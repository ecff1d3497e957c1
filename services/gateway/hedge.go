package gateway

import (
	"context"
	"fmt"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/fluidmcp/fluidmcp/services/gateway/retry"
	"github.com/fluidmcp/fluidmcp/services/gateway/routing"
	"github.com/fluidmcp/fluidmcp/services/gateway/upstream"
)

// hedged is the reason of a retry that was begun while the first backend was silent.
const hedged = "hedged"

// firstOf asks one backend and, where the model allows it, a second one when the first takes longer than nearly all answers
// before. The one that answers first counts, the other is given up.
func (g *Gateway) firstOf(r *http.Request, c *call, q *query, m *routing.Model, lease routing.Lease, p *retry.Pace) *try {
	patience, hedge := time.Duration(0), false
	if m.Routing.Hedge && q.body.Form == nil && !q.endpoint.Control {
		patience, hedge = p.Slow(q.stream)
	}
	if !hedge {
		t := g.guarded(r.Context(), r, c, q, m, lease)
		c.waited += t.took
		g.tried(c, q, p, t)
		return t
	}
	asked := time.Now()
	defer func() { c.waited += time.Since(asked) }()
	results := make(chan *try, 2)
	cancels := make(map[string]context.CancelFunc, 2) // by backend
	begin := func(lease routing.Lease) {
		ctx, cancel := context.WithCancel(r.Context())
		cancels[lease.Backend.ID] = cancel
		go func() {
			t := g.guarded(ctx, r, c, q, m, lease)
			t.cancel = cancel
			results <- t
		}()
	}
	begin(lease)
	select {
	case t := <-results:
		g.tried(c, q, p, t)
		return t
	case <-time.After(patience):
	}
	if second, ok := g.secondFor(c, q, m, lease, p); ok {
		begin(second)
	}
	won := <-results
	if len(cancels) > 1 {
		if won.answers() {
			delete(cancels, won.lease.Backend.ID)
			for _, cancel := range cancels {
				cancel()
			}
		}
		lost := <-results
		if !won.answers() && (lost.answers() || won.retryReason() != "") {
			won, lost = lost, won
		}
		g.tried(c, q, p, lost)
		lost.close()
		won.beside = lost.lease.Backend.ID
	}
	g.tried(c, q, p, won)
	return won
}

// guarded is try, and takes a defect of it for a failure that is nobody's but ours: so all that the request holds is given back, and
// the goroutine of a second try does not end the process.
func (g *Gateway) guarded(ctx context.Context, r *http.Request, c *call, q *query, m *routing.Model, lease routing.Lease) (t *try) {
	defer func() {
		if cause := recover(); cause != nil {
			t = &try{lease: lease, failed: defect, err: fmt.Errorf("a defect of the gateway: %v\n%s", cause, debug.Stack())}
		}
	}()
	return g.try(ctx, r, c, q, m, lease)
}

// secondFor finds a backend to ask beside the first, within the budget.
func (g *Gateway) secondFor(c *call, q *query, m *routing.Model, first routing.Lease, p *retry.Pace) (routing.Lease, bool) {
	second, ok := g.acquire(q, m, append([]string{first.Backend.ID}, q.except...))
	switch {
	case !ok:
		return second, false
	case !p.Budget.Take():
		second.Release()
		return second, false
	}
	g.metrics.Retries.WithLabelValues(c.metrics().Label, hedged).Inc()
	return second, true
}

// tried notes what became of a try.
func (g *Gateway) tried(c *call, q *query, p *retry.Pace, t *try) {
	t.report()
	c.tried(t.lease.Backend.ID, t.outcome())
	if t.failed == upstream.Connect || t.failed == upstream.Broken {
		c.dead = append(c.dead, t.lease.Backend.ID)
	}
	if t.outcome() == "ok" && !q.endpoint.Control { // what a server says of itself is said at once
		p.Answered(q.stream, t.took)
	}
}
