package loadtest

import (
	"time"

	"github.com/fluidmcp/fluidmcp/cmd/fluidmcp/loadtest/client"
)

// line is one request in the file of --samples.
type line struct {
	RequestID  string     `json:"request_id"` // as sent in X-Request-Id
	Warmup     bool       `json:"warmup"`
	Scheduled  time.Time  `json:"scheduled_at"` // sent_at in a closed loop
	Sent       time.Time  `json:"sent_at"`
	FirstToken *time.Time `json:"first_token_at"` // null for plain answers
	LastToken  *time.Time `json:"last_token_at"`
	Finished   time.Time  `json:"finished_at"`
	Status     int        `json:"status"`  // 0 without an answer
	Outcome    string     `json:"outcome"` // ok, cut or the kind of failure
	Detail     string     `json:"detail,omitempty"`
	Chunks     int        `json:"chunks"` // events of the stream without [DONE]
	Prompt     int        `json:"prompt_tokens"`
	Output     int        `json:"output_tokens"`
}

func newLine(s *client.Sample, warmup bool) line {
	return line{RequestID: s.ID, Warmup: warmup, Scheduled: s.Scheduled, Sent: s.Sent, FirstToken: orNull(s.First), LastToken: orNull(s.Last),
		Finished: s.Done, Status: s.Status, Outcome: string(s.Outcome), Detail: s.Detail, Chunks: s.Chunks, Prompt: s.PromptTokens, Output: s.OutputTokens}
}

func orNull(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
