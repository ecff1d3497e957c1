package control

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/engine/clock"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/fastapi"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol"
)

// clockState is what /mock/clock answers.
type clockState struct {
	Virtual bool      `json:"virtual"`
	Now     time.Time `json:"now"`
}

// Clock tells the time of the engine.
func (c *Control) Clock(w http.ResponseWriter, _ *http.Request) {
	fastapi.Reply(w, http.StatusOK, protocol.Marshal(clockState{c.clock.Virtual(), c.clock.Now().UTC()}))
}

// Advance moves the virtual clock, and returns once all that was due by then is done.
func (c *Control) Advance(ctx context.Context, d time.Duration) error {
	manual, ok := c.clock.(*clock.Manual)
	if !ok {
		return errors.New("the clock is the machine's; start with --mock-clock virtual")
	}
	_, err := manual.Advance(ctx, d)
	return err
}

// AdvanceClock answers once all that was due by then is done.
func (c *Control) AdvanceClock(w http.ResponseWriter, r *http.Request) {
	d, err := time.ParseDuration(r.URL.Query().Get("advance"))
	if c.clock.Virtual() && (err != nil || d < 0) {
		fastapi.Refuse(w, protocol.BadRequest("advance: expected a time such as 1h30m"))
		return
	}
	switch err := c.Advance(r.Context(), d); {
	case err == nil:
		c.Clock(w, r)
	case r.Context().Err() == nil: // else the client has left
		fastapi.Refuse(w, protocol.BadRequest("%v", err))
	}
}
