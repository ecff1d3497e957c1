package pyjson

import (
	"errors"
	"fmt"
)

// ErrUndecodable is what Python fails on without a word about the syntax: text in no encoding, too deep a nesting (which is an
// ErrTooDeep), an integer that is too long. All have Python's words.
var ErrUndecodable = errors.New("document cannot be decoded")

// ErrTooDeep is a document that is nested deeper than MaxDepth.
var ErrTooDeep = errors.New("document is nested too deep")

// tooDeep is the kind of value with which the nesting became too deep.
type tooDeep string

func (kind tooDeep) Error() string {
	return "maximum recursion depth exceeded while decoding a JSON " + string(kind) + " from a unicode string"
}

func (tooDeep) Is(target error) bool { return target == ErrUndecodable || target == ErrTooDeep }

// longInteger is an integer of so many digits, which is an ErrUndecodable with words.
type longInteger int

func (n longInteger) Error() string {
	return fmt.Sprintf("Exceeds the limit (%d digits) for integer string conversion: value has %d digits; "+
		"use sys.set_int_max_str_digits() to increase the limit", MaxDigits, n)
}

func (longInteger) Is(target error) bool { return target == ErrUndecodable }

// SyntaxError is Python's JSONDecodeError.
type SyntaxError struct {
	Msg          string // "Expecting value"
	Pos          int    // in characters, from 0
	Line, Column int    // from 1
}

// Error is Python's str of the error.
func (e *SyntaxError) Error() string {
	return fmt.Sprintf("%s: line %d column %d (char %d)", e.Msg, e.Line, e.Column, e.Pos)
}
