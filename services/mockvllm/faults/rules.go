package faults

import (
	"encoding"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Set is what PUT /mock/faults and --mock-scenario take.
type Set struct {
	Seed  int64  `json:"seed"`
	Rules []Rule `json:"rules"`
}

// Rule says what to do with which requests. All rules are tried in order; the first error ends the request.
type Rule struct {
	Match Match  `json:"match,omitzero"`
	Do    Action `json:"do"`
}

// Match selects requests. What is not given matches all.
type Match struct {
	Path    string            `json:"path,omitempty"`    // exact; "" is every path that generates
	Model   string            `json:"model,omitempty"`   // that the body names
	Key     string            `json:"key,omitempty"`     // bearer token
	Header  map[string]string `json:"header,omitempty"`  // by name: the exact value, or * for any
	Nth     []int             `json:"nth,omitempty"`     // which of the requests that the fields above match, from 1
	Percent *float64          `json:"percent,omitempty"` // share of those that is hit, 0 to 100; nil is all
	Window  *Window           `json:"window,omitempty"`  // when; nil is always
}

// Window is a time, counted from when the rules were set: from the start for those of a file.
type Window struct {
	At  Duration `json:"at,omitzero"`
	For Duration `json:"for,omitzero"` // 0 is without end
}

// Action is what is done to a request, or to the server as a whole.
type Action struct {
	Delay      Duration `json:"delay,omitzero"`       // wait before the request is looked at
	RateLimit  *Rate    `json:"rate_limit,omitzero"`  // turn away what exceeds it
	Status     int      `json:"status,omitempty"`     // answer with this error
	Message    string   `json:"message,omitempty"`    // of the error; "Model error" unless given
	Body       *string  `json:"body,omitempty"`       // instead of vLLM's envelope
	RetryAfter Duration `json:"retry_after,omitzero"` // goes with the error, in whole seconds

	// A place in an answer is a number of generated tokens: right after so many of a stream. A plain answer has no such
	// place; it is broken in the middle of its body.
	Cut       *int     `json:"cut,omitempty"`       // close the connection (FIN)
	Reset     *int     `json:"reset,omitempty"`     // reset it (RST)
	Stall     *int     `json:"stall,omitempty"`     // send nothing more, with the connection open
	StallFor  Duration `json:"stall_for,omitzero"`  // until then; 0 until the client leaves
	Malformed *int     `json:"malformed,omitempty"` // the next frame ends in its middle; of a plain answer, the body
	Crash     *int     `json:"crash,omitempty"`     // the engine dies, as if it had been killed
	OOM       *int     `json:"oom,omitempty"`       // the engine dies, out of memory

	Trickle     int `json:"trickle,omitempty"`      // bytes a second
	Split       int `json:"split,omitempty"`        // send so many bytes at a time
	Join        int `json:"join,omitempty"`         // send so many frames of a stream at a time
	WrongLength int `json:"wrong_length,omitempty"` // added to the content length of a plain answer

	Refuse   bool   `json:"refuse,omitempty"`   // the port refuses connections
	Shutdown string `json:"shutdown,omitempty"` // what SIGTERM does to requests in flight: Hang
}

// Hang is the value of Action.Shutdown with which requests in flight get no answer any more and keep the server waiting.
const Hang = "hang"

// Rate allows so many requests in any window of time.
type Rate struct {
	Requests int      `json:"requests"`
	Window   Duration `json:"window"`
	Per      string   `json:"per,omitempty"` // PerKey, or "" for all requests together
}

// PerKey counts the requests of each API key for themselves.
const PerKey = "key"

var _ encoding.TextUnmarshaler = (*RateFlag)(nil)

// RateFlag is a Rate in the short form of flags, such as 10/60s. The zero value is no limit.
type RateFlag struct{ Rate }

// UnmarshalText reads the short form.
func (r *RateFlag) UnmarshalText(text []byte) error {
	n, window, ok := strings.Cut(string(text), "/")
	requests, err := strconv.Atoi(n)
	if !ok || err != nil {
		return fmt.Errorf("rate limit %q: write requests/window, such as 10/60s", text)
	}
	d, err := time.ParseDuration(window)
	if err != nil {
		return fmt.Errorf("rate limit %q: %w", text, err)
	}
	if requests < 1 || d <= 0 {
		return errors.New("rate limit: at least one request, and a window of more than 0")
	}
	r.Rate = Rate{Requests: requests, Window: Duration(d)}
	return nil
}

// Duration is a time.Duration that JSON writes as "1m30s".
type Duration time.Duration

// MarshalText writes the Go form.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// onServer tells whether a rule is about the server as a whole and not about requests: it refuses connections, says what
// SIGTERM does, or ends the engine without saying at which request.
func (r Rule) onServer() bool {
	return r.Do.Refuse || r.Do.Shutdown != "" || r.Match.anyRequest() && (r.Do.Crash != nil || r.Do.OOM != nil)
}

func (m Match) anyRequest() bool {
	return m.Path == "" && m.Model == "" && m.Key == "" && m.Header == nil && m.Nth == nil && m.Percent == nil
}
