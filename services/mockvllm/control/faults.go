package control

import (
	"net/http"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/fastapi"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/faults"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol"
)

// Faults tells the rules that are set.
func (c *Control) Faults(w http.ResponseWriter, _ *http.Request) {
	fastapi.Reply(w, http.StatusOK, protocol.Marshal(c.life.Faults.Get()))
}

// PutFaults replaces all rules.
func (c *Control) PutFaults(w http.ResponseWriter, r *http.Request) {
	body, ok := fastapi.ReadBody(w, r)
	if !ok {
		return
	}
	set, err := faults.Parse(body)
	if err != nil {
		fastapi.Refuse(w, protocol.BadRequest("%v", err))
		return
	}
	c.life.SetFaults(set)
	c.Faults(w, r)
}

// DeleteFaults takes all rules away.
func (c *Control) DeleteFaults(w http.ResponseWriter, _ *http.Request) {
	c.life.SetFaults(faults.Set{})
	w.WriteHeader(http.StatusNoContent)
}
