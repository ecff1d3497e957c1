package gateway

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
	"github.com/fluidmcp/fluidmcp/internal/httpfield"
	"github.com/fluidmcp/fluidmcp/internal/web"
	"github.com/fluidmcp/fluidmcp/services/gateway/endpoint"
	"github.com/fluidmcp/fluidmcp/services/gateway/keys"
	"github.com/fluidmcp/fluidmcp/services/gateway/routing"
)

// permit says whether the request may go to an endpoint.
func (c *call) permit(r *http.Request, at endpoint.Endpoint) error {
	scope := keys.Inference
	if at.Control {
		scope = keys.Admin
		if err := web.CrossOrigin(r); err != nil {
			c.reason = reasonAuth
			return err
		}
	}
	if ownPage(r) { // a program may come by the name of a proxy before the gateway, a page may not
		if err := c.g.doors.OwnHost(r); err != nil {
			c.reason = reasonAuth
			return err
		}
	}
	err := c.g.doors.Permit(c.key, scope)
	if err != nil {
		c.reason = reasonAuth
	}
	return err
}

// ownPage tells a request that a browser sends for a page of the very host that it asks. Of others CORS and web.CrossOrigin decide.
func ownPage(r *http.Request) bool {
	from := httpfield.First(r.Header, "Origin")
	if from == "" { // nearly every request
		return false
	}
	origin, err := url.Parse(from)
	return err == nil && origin.Host != "" && strings.EqualFold(origin.Host, r.Host)
}

// mayUse says whether the request's key is for a model.
func (c *call) mayUse(m *routing.Model) bool { return c.key == nil || c.key.MayUse(m.ID, m.Aliases) }

// visible are the models of which the request's key may know.
func (c *call) visible(t *routing.Table) []*routing.Model {
	if c.key == nil || len(c.key.Models) == 0 {
		return t.Models
	}
	return slices.DeleteFunc(slices.Clone(t.Models), func(m *routing.Model) bool { return !c.mayUse(m) })
}

// administrators guards what is handed to the supervisor, and tells it whose key it was.
func (g *Gateway) administrators(next http.Handler) http.Handler {
	return web.Handler(func(w http.ResponseWriter, r *http.Request) error {
		r.Header.Del(fleet.KeyHeader)
		if err := g.doors.OwnHost(r); err != nil {
			return err
		}
		if g.doors.Locked() {
			key, err := g.doors.Identify(r, time.Now())
			if err != nil {
				return keys.Challenge(w, err)
			}
			if err := g.doors.Permit(key, keys.Admin); err != nil {
				return err
			}
			web.RecordOf(r.Context()).Add(zap.String("key", key.ID))
			r.Header.Set(fleet.KeyHeader, key.ID)
		}
		next.ServeHTTP(w, r)
		return nil
	})
}
