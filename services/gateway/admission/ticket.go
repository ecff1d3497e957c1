package admission

import (
	"errors"
	"fmt"
	"time"
)

// Ticket is a request that wants a slot.
type Ticket struct {
	Model    string // id
	Key      string // id of the API key, "" without one; keys of one priority take turns
	Priority int    // higher ones go first
	Hold     bool   // it waits for a model that is coming

	// Tick, when it is not nil, is called every so often while the request waits, by the goroutine that waits.
	Tick  func()
	Every time.Duration
}

// Slot is the right to be at the model's backends. The zero value is nobody's.
type Slot struct {
	Waited time.Duration // for its turn

	gate  *Gate
	since time.Time // zero when there was no limit
}

// Why a request does not get its turn. All are for a 503.
var (
	ErrQueueFull    = errors.New("the queue is full")
	ErrQueueTimeout = errors.New("no turn came within the queue's time")
	ErrShut         = errors.New("the model is not there yet")
)

// QueueError refuses a request that a gate has no slot for.
type QueueError struct {
	Reason     error // ErrQueueFull, ErrQueueTimeout or ErrShut
	Shut       bool  // it would have waited for the model, not for its turn
	Model      string
	Queued     int // how many wait
	Waited     time.Duration
	RetryAfter time.Duration // when a slot is likely, from 1 s to 60 s
}

// Error says what is full.
func (e *QueueError) Error() string {
	return fmt.Sprintf("model %s: %v (%d wait)", e.Model, e.Reason, e.Queued)
}

// Unwrap returns the reason.
func (e *QueueError) Unwrap() error { return e.Reason }
