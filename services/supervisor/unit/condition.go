package unit

import (
	"time"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
)

// Condition answers one question about a unit.
type Condition struct {
	Type    string // the question
	Status  bool   // the answer
	Reason  Reason // of the answer, "" when it explains itself
	Message string // one sentence for people
	Since   time.Time
}

// Conditions are the answers to
//
//	Routable     may new requests go to the server?
//	Healthy      did it answer its last health check?
//	Progressing  is something on its way that will change the phase without anybody doing anything?
type Conditions [3]Condition

// observe brings the conditions up to date.
func (s State) observe(at time.Time) State {
	now := Conditions{
		{Type: "Routable", Status: s.Routable(), Reason: s.Reason, Message: s.Message},
		{Type: "Healthy", Status: s.Phase == fleet.Ready && s.ailment == "", Message: s.ailment},
		{Type: "Progressing", Status: s.progressing(), Reason: s.Reason, Message: s.Message},
	}
	for i, before := range s.Conditions {
		now[i].Since = at
		if before.Status == now[i].Status && !before.Since.IsZero() {
			now[i].Since = before.Since
		}
	}
	s.Conditions = now
	return s
}

func (s State) progressing() bool {
	switch s.Phase {
	case fleet.Pending, fleet.Starting, fleet.Draining, fleet.Stopping, fleet.Backoff:
		return true
	}
	return s.dying != ""
}
