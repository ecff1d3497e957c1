package store

import (
	"encoding/json"
	"time"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
)

// maxMessage bounds the text of an event. It is one sentence; what a server printed is in its log.
const maxMessage = 2 << 10

// Event is one thing that happened to a model server, or to the supervisor itself.
type Event struct {
	Number   uint64      `json:"number"` // grows from event to event, for ever
	At       time.Time   `json:"at"`
	Model    string      `json:"model,omitempty"` // "" for the supervisor itself
	Instance string      `json:"instance,omitempty"`
	From     fleet.Phase `json:"from,omitempty"`  // "" when the supervisor sees the server for the first time
	Phase    fleet.Phase `json:"phase,omitempty"` // since the event
	Reason   string      `json:"reason,omitempty"`
	Message  string      `json:"message,omitempty"` // one sentence for people
	By       string      `json:"by,omitempty"`      // who asked for it, "" when nobody did
	Key      string      `json:"key,omitempty"`     // id of the API key with which it was asked for
	Attempt  int         `json:"attempt,omitempty"` // which start of the server it belongs to, counted over restarts of the supervisor
	PID      int         `json:"pid,omitempty"`
	Exit     *Exit       `json:"exit,omitempty"` // when a server has ended
}

// Exit is how a server ended.
type Exit struct {
	Code   int    `json:"code"`
	Signal string `json:"signal,omitempty"` // that ended it
}

// line is the event as it stands in a file.
func (e Event) line() ([]byte, error) {
	text, err := json.Marshal(e)
	return append(text, '\n'), err
}
