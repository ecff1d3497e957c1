package supervisor

import (
	"time"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
	"github.com/fluidmcp/fluidmcp/services/supervisor/unit"
)

// ProgressStatus is how far a server is with its start, as its log tells.
type ProgressStatus struct {
	Stage   string   `json:"stage"`   // in a few words, such as "loading weights"
	Percent *float64 `json:"percent"` // of the stage; null when it is not known
	Message string   `json:"message"` // the line of the log
}

// FailureStatus is why a server failed the last time.
type FailureStatus struct {
	Reason    string    `json:"reason"`
	Message   string    `json:"message"`
	Permanent bool      `json:"permanent"` // another try would not help
	At        time.Time `json:"at"`
	Lines     []string  `json:"lines"` // the last of its log, the oldest first
}

// ConditionStatus answers one question about a server.
type ConditionStatus struct {
	Type    string    `json:"type"` // Routable, Healthy or Progressing
	Status  bool      `json:"status"`
	Reason  string    `json:"reason"`
	Message string    `json:"message"`
	Since   time.Time `json:"since"`
}

// progress is nil unless the server is starting and its log has told something.
func progress(s unit.State) *ProgressStatus {
	if s.Phase != fleet.Starting || s.Progress.Stage == "" {
		return nil
	}
	out := &ProgressStatus{Stage: s.Progress.Stage, Message: s.Progress.Message}
	if s.Progress.Percent >= 0 {
		out.Percent = &s.Progress.Percent
	}
	return out
}

// failure is nil when there was none.
func failure(s unit.State) *FailureStatus {
	if s.FailedAt.IsZero() {
		return nil
	}
	return &FailureStatus{Reason: string(s.Failure.Reason), Message: s.Failure.Message, Permanent: s.Failure.Permanent,
		At: s.FailedAt, Lines: append([]string{}, s.Failure.Lines...)}
}

func conditions(s unit.State) []ConditionStatus {
	out := make([]ConditionStatus, 0, len(s.Conditions))
	for _, c := range s.Conditions {
		out = append(out, ConditionStatus{Type: c.Type, Status: c.Status, Reason: string(c.Reason), Message: c.Message, Since: c.Since})
	}
	return out
}
