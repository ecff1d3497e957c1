package jinja

import (
	"errors"
	"fmt"
)

// SyntaxError is a template that does not parse (TemplateSyntaxError).
type SyntaxError struct {
	Message string
	Line    int
}

// Error is Python's str of the error, which does not name the line.
func (e *SyntaxError) Error() string { return e.Message }

// Error is a rendering that failed: by raise_exception, by an undefined value, or by a wrong type. Message is what Python's
// exception says.
type Error struct{ Message string }

func (e *Error) Error() string { return e.Message }

func failf(format string, args ...any) error { return &Error{fmt.Sprintf(format, args...)} }

// ErrTooMuch is a rendering that went beyond its bounds.
var ErrTooMuch = errors.New("the chat template takes too long or grows too large")

var (
	errBreak    = errors.New("break")
	errContinue = errors.New("continue")
)
