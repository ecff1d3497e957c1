package gateway

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/fluidmcp/fluidmcp/internal/web"
	"github.com/fluidmcp/fluidmcp/services/gateway/intake"
	"github.com/fluidmcp/fluidmcp/services/gateway/refusal"
	"github.com/fluidmcp/fluidmcp/services/gateway/routing"
	"github.com/fluidmcp/fluidmcp/services/gateway/scan"
)

// resolve is step 2. It reads the body, as far as needed, and finds the model, unless the path has named it: m.
func (g *Gateway) resolve(w http.ResponseWriter, r *http.Request, c *call, q *query, m *routing.Model) error {
	if err := g.read(w, r, c, q, m); err != nil {
		if errors.Is(err, intake.ErrFull) {
			c.reason = reasonOverloaded
		}
		return err
	}
	if header := q.model.Routing.SessionHeader; header != "" {
		q.session = r.Header.Get(header)
	}
	var err error
	if q.endpoint.Control {
		q.except, err = others(q.model, r.Header.Get(backendHeader))
	}
	return err
}

// backendHeader says which of several backends an administrator means.
const backendHeader = "X-Fluidmcp-Backend"

// others are the backends of a model but for the one that is meant. A server's control is not a matter of chance.
func others(m *routing.Model, meant string) ([]string, error) {
	var rest []string
	for _, b := range m.Backends {
		if b.ID != meant {
			rest = append(rest, b.ID)
		}
	}
	switch {
	case len(m.Backends) < 2 && meant == "":
		return nil, nil
	case meant == "" || len(rest) == len(m.Backends):
		return nil, refusal.BadRequest("backend_required", "", fmt.Sprintf("Say which server of the model %q is meant: %s with one of %s.", m.ID, backendHeader, strings.Join(rest, ", ")))
	}
	return rest, nil
}

func (g *Gateway) read(w http.ResponseWriter, r *http.Request, c *call, q *query, m *routing.Model) (err error) {
	begin := c.took()
	defer func() { c.waited += c.took() - begin }() // reading takes its time, the rest a few microseconds
	if err := g.intake.Open(w, r, &q.body); err != nil {
		return err
	}
	if q.body.Large() {
		if err := c.enter(w, 0); err != nil { // before its memory is taken
			return err
		}
	}
	if len(r.Header["Content-Type"]) > 1 {
		return refusal.BadRequest("invalid_header", "", "The request has more than one Content-Type.")
	}
	switch media := web.MediaType(r.Header); {
	case media == "multipart/form-data" && !q.endpoint.Control:
		return g.readForm(c, q, m)
	case q.endpoint.Control, r.ContentLength == 0 && r.Method != http.MethodPost:
		if err := q.body.Read(); err != nil {
			return err
		}
		q.model, err = g.modelOf(c, m, "")
		return err
	default:
		other := m != nil && media != "" && media != "application/json" && !strings.HasSuffix(media, "+json")
		return g.readJSON(c, q, m, other)
	}
}

// readJSON takes what should be a JSON object. What is none, and what names no model rightly, goes to the model all the same
// where no other can be meant: its server says best what is wrong with it. This does not hold for what the server may read and
// the gateway cannot: that would be a request of which nobody here knows what it asks for. other tells that it says to be something
// else; when it is JSON all the same it is read, because not every server looks at what a body says to be.
func (g *Gateway) readJSON(c *call, q *query, m *routing.Model, other bool) (err error) {
	if err := q.body.Read(); err != nil {
		return err
	}
	if err := q.body.Parse(); err != nil {
		m, unknown := g.modelOf(c, m, "")
		if fault, ok := errors.AsType[*scan.SyntaxError](err); unknown != nil || !ok || fault.Foreign && !other {
			return refusal.BadRequest("invalid_json", "", fmt.Sprintf("The body has to be a JSON object: %v.", err))
		}
		q.model = m
		return nil
	}
	doc := q.body.JSON
	if doc.TwoModels {
		return refusal.BadRequest("duplicate_model", "model", "The body has the key model twice. Name one model.")
	}
	unknown, byPath := !g.knows(doc.Model), m != nil
	if q.model, err = g.modelOf(c, m, doc.Model); err != nil {
		if doc.BadModel {
			return refusal.BadRequest("model_required", "model", "model has to be a string.")
		}
		return err
	}
	q.stream, q.named = doc.Stream, doc.RequestID
	q.keepName, q.guess = unknown, unknown && byPath && doc.Model != ""
	q.dropUsage = q.endpoint.Chat() && doc.Stream && !doc.WantUsage
	return nil
}

// readForm takes a form with files. Where the path does not name the model it is read until the form has done so.
func (g *Gateway) readForm(c *call, q *query, m *routing.Model) (err error) {
	if err := q.body.ReadForm(m != nil); err != nil {
		return err
	}
	name := q.body.Form.Model
	q.keepName = m == nil && !g.knows(name)
	q.model, err = g.modelOf(c, m, name)
	return err
}

// modelOf finds the model: the one of the path, else the one with that name, else the only one. A name that is not known here may
// be one that the only model's server gives itself, or that of an adapter which it has loaded.
func (g *Gateway) modelOf(c *call, m *routing.Model, name string) (*routing.Model, error) {
	table := g.router.Table()
	visible := c.visible(table)
	if m == nil && name != "" {
		m, _ = table.Resolve(name)
	}
	switch {
	case m != nil:
	case name != "" && len(table.Models) != 1:
		return nil, refusal.ModelNotFound(name, visible)
	case len(visible) == 1:
		m = visible[0]
	default:
		return nil, refusal.BadRequest("model_required", "model", "The request names no model. "+refusal.Known(visible))
	}
	if !c.mayUse(m) {
		return nil, refusal.ModelNotFound(cmp.Or(name, m.ID), visible)
	}
	c.model = m.ID
	return m, nil
}

// knows tells a name by which a model is declared.
func (g *Gateway) knows(name string) bool {
	_, ok := g.router.Table().Resolve(name)
	return ok
}
