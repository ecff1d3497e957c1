package value

import (
	"errors"
	"fmt"
)

// Error is a rendering that failed: by raise_exception, by an undefined value, or by a wrong type. Message is what Python's
// exception says.
type Error struct{ Message string }

// Error is the message.
func (e *Error) Error() string { return e.Message }

// Failf makes an Error.
func Failf(format string, args ...any) error { return &Error{fmt.Sprintf(format, args...)} }

// ErrTooMuch is a rendering that went beyond its bounds.
var ErrTooMuch = errors.New("the chat template takes too long or grows too large")
