package gateway

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/fluidmcp/fluidmcp/internal/openai"
	"github.com/fluidmcp/fluidmcp/internal/web"
	"github.com/fluidmcp/fluidmcp/services/gateway/body"
	"github.com/fluidmcp/fluidmcp/services/gateway/endpoint"
	"github.com/fluidmcp/fluidmcp/services/gateway/refusal"
	"github.com/fluidmcp/fluidmcp/services/gateway/routing"
	"github.com/fluidmcp/fluidmcp/services/gateway/scan"
)

// maxFormHead is how much of a form is read to find the model's name in it, 1 MiB, where something else names the model.
const maxFormHead = 1 << 20

// maxTrusted is how much memory a client gets for saying that it will send as much, 64 KiB, and however full the memory is.
const maxTrusted = 64 << 10

// resolve is step 2. It reads the body, as far as needed, and finds the model, unless the path has named it.
func (g *Gateway) resolve(w http.ResponseWriter, r *http.Request, c *call, at endpoint.Endpoint, m *routing.Model) (*query, error) {
	q, err := g.read(w, r, c, at, m)
	if err != nil {
		return nil, err
	}
	if header := q.model.Routing.SessionHeader; header != "" {
		q.session = r.Header.Get(header)
	}
	if at.Control {
		q.except, err = others(q.model, r.Header.Get(backendHeader))
	}
	return q, err
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

func (g *Gateway) read(w http.ResponseWriter, r *http.Request, c *call, at endpoint.Endpoint, m *routing.Model) (*query, error) {
	begin := c.took()
	defer func() { c.waited += c.took() - begin }() // reading takes its time, the rest a few microseconds
	if r.ContentLength > g.cfg.MaxBodyBytes {
		if r.Header.Get("Expect") == "" { // else the client waits for a word, and this would be the wrong one
			_, _ = web.LimitBody(w, r, 0).Read(make([]byte, 1)) // so that the connection stays until the client has the answer
		}
		return nil, refusal.TooLarge(g.cfg.MaxBodyBytes)
	}
	in := io.Reader(r.Body)
	if r.ContentLength < 0 { // else the server gives no more than that
		in = web.LimitBody(w, r, g.cfg.MaxBodyBytes)
	}
	if r.ContentLength < 0 || r.ContentLength > maxTrusted {
		if err := c.enter(w, 0); err != nil { // before its memory is taken
			return nil, err
		}
		c.body = &buffered{in: in, c: c}
		in = c.body
	}
	if len(r.Header["Content-Type"]) > 1 {
		return nil, refusal.BadRequest("invalid_header", "", "The request has more than one Content-Type.")
	}
	switch media := web.MediaType(r.Header); {
	case media == "multipart/form-data" && !at.Control:
		return g.resolveForm(r, in, c, at, m)
	case at.Control, r.ContentLength == 0 && r.Method != http.MethodPost:
		raw, err := g.readBody(r, in)
		if err != nil {
			return nil, err
		}
		m, err := g.modelOf(c, m, "")
		return &query{endpoint: at, model: m, raw: raw}, err
	default:
		other := m != nil && media != "" && media != "application/json" && !strings.HasSuffix(media, "+json")
		return g.resolveJSON(r, in, c, at, m, other)
	}
}

// resolveJSON takes what should be a JSON object. What is none, and what names no model rightly, goes to the model all the same
// where no other can be meant: its server says best what is wrong with it. This does not hold for what the server may read and
// the gateway cannot: that would be a request of which nobody here knows what it asks for. other tells that it says to be something
// else; when it is JSON all the same it is read, because not every server looks at what a body says to be.
func (g *Gateway) resolveJSON(r *http.Request, in io.Reader, c *call, at endpoint.Endpoint, m *routing.Model, other bool) (*query, error) {
	raw, err := g.readBody(r, in)
	if err != nil {
		return nil, err
	}
	q := &query{endpoint: at, raw: raw}
	doc := &q.room
	if err := doc.Parse(raw); err != nil {
		m, unknown := g.modelOf(c, m, "")
		if fault, ok := errors.AsType[*scan.SyntaxError](err); unknown != nil || !ok || fault.Foreign && !other {
			return nil, refusal.BadRequest("invalid_json", "", fmt.Sprintf("The body has to be a JSON object: %v.", err))
		}
		q.model = m
		return q, nil
	}
	if doc.TwoModels {
		return nil, refusal.BadRequest("duplicate_model", "model", "The body has the key model twice. Name one model.")
	}
	unknown, byPath := !g.knows(doc.Model), m != nil
	if m, err = g.modelOf(c, m, doc.Model); err != nil {
		if doc.BadModel {
			return nil, refusal.BadRequest("model_required", "model", "model has to be a string.")
		}
		return nil, err
	}
	q.model, q.doc, q.stream, q.named = m, doc, doc.Stream, doc.RequestID
	q.keepName, q.guess = unknown, unknown && byPath && doc.Model != ""
	q.dropUsage = at.Chat() && doc.Stream && !doc.WantUsage
	return q, nil
}

// resolveForm takes a form with files. Where the path does not name the model it is read until the form has done so.
func (g *Gateway) resolveForm(r *http.Request, in io.Reader, c *call, at endpoint.Endpoint, m *routing.Model) (*query, error) {
	limit := g.cfg.MaxBodyBytes
	if m != nil {
		limit = maxFormHead
	}
	found, err := body.ReadUpload(r.Header.Get("Content-Type"), in, int(limit))
	if err != nil {
		return nil, g.unread(r, err)
	}
	c.body.pass()
	unknown := m == nil && !g.knows(found.Model)
	if m, err = g.modelOf(c, m, found.Model); err != nil {
		return nil, err
	}
	return &query{endpoint: at, model: m, keepName: unknown, form: &form{Upload: found, length: r.ContentLength}}, nil
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

func (g *Gateway) readBody(r *http.Request, in io.Reader) ([]byte, error) {
	if r.ContentLength < 0 {
		var raw bytes.Buffer
		if _, err := raw.ReadFrom(in); err != nil {
			return nil, g.unread(r, err)
		}
		return raw.Bytes(), nil
	}
	var raw []byte
	for n := int(r.ContentLength); len(raw) < n; {
		before := len(raw)
		grown := make([]byte, min(n, max(2*before, maxTrusted)))
		copy(grown, raw)
		if _, err := io.ReadFull(in, grown[before:]); err != nil {
			return nil, g.unread(r, err)
		}
		raw = grown
	}
	return raw, nil
}

// unread says why a body could not be read.
func (g *Gateway) unread(r *http.Request, err error) error {
	if told, ok := errors.AsType[*openai.Error](err); ok {
		return told
	}
	_, tooLarge := errors.AsType[*http.MaxBytesError](err)
	switch {
	case errors.Is(err, body.ErrTwoModels):
		return refusal.BadRequest("duplicate_model", "model", "The form has the field model twice. Name one model.")
	case errors.Is(err, body.ErrForm):
		return refusal.BadRequest("invalid_form", "", fmt.Sprintf("The form cannot be read: %v.", err))
	case tooLarge:
		return refusal.TooLarge(g.cfg.MaxBodyBytes)
	case errors.Is(err, web.ErrStalled):
		return &openai.Error{Status: http.StatusRequestTimeout, Type: openai.TypeTimeout, Code: "body_timeout",
			Message: "The body did not come in time. Send the request again.", Cause: err}
	case r.Context().Err() != nil, errors.Is(err, io.ErrUnexpectedEOF): // who closes the connection is gone
		return clientLeft(fmt.Errorf("read body: %w", err))
	}
	e := refusal.BadRequest("incomplete_body", "", "The body ended before its announced end or is wrongly framed.")
	e.Cause = err
	return e
}
