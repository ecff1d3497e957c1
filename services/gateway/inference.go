package gateway

import (
	"net/http"
	"strings"

	"github.com/fluidmcp/fluidmcp/internal/web"
	"github.com/fluidmcp/fluidmcp/services/gateway/routing"
)

// inferByPath answers /llm/{model}/…
func (g *Gateway) inferByPath(w http.ResponseWriter, r *http.Request, c *call) error {
	table := g.router.Table()
	if table == nil {
		return errFleetUnknown()
	}
	m, tail, ok := table.ResolvePath(strings.TrimPrefix(r.URL.Path, "/llm/"))
	if !ok {
		return errModelNotFound(modelPart(r.URL.Path), table)
	}
	c.model = m.ID
	if tail == "models" || tail == "v1/models" {
		return g.listOne(w, r, c, m)
	}
	return g.infer(w, r, c, tail, m)
}

// inferByBody answers /v1/… and /llm/v1/…
func (g *Gateway) inferByBody(w http.ResponseWriter, r *http.Request, c *call) error {
	return g.infer(w, r, c, strings.TrimPrefix(strings.TrimPrefix(r.URL.Path, "/llm"), "/"), nil)
}

// infer walks one request through the gateway. m is the model that the path names, or nil when the body does. Step 6,
// record, is in counted, because it happens whatever becomes of the others.
func (g *Gateway) infer(w http.ResponseWriter, r *http.Request, c *call, tail string, m *routing.Model) error {
	// 2 resolve: which endpoint, which model, which bytes to send
	at, ok := endpointOf(tail)
	if !ok {
		return web.NotFound(w, r)
	}
	c.endpoint = at.label
	if r.Method != http.MethodPost {
		return notAllowed(w, r, http.MethodPost)
	}
	q, err := g.resolve(w, r, c, at, m)
	if err != nil {
		return err
	}

	// 4 attempt: until an answer is at hand, of which nothing was sent yet
	a, err := g.attempt(r, c, q)
	if err != nil {
		return err
	}
	defer a.close()

	// 5 relay: copy it, and end it honestly
	c.answered(a)
	result := a.answer.Send(w)
	c.finished(result)
	if result.Abort {
		web.RecordOf(r.Context()).Err = result.Err
		panic(http.ErrAbortHandler) // the one way to break the connection; net/http expects and swallows it
	}
	return result.Err
}
