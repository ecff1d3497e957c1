package report

import (
	"time"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
	"github.com/fluidmcp/fluidmcp/services/supervisor/unit"
)

// Progress is how far a server is with its start, as its log tells.
type Progress struct {
	Stage   string   `json:"stage"`   // in a few words, such as "loading weights"
	Percent *float64 `json:"percent"` // of the stage; null when it is not known
	Message string   `json:"message"` // the line of the log
}

// Failure is why a server failed the last time.
type Failure struct {
	Reason    string    `json:"reason"`
	Message   string    `json:"message"`
	Permanent bool      `json:"permanent"` // another try would not help
	At        time.Time `json:"at"`
	Lines     []string  `json:"lines"` // the last of its log, the oldest first
}

// Condition answers one question about a server.
type Condition struct {
	Type    string    `json:"type"` // Routable, Healthy or Progressing
	Status  bool      `json:"status"`
	Reason  string    `json:"reason"`
	Message string    `json:"message"`
	Since   time.Time `json:"since"`
}

// progress is nil unless the server is starting and its log has told something.
func progress(s unit.State) *Progress {
	if s.Phase != fleet.Starting || s.Progress.Stage == "" {
		return nil
	}
	out := &Progress{Stage: s.Progress.Stage, Message: s.Progress.Message}
	if s.Progress.Percent >= 0 {
		out.Percent = &s.Progress.Percent
	}
	return out
}

// failure is nil when there was none.
func failure(s unit.State) *Failure {
	if s.FailedAt.IsZero() {
		return nil
	}
	return &Failure{Reason: string(s.Failure.Reason), Message: s.Failure.Message, Permanent: s.Failure.Permanent,
		At: s.FailedAt, Lines: append([]string{}, s.Failure.Lines...)}
}

func conditions(s unit.State) []Condition {
	out := make([]Condition, 0, len(s.Conditions))
	for _, c := range s.Conditions {
		out = append(out, Condition{Type: c.Type, Status: c.Status, Reason: string(c.Reason), Message: c.Message, Since: c.Since})
	}
	return out
}
