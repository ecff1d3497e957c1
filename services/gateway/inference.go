package gateway

import (
	"net/http"
	"strings"

	"github.com/fluidmcp/fluidmcp/internal/web"
	"github.com/fluidmcp/fluidmcp/services/gateway/endpoint"
	"github.com/fluidmcp/fluidmcp/services/gateway/refusal"
	"github.com/fluidmcp/fluidmcp/services/gateway/routing"
)

// inferByPath answers /llm/{model}/…
func (g *Gateway) inferByPath(w http.ResponseWriter, r *http.Request, c *call) error {
	table := g.router.Table()
	if table == nil {
		return refusal.FleetUnknown()
	}
	m, tail, ok := table.ResolvePath(strings.TrimPrefix(r.URL.Path, "/llm/"))
	if !ok || !c.mayUse(m) {
		return refusal.ModelNotFound(endpoint.ModelPart(r.URL.Path), c.visible(table))
	}
	c.model = m.ID
	if tail == "models" || tail == "v1/models" {
		return g.listOne(w, r, c, m)
	}
	return g.infer(w, r, c, tail, m)
}

// inferByBody answers /v1/…, /llm/v1/… and what model servers have outside of v1.
func (g *Gateway) inferByBody(w http.ResponseWriter, r *http.Request, c *call) error {
	if g.router.Table() == nil {
		return refusal.FleetUnknown()
	}
	return g.infer(w, r, c, strings.TrimPrefix(strings.TrimPrefix(r.URL.Path, "/llm/"), "/"), nil)
}

// inferElsewhere answers every path that the gateway itself does not have. Model servers have some endpoints outside of v1, such
// as /tokenize; and where one model is all there is, the gateway's root is that model's.
func (g *Gateway) inferElsewhere(w http.ResponseWriter, r *http.Request, c *call) error {
	table := g.router.Table()
	if !endpoint.Of(strings.TrimPrefix(r.URL.Path, "/")).Known && (table == nil || len(table.Models) != 1) {
		return web.NotFound(w, r)
	}
	return g.inferByBody(w, r, c)
}

// infer walks one request through the gateway. m is the model that the path names, or nil when the body does. Step 6,
// record, is in counted, because it happens whatever becomes of the others.
func (g *Gateway) infer(w http.ResponseWriter, r *http.Request, c *call, tail string, m *routing.Model) error {
	// 2 resolve: which endpoint, which model, which bytes to send
	at := endpoint.Of(tail)
	c.endpoint = at.Label
	if r.Method == http.MethodTrace { // it would tell what proxies add to a request (RFC 9110, 9.3.8)
		return notAllowed(w, r, http.MethodPost)
	}
	if at.Known && r.Method != http.MethodPost && m == nil && len(c.visible(g.router.Table())) != 1 {
		return notAllowed(w, r, http.MethodPost) // where one model is meant, its server says so
	}
	if err := c.permit(r, at); err != nil {
		return err
	}
	defer func() { c.lease.Release(c.used()) }()
	q := &query{endpoint: at}
	defer q.body.Release()
	if err := g.resolve(w, r, c, q, m); err != nil {
		return err
	}

	// 3 admit: within the limits of the key
	if err := g.admit(w, r, c, q); err != nil {
		return err
	}

	// 4 attempt: in its turn at the model, until an answer is at hand of which nothing was sent yet
	a, err := g.attempt(w, r, c, q)
	if err != nil {
		return c.late(w, q, err)
	}
	defer a.close()

	// 5 relay: copy it, and end it honestly
	c.answered(a)
	result := a.answer.Send(w, c.waiting.Begun())
	c.finished(result)
	if result.Abort {
		web.RecordOf(r.Context()).Err = result.Err
		panic(http.ErrAbortHandler) // the one way to break the connection; net/http expects and swallows it
	}
	return result.Err
}
