package gateway

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"time"

	"github.com/fluidmcp/fluidmcp/internal/openai"
	"github.com/fluidmcp/fluidmcp/internal/web"
	"github.com/fluidmcp/fluidmcp/services/gateway/body"
	"github.com/fluidmcp/fluidmcp/services/gateway/routing"
)

// query is a request that is ready to be sent.
type query struct {
	endpoint  endpoint
	model     *routing.Model
	body      []byte
	dropUsage bool // usage was asked for by us, not by the client
}

// resolve reads the body and finds the model, unless the path has named it.
func (g *Gateway) resolve(w http.ResponseWriter, r *http.Request, c *call, at endpoint, m *routing.Model) (*query, error) {
	begin := time.Now()
	raw, err := g.readBody(w, r)
	c.waited += time.Since(begin)
	if err != nil {
		return nil, err
	}
	if m != nil && !isJSON(r) { // an upload, or for the server to refuse
		return &query{endpoint: at, model: m, body: raw}, nil
	}
	doc, err := body.Parse(raw)
	if err != nil {
		return nil, &openai.Error{Status: http.StatusBadRequest, Type: openai.TypeInvalidRequest, Code: "invalid_json",
			Message: fmt.Sprintf("The body has to be a JSON object: %v.", err)}
	}
	if m == nil {
		if m, err = g.modelOf(doc); err != nil {
			return nil, err
		}
		c.model = m.ID
	}
	return &query{endpoint: at, model: m, body: doc.Rewrite(m.ServedName, at.chat()),
		dropUsage: at.chat() && doc.Stream && !doc.WantUsage}, nil
}

// modelOf finds the model that the body names.
func (g *Gateway) modelOf(doc *body.Document) (*routing.Model, error) {
	table := g.router.Table()
	switch {
	case table == nil:
		return nil, errFleetUnknown()
	case doc.BadModel:
		return nil, &openai.Error{Status: http.StatusBadRequest, Type: openai.TypeInvalidRequest, Code: "model_required", Param: "model",
			Message: "model has to be a string. " + known(table)}
	case doc.Model == "":
		return nil, &openai.Error{Status: http.StatusBadRequest, Type: openai.TypeInvalidRequest, Code: "model_required", Param: "model",
			Message: "The body names no model. " + known(table)}
	}
	m, ok := table.Resolve(doc.Model)
	if !ok {
		return nil, errModelNotFound(doc.Model, table)
	}
	return m, nil
}

func (g *Gateway) readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if r.ContentLength > g.cfg.MaxBodyBytes {
		_, _ = web.LimitBody(w, r, 0).Read(make([]byte, 1)) // so that the connection stays until the client has the answer
		return nil, errTooLarge(g.cfg.MaxBodyBytes)
	}
	raw, err := io.ReadAll(web.LimitBody(w, r, g.cfg.MaxBodyBytes))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, errTooLarge(g.cfg.MaxBodyBytes)
	case err != nil && r.Context().Err() != nil:
		return nil, clientLeft(fmt.Errorf("read body: %w", err))
	case err != nil:
		return nil, &openai.Error{Status: http.StatusBadRequest, Type: openai.TypeInvalidRequest, Code: "incomplete_body",
			Message: "The body ended before its announced end or is wrongly framed.", Cause: err}
	}
	return raw, nil
}

func isJSON(r *http.Request) bool {
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return err == nil && media == "application/json"
}
