package gateway

import (
	"net/http"
	"slices"
	"strings"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
	"github.com/fluidmcp/fluidmcp/internal/web"
	"github.com/fluidmcp/fluidmcp/services/gateway/refusal"
	"github.com/fluidmcp/fluidmcp/services/gateway/routing"
)

// card is a model in the lists of the OpenAI API. Unless Config.ListLoading is off every declared model is listed, also one
// that cannot answer now: phase tells clients that look, and a request to it gets a 503 that explains. One that a request would
// start is always listed.
type card struct {
	ID      string      `json:"id"`
	Object  string      `json:"object"`
	Created int64       `json:"created"` // when this gateway was made, in Unix seconds
	OwnedBy string      `json:"owned_by"`
	Root    string      `json:"root"` // the name that the model server uses
	Aliases []string    `json:"aliases,omitempty"`
	Phase   fleet.Phase `json:"phase"`
}

func (g *Gateway) card(m *routing.Model) card {
	root := m.ServedName
	if root == "" {
		root = m.ID
	}
	return card{ID: m.ID, Object: "model", Created: g.started.Unix(), OwnedBy: "fluidmcp", Root: root, Aliases: m.Aliases, Phase: m.Phase}
}

// listModels answers /v1/models with all models.
func (g *Gateway) listModels(w http.ResponseWriter, r *http.Request, c *call) error {
	c.endpoint = "models"
	table := g.router.Table()
	if table == nil {
		return refusal.FleetUnknown()
	}
	models := c.visible(table)
	if !g.cfg.ListLoading {
		models = slices.DeleteFunc(slices.Clone(models), func(m *routing.Model) bool { return !m.Routable() && !(m.OnDemand && m.Coming()) })
	}
	return g.list(w, r, models...)
}

// listOne answers /llm/{model}/v1/models with just that one.
func (g *Gateway) listOne(w http.ResponseWriter, r *http.Request, c *call, m *routing.Model) error {
	c.endpoint = "models"
	return g.list(w, r, m)
}

// showModel answers /v1/models/{model}.
func (g *Gateway) showModel(w http.ResponseWriter, r *http.Request, c *call) error {
	c.endpoint = "models"
	table := g.router.Table()
	if table == nil {
		return refusal.FleetUnknown()
	}
	_, name, _ := strings.Cut(r.URL.Path, "/v1/models/")
	m, ok := table.Resolve(name)
	if !ok || !c.mayUse(m) {
		return refusal.ModelNotFound(name, c.visible(table))
	}
	c.model = m.ID
	if !isGet(r) {
		return notAllowed(w, r, http.MethodGet, http.MethodHead)
	}
	return web.JSON(w, http.StatusOK, g.card(m))
}

func (g *Gateway) list(w http.ResponseWriter, r *http.Request, models ...*routing.Model) error {
	if !isGet(r) {
		return notAllowed(w, r, http.MethodGet, http.MethodHead)
	}
	cards := make([]card, 0, len(models))
	for _, m := range models {
		cards = append(cards, g.card(m))
	}
	return web.JSON(w, http.StatusOK, struct {
		Object string `json:"object"`
		Data   []card `json:"data"`
	}{"list", cards})
}

func isGet(r *http.Request) bool { return r.Method == http.MethodGet || r.Method == http.MethodHead }
