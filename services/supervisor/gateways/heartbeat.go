package gateways

import (
	"encoding/json"
	"net/http"

	"github.com/gorilla/mux"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
	"github.com/fluidmcp/fluidmcp/internal/openai"
	"github.com/fluidmcp/fluidmcp/internal/web"
)

// maxHeartbeat bounds a heartbeat's body. A thousand backends and models take a tenth of it.
const maxHeartbeat = 1 << 20

// Heartbeat answers POST /v1/gateways/{id}/heartbeat.
func (g *Gateways) Heartbeat(w http.ResponseWriter, r *http.Request) error {
	var hb fleet.Heartbeat
	if err := json.NewDecoder(web.LimitBody(w, r, maxHeartbeat)).Decode(&hb); err != nil {
		return &openai.Error{Status: http.StatusBadRequest, Type: openai.TypeInvalidRequest, Code: "invalid_heartbeat",
			Message: "The body is not a heartbeat.", Cause: err}
	}
	g.Beat(mux.Vars(r)["id"], hb)
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// Leave answers DELETE /v1/gateways/{id}.
func (g *Gateways) Leave(w http.ResponseWriter, r *http.Request) error {
	g.leave(mux.Vars(r)["id"])
	w.WriteHeader(http.StatusNoContent)
	return nil
}
