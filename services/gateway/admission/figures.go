package admission

import (
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// Figure is where a key stands with one limit.
type Figure struct {
	Limit     int           // per minute; 0 means that there is none
	Remaining int           // that can be taken now
	Reset     time.Duration // until all of it can
}

// Figures are those of a key after a request was admitted or refused.
type Figures struct{ Requests, Tokens Figure }

// SetHeaders tells the limits that there are by OpenAI's headers: x-ratelimit-limit-requests, -remaining-requests,
// -reset-requests and the same for tokens. See https://platform.openai.com/docs/guides/rate-limits.
func (f Figures) SetHeaders(h http.Header) {
	f.Requests.set(h, "Requests")
	f.Tokens.set(h, "Tokens")
}

func (f Figure) set(h http.Header, what string) {
	if f.Limit == 0 {
		return
	}
	h["X-Ratelimit-Limit-"+what] = []string{strconv.Itoa(f.Limit)}
	h["X-Ratelimit-Remaining-"+what] = []string{strconv.Itoa(f.Remaining)}
	h["X-Ratelimit-Reset-"+what] = []string{span(f.Reset)}
}

// span writes a time as OpenAI does: 12ms, 9.816s, 6m0s. It rounds up, for who waits that long.
func span(d time.Duration) string {
	return (d + time.Millisecond - 1).Truncate(time.Millisecond).String()
}

// Limit names one that a key has.
type Limit string

// The limits, as metrics name them.
const (
	Requests   Limit = "requests"   // per minute
	Tokens     Limit = "tokens"     // per minute
	Concurrent Limit = "concurrent" // at once
)

// Limits are all of them.
var Limits = []Limit{Requests, Tokens, Concurrent}

// per is what errors call a limit. Programs look for OpenAI's RPM and TPM in them.
func (l Limit) per() string {
	switch l {
	case Requests:
		return "requests per min (RPM)"
	case Tokens:
		return "tokens per min (TPM)"
	}
	return "concurrent requests"
}

// LimitError refuses a request for a limit of its key. It is for a 429 with code rate_limit_exceeded.
type LimitError struct {
	Key        string // id
	Limit      Limit  // the one that takes longest
	Allowed    int
	Used       int
	Requested  int
	RetryAfter time.Duration // after which it fits unless another request takes it; 0 when it never will
}

// Error is a message for the client, worded as OpenAI's so that programs that read those understand it.
func (e *LimitError) Error() string {
	if e.RetryAfter == 0 {
		return fmt.Sprintf("Request too large for API key %s on %s: Limit %d, Requested %d. The input or output tokens must be reduced in order to run successfully.",
			e.Key, e.Limit.per(), e.Allowed, e.Requested)
	}
	return fmt.Sprintf("Rate limit reached for API key %s on %s: Limit %d, Used %d, Requested %d. Please try again in %s.",
		e.Key, e.Limit.per(), e.Allowed, e.Used, e.Requested, span(e.RetryAfter))
}
