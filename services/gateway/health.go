package gateway

import (
	"errors"
	"net/http"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
	"github.com/fluidmcp/fluidmcp/internal/web"
)

// health says that the process is up, whatever the models do, and sums up the fleet.
func (g *Gateway) health(w http.ResponseWriter, _ *http.Request) error {
	type count struct {
		Ready int `json:"ready"`
		Total int `json:"total"`
	}
	var models count
	if table := g.router.Table(); table != nil {
		models.Total = len(table.Models)
		for _, m := range table.Models {
			if m.Phase == fleet.Ready {
				models.Ready++
			}
		}
	}
	return web.JSON(w, http.StatusOK, struct {
		Status    string `json:"status"`
		Models    count  `json:"models"`
		Connected bool   `json:"supervisor_connected"`
	}{"ok", models, g.feed.Connected()})
}

// ready says whether new traffic should come here.
func (g *Gateway) ready() error {
	if g.stopping.Err() != nil {
		return errors.New("the gateway is shutting down")
	}
	if g.router.Table() == nil {
		return errors.New("the gateway has not heard from the supervisor yet")
	}
	return nil
}
