// Package report prints what a run gave: as text for a person, as JSON for scripts, as one HTML page to keep.
package report

import (
	"encoding/json"
	"io"
	"time"

	"github.com/fluidmcp/fluidmcp/cmd/fluidmcp/loadtest/expect"
	"github.com/fluidmcp/fluidmcp/cmd/fluidmcp/loadtest/result"
)

// Report is a run with its figures. Its JSON form is what --json prints.
type Report struct {
	Version     string    `json:"fluidmcp_version"`
	Started     time.Time `json:"started_at"`
	Interrupted bool      `json:"interrupted"` // ended before its time
	Run         Run       `json:"run"`
	result.Summary
	Client     Client           `json:"client"`
	Warnings   []string         `json:"warnings"`
	Conditions []expect.Verdict `json:"fail_if"`
}

// Run is what was asked for.
type Run struct {
	Target      string  `json:"target"` // address of the endpoint
	Model       string  `json:"model"`
	Stream      bool    `json:"stream"`
	Loop        string  `json:"loop"`        // closed or open
	Concurrency int     `json:"concurrency"` // requests at a time; 0 is no limit
	Rate        float64 `json:"rate,omitempty"`
	Arrivals    string  `json:"arrivals,omitempty"`
	Requests    int     `json:"requests,omitempty"`
	Duration    string  `json:"duration,omitempty"`
	Warmup      string  `json:"warmup,omitempty"`
	Timeout     string  `json:"timeout"`
	Seed        uint64  `json:"seed"`
	Prompts     string  `json:"prompts"` // a file, or synthetic
	Input       string  `json:"input_tokens,omitempty"`
	Output      string  `json:"output_tokens,omitempty"`
}

// Client is what the load tester itself took, with the warm-up.
type Client struct {
	CPUSeconds          float64              `json:"cpu_seconds"`
	CPUShare            float64              `json:"cpu_share"`      // of the processors it may use, 0 to 1
	CPUPeak             float64              `json:"cpu_share_peak"` // the same of its busiest second
	CPUMicrosPerRequest float64              `json:"cpu_us_per_request"`
	CPUMicrosPerChunk   float64              `json:"cpu_us_per_chunk,omitempty"` // all of its time, divided by the chunks
	Delay               float64              `json:"delay_p99_ms"`               // how late it woke up when it slept
	SendLag             *result.Distribution `json:"send_lag,omitempty"`         // how much later than possible an open loop sent
}

// Failed tells whether a condition of --fail-if was met.
func (r *Report) Failed() bool {
	for _, v := range r.Conditions {
		if v.Failed {
			return true
		}
	}
	return false
}

// JSON writes the report for scripts.
func (r *Report) JSON(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(r)
}
