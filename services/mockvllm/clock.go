package mockvllm

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

func (s *Server) getClock(w http.ResponseWriter, _ *http.Request) {
	fastapi.Reply(w, http.StatusOK, protocol.Marshal(clockState{s.clock.Virtual(), s.clock.Now().UTC()}))
}

// Advance moves the virtual clock, and returns once all that was due by then is done.
func (s *Server) Advance(ctx context.Context, d time.Duration) error {
	manual, ok := s.clock.(*clock.Manual)
	if !ok {
		return errors.New("the clock is the machine's; start with --mock-clock virtual")
	}
	_, err := manual.Advance(ctx, d)
	return err
}

// advanceClock answers once all that was due by then is done.
func (s *Server) advanceClock(w http.ResponseWriter, r *http.Request) {
	d, err := time.ParseDuration(r.URL.Query().Get("advance"))
	if s.clock.Virtual() && (err != nil || d < 0) {
		fastapi.Refuse(w, protocol.BadRequest("advance: expected a time such as 1h30m"))
		return
	}
	switch err := s.Advance(r.Context(), d); {
	case err == nil:
		s.getClock(w, r)
	case r.Context().Err() == nil: // else the client has left
		fastapi.Refuse(w, protocol.BadRequest("%v", err))
	}
}
