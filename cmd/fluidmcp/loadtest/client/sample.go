package client

import "time"

// Sample is one request that was sent, and what came of it.
type Sample struct {
	ID        string    // X-Request-Id
	Scheduled time.Time // when the plan wanted it sent; Sent in a closed loop
	Sent      time.Time // right before it was given to the HTTP client
	First     time.Time // when the first token was read; zero for plain answers and for streams without one
	Last      time.Time // when the last token was read
	Done      time.Time // when the answer was complete or had failed

	Status       int             // 0 without an answer
	Outcome      Outcome         // OK, Cut or the kind of failure
	Detail       string          // of a failure, for a person
	Chunks       int             // events of a stream with data other than [DONE]
	Gaps         []time.Duration // between two chunks that bring text
	PromptTokens int             // as the server reports; 0 when it does not
	OutputTokens int             // as the server reports, else the chunks that bring text
	Reported     bool            // the server reported its usage
}

// Outcome is OK, Cut or a kind of failure.
type Outcome string

// Outcomes. An HTTP status of 300 or more has the kind http_ with its number.
const (
	OK           Outcome = "ok"
	Cut          Outcome = "cut"          // the run was ended; the server has not failed
	Connect      Outcome = "connect"      // no connection was made
	Disconnected Outcome = "disconnected" // the connection broke before an answer
	Timeout      Outcome = "timeout"      // not complete within the time allowed
	Interrupted  Outcome = "interrupted"  // the answer broke off, with an error event or without [DONE]
	BadAnswer    Outcome = "bad_answer"   // complete, but not what the API promises
	ClientLimit  Outcome = "client_limit" // this machine had no port or file descriptor left
)

// Failed tells whether the server, or the way to it, is to blame.
func (o Outcome) Failed() bool { return o != OK && o != Cut }
