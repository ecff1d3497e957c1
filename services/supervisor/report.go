package supervisor

import (
	"cmp"
	"time"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
	"github.com/fluidmcp/fluidmcp/services/supervisor/rollout"
	"github.com/fluidmcp/fluidmcp/services/supervisor/spec"
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
	Gateways int        `json:"gateways"` // heard of within five seconds
	File     FileStatus `json:"file"`
}

// FileStatus is the models file for people.
type FileStatus struct {
	Path       string    `json:"path"`
	Loaded     time.Time `json:"loaded"`     // when it was put in force
	Fault      string    `json:"fault"`      // why what stands in it now is not, "" when it is
	Overridden []string  `json:"overridden"` // models that are not as it says, because somebody said otherwise over HTTP
}

// ModelStatus is a model for people and their tools.
type ModelStatus struct {
	ID         string           `json:"id"`
	Aliases    []string         `json:"aliases,omitempty"`
	ServedName string           `json:"served_name"`
	Driver     spec.Driver      `json:"driver"`
	Desired    unit.Desired     `json:"desired"`
	Phase      fleet.Phase      `json:"phase"`
	Reason     string           `json:"reason"`
	Message    string           `json:"message"`
	Since      time.Time        `json:"since"`
	Progress   *ProgressStatus  `json:"progress,omitempty"`   // of the instance that speaks for the model, as Phase
	Restarts   int              `json:"restarts"`             // of all instances, those that people asked for too
	Overridden bool             `json:"overridden,omitempty"` // somebody said over HTTP that it is not to be as its file says
	Rollout    *RolloutStatus   `json:"rollout,omitempty"`    // the present or last one, if there was any
	Instances  []InstanceStatus `json:"instances"`
}

// RolloutStatus is how far the servers of a model are replaced.
type RolloutStatus struct {
	State   rollout.State `json:"state"`
	Reason  string        `json:"reason"` // Requested or Reconfigured
	Done    int           `json:"done"`   // servers that are replaced and ready
	Total   int           `json:"total"`
	Message string        `json:"message"` // what it does or waits for, or why it ended
	Since   time.Time     `json:"since"`
	Ended   *time.Time    `json:"ended,omitempty"`
}

// InstanceStatus is one model server.
type InstanceStatus struct {
	ID          string            `json:"id"`
	URL         string            `json:"url"` // as the file says
	PID         int               `json:"pid,omitempty"`
	Phase       fleet.Phase       `json:"phase"`
	Reason      string            `json:"reason"`
	Message     string            `json:"message"`
	Asleep      bool              `json:"asleep,omitempty"` // it is stopped, but its process lives and will be woken
	Since       time.Time         `json:"since"`
	Progress    *ProgressStatus   `json:"progress,omitempty"`
	Conditions  []ConditionStatus `json:"conditions"`
	Restarts    int               `json:"restarts"`
	LastExit    *ExitStatus       `json:"last_exit,omitempty"`
	LastFailure *FailureStatus    `json:"last_failure,omitempty"`

	Container string `json:"container,omitempty"` // name
}

// ExitStatus is how a process ended.
type ExitStatus struct {
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

// report describes the model. The board is locked.
func (m *model) report() ModelStatus {
	first := m.foremost()
	out := ModelStatus{
		ID: m.ID, Aliases: m.Aliases, ServedName: m.ServedName, Driver: m.Driver,
		Desired: first.Desired, Phase: first.Phase, Reason: string(first.Reason), Message: message(first.State), Since: first.Since,
		Progress: progress(first.State), Overridden: m.overridden, Instances: make([]InstanceStatus, 0, len(m.instances)),
	}
	for _, i := range m.instances {
		out.Restarts += i.status.Restarts()
		out.Instances = append(out.Instances, i.report())
	}
	return out
}

// report describes the instance. The board is locked.
func (i *instance) report() InstanceStatus {
	now := i.visible()
	out := InstanceStatus{
		ID: i.ID, URL: i.URL, Container: i.Container, PID: now.PID, Phase: now.Phase, Reason: string(now.Reason), Message: message(now.State), Asleep: now.Asleep, Since: now.Since,
		Progress: progress(now.State), Conditions: conditions(now.State), Restarts: now.Restarts(), LastFailure: failure(now.State),
	}
	if exit := now.LastExit; !exit.At.IsZero() && !now.Policy.Remote {
		out.LastExit = &ExitStatus{Code: exit.Code, Signal: exit.Signal, At: exit.At}
	}
	return out
}

// visible is the status for people, who may ask before the unit has said anything: while it looks whether its server runs already. The
// board is locked.
func (i *instance) visible() unit.Status {
	now := i.status
	now.Phase, now.Desired = cmp.Or(now.Phase, fleet.Pending), cmp.Or(now.Desired, unit.Running)
	return now
}

// rollout describes the present or last rollout of a model, nil when there was none.
func (s *Supervisor) rollout(id string) *RolloutStatus {
	now, ok := s.rollouts.Status(id)
	if !ok {
		return nil
	}
	out := &RolloutStatus{State: now.State, Reason: string(now.Why), Done: now.Done, Total: now.Total, Message: now.Message, Since: now.Begun}
	if !now.Ended.IsZero() {
		out.Ended = &now.Ended
	}
	return out
}
