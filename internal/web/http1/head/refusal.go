package head

import "net/http"

// Refusal is a request that no handler gets to see.
type Refusal struct {
	Status  int    // of the answer
	Message string // what is wrong, for the client
}

// Error implements error.
func (r *Refusal) Error() string { return r.Message }

// Refuse makes a Refusal.
func Refuse(status int, message string) error { return &Refusal{status, message} }

// Malformed refuses what is no request.
func Malformed(message string) error { return Refuse(http.StatusBadRequest, message) }

// ErrTooLarge refuses a head over the server's limit.
var ErrTooLarge = Refuse(http.StatusRequestHeaderFieldsTooLarge, "The request's header is too large.")

var errBareLF = Malformed("A line of the header does not end with CRLF.")
