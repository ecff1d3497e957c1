package report

import (
	"time"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
	"github.com/fluidmcp/fluidmcp/services/supervisor/board"
	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest"
	"github.com/fluidmcp/fluidmcp/services/supervisor/rollout"
	"github.com/fluidmcp/fluidmcp/services/supervisor/unit"
)

// Overview is the answer to GET /api/llm/status.
type Overview struct {
	Status   string `json:"status"` // "ok", or "degraded" when a model that should run is not ready
	Epoch    string `json:"epoch"`
	Revision uint64 `json:"revision"`
	Models   struct {
		Ready int `json:"ready"`
		Total int `json:"total"`
	} `json:"models"`
	Gateways int  `json:"gateways"` // heard of within five seconds
	File     File `json:"file"`
}

// File is the models file for people.
type File struct {
	Path       string    `json:"path"`
	Loaded     time.Time `json:"loaded"`     // when it was put in force
	Fault      string    `json:"fault"`      // why what stands in it now is not, "" when it is
	Overridden []string  `json:"overridden"` // models that are not as it says, because somebody said otherwise over HTTP
}

// Model is a model for people and their tools.
type Model struct {
	ID         string          `json:"id"`
	Aliases    []string        `json:"aliases,omitempty"`
	ServedName string          `json:"served_name"`
	Driver     manifest.Driver `json:"driver"`
	Desired    unit.Desired    `json:"desired"`
	Phase      fleet.Phase     `json:"phase"`
	Reason     string          `json:"reason"`
	Message    string          `json:"message"`
	Since      time.Time       `json:"since"`
	Progress   *Progress       `json:"progress,omitempty"`   // of the instance that speaks for the model, as Phase
	Restarts   int             `json:"restarts"`             // of all instances, those that people asked for too
	Overridden bool            `json:"overridden,omitempty"` // somebody said over HTTP that it is not to be as its file says
	Rollout    *Rollout        `json:"rollout,omitempty"`    // the present or last one, if there was any
	Instances  []Instance      `json:"instances"`
}

// Rollout is how far the servers of a model are replaced.
type Rollout struct {
	State   rollout.State `json:"state"`
	Reason  string        `json:"reason"` // Requested or Reconfigured
	Done    int           `json:"done"`   // servers that are replaced and ready
	Total   int           `json:"total"`
	Message string        `json:"message"` // what it does or waits for, or why it ended
	Since   time.Time     `json:"since"`
	Ended   *time.Time    `json:"ended,omitempty"`
}

// Instance is one model server.
type Instance struct {
	ID          string      `json:"id"`
	URL         string      `json:"url"` // as the file says
	PID         int         `json:"pid,omitempty"`
	Phase       fleet.Phase `json:"phase"`
	Reason      string      `json:"reason"`
	Message     string      `json:"message"`
	Outdated    string      `json:"outdated,omitempty"` // why it runs with the command that the file had before
	Asleep      bool        `json:"asleep,omitempty"`   // it is stopped, but its process lives and will be woken
	Since       time.Time   `json:"since"`
	Progress    *Progress   `json:"progress,omitempty"`
	Conditions  []Condition `json:"conditions"`
	Restarts    int         `json:"restarts"`
	LastExit    *Exit       `json:"last_exit,omitempty"`
	LastFailure *Failure    `json:"last_failure,omitempty"`

	Container string `json:"container,omitempty"` // name
}

// Exit is how a process ended.
type Exit struct {
	Code   int       `json:"code"`
	Signal string    `json:"signal"` // "" for an exit of its own
	At     time.Time `json:"at"`
}

// HealthCheck is the answer to POST /api/llm/models/{id}/health-check.
type HealthCheck struct {
	Model     string           `json:"model"`
	Healthy   bool             `json:"healthy"` // all instances are
	Instances []InstanceHealth `json:"instances"`
}

// InstanceHealth is what one model server said.
type InstanceHealth struct {
	ID        string  `json:"id"`
	URL       string  `json:"url"`
	Healthy   bool    `json:"healthy"`
	Status    int     `json:"status"` // of HTTP; 0 without an answer
	LatencyMS float64 `json:"latency_ms"`
	Error     string  `json:"error"`
}

// Of describes a model. The board is locked.
func Of(m *board.Model) Model {
	first := m.Foremost()
	out := Model{
		ID: m.ID, Aliases: m.Aliases, ServedName: m.ServedName, Driver: m.Driver,
		Desired: first.Desired, Phase: first.Phase, Reason: string(first.Reason), Message: board.Message(first.State), Since: first.Since,
		Progress: progress(first.State), Overridden: m.Overridden, Instances: make([]Instance, 0, len(m.Servers)),
	}
	for _, i := range m.Servers {
		out.Restarts += i.Status.Restarts
		out.Instances = append(out.Instances, instance(i))
	}
	return out
}

// instance describes a server. The board is locked.
func instance(i *board.Instance) Instance {
	now := i.Visible()
	out := Instance{
		ID: i.ID, URL: i.URL, Container: i.Container, PID: now.PID, Phase: now.Phase, Reason: string(now.Reason), Message: board.Message(now.State), Outdated: i.Outdated, Asleep: now.Asleep, Since: now.Since,
		Progress: progress(now.State), Conditions: conditions(now.State), Restarts: now.Restarts, LastFailure: failure(now.State),
	}
	if exit := now.LastExit; !exit.At.IsZero() && !now.Policy.Remote {
		out.LastExit = &Exit{Code: exit.Code, Signal: exit.Signal, At: exit.At}
	}
	return out
}

// OfRollout describes the present or last rollout of a model.
func OfRollout(now rollout.Status) *Rollout {
	out := &Rollout{State: now.State, Reason: string(now.Why), Done: now.Done, Total: now.Total, Message: now.Message, Since: now.Begun}
	if !now.Ended.IsZero() {
		out.Ended = &now.Ended
	}
	return out
}
