package scan

import (
	"bytes"
	"encoding/json"
	"fmt"
	"unicode/utf8"
)

// maxDepth is the deepest nesting that is followed, that of encoding/json.
const maxDepth = 10000

// SyntaxError tells what is wrong and where.
type SyntaxError struct {
	Offset  int    // bytes before the fault
	Message string // such as "unexpected character '}'"
	Foreign bool   // another parser may read it: it is nested too deep for this one, or no UTF-8
}

func (e *SyntaxError) Error() string { return fmt.Sprintf("%s at byte %d", e.Message, e.Offset) }

// Member is one member of an object. Start and End delimit its value in the scanned bytes.
type Member struct {
	Key        []byte // without quotes, escapes resolved
	Start, End int
}

// Object visits the members of the object that b consists of, in order, duplicate keys included. It returns the offset
// of the closing brace, or a *SyntaxError for anything but exactly one valid object.
func Object(b []byte, visit func(Member)) (end int, err error) {
	s := scanner{b: b}
	i := s.begin('{', "expected an object")
	if i >= 0 {
		i = s.object(i, 0, visit)
	}
	end = i - 1
	if s.end(i); s.fault != nil {
		return 0, s.fault
	}
	return end, nil
}

// Array visits the elements of the array that b consists of, in order. It returns a *SyntaxError for anything but exactly
// one valid array.
func Array(b []byte, visit func(element []byte)) error {
	s := scanner{b: b}
	i := s.begin('[', "expected an array")
	if i >= 0 {
		i = s.array(i, 0, visit)
	}
	if s.end(i); s.fault != nil {
		return s.fault
	}
	return nil
}

// begin finds the opening bracket of the value.
func (s *scanner) begin(opening byte, expected string) int {
	s.printable = isPrintable(s.b)
	if !s.printable && !utf8.Valid(s.b) {
		s.fault = &SyntaxError{Offset: invalidUTF8(s.b), Message: "invalid UTF-8", Foreign: true}
		return -1
	}
	i := 0
	if bytes.HasPrefix(s.b, []byte("\uFEFF")) {
		i = len("\uFEFF")
	}
	if i = s.space(i); s.peek(i) != opening {
		return s.fail(i, expected)
	}
	return i
}

// end refuses what follows the value.
func (s *scanner) end(i int) {
	if i < 0 {
		return
	}
	if i = s.space(i); i < len(s.b) {
		s.fail(i, "data after the value")
	}
}

func invalidUTF8(b []byte) int {
	for i := 0; i < len(b); {
		r, n := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && n == 1 {
			return i
		}
		i += n
	}
	return len(b)
}

// scanner reads b. Its methods take the offset of what they read, and return that of what follows it, or -1 after a fault.
type scanner struct {
	b         []byte
	printable bool // all of b
	fault     *SyntaxError
}

// peek gives 0 at the end, which no JSON has outside of a string.
func (s *scanner) peek(i int) byte {
	if i < len(s.b) {
		return s.b[i]
	}
	return 0
}

// fail makes an error. JSON has no zero bytes, but text in UTF-16 and UTF-32 is full of them, and Python reads it.
func (s *scanner) fail(i int, message string) int {
	s.fault = &SyntaxError{Offset: i, Message: message, Foreign: message == tooDeep || bytes.IndexByte(s.b, 0) >= 0}
	return -1
}

const tooDeep = "nested too deep"

func (s *scanner) unexpected(i int) int {
	if i >= len(s.b) {
		return s.fail(i, "unexpected end")
	}
	r, _ := utf8.DecodeRune(s.b[i:])
	return s.fail(i, fmt.Sprintf("unexpected character %q", r))
}

func (s *scanner) space(i int) int {
	for i < len(s.b) && s.b[i] <= ' ' && (s.b[i] == ' ' || s.b[i] == '\n' || s.b[i] == '\t' || s.b[i] == '\r') {
		i++
	}
	return i
}

// object stands on the brace. A nil visit skips.
func (s *scanner) object(i, depth int, visit func(Member)) int {
	if depth >= maxDepth {
		return s.fail(i, tooDeep)
	}
	if i = s.space(i + 1); s.peek(i) == '}' {
		return i + 1
	}
	for {
		key := i
		if s.peek(key) != '"' {
			return s.unexpected(key)
		}
		after := s.str(key)
		if after < 0 {
			return -1
		}
		if i = s.space(after); s.peek(i) != ':' {
			return s.unexpected(i)
		}
		start := s.space(i + 1)
		if i = s.value(start, depth+1); i < 0 {
			return -1
		}
		if visit != nil {
			visit(Member{Key: unquote(s.b[key:after]), Start: start, End: i})
		}
		switch i = s.space(i); s.peek(i) {
		case ',':
			i = s.space(i + 1)
		case '}':
			return i + 1
		default:
			return s.unexpected(i)
		}
	}
}

// array stands on the bracket. A nil visit skips.
func (s *scanner) array(i, depth int, visit func(element []byte)) int {
	if depth >= maxDepth {
		return s.fail(i, tooDeep)
	}
	if i = s.space(i + 1); s.peek(i) == ']' {
		return i + 1
	}
	for {
		start := i
		if i = s.value(start, depth+1); i < 0 {
			return -1
		}
		if visit != nil {
			visit(s.b[start:i])
		}
		switch i = s.space(i); s.peek(i) {
		case ',':
			i = s.space(i + 1)
		case ']':
			return i + 1
		default:
			return s.unexpected(i)
		}
	}
}

// unquote takes a valid string literal.
func unquote(literal []byte) []byte {
	if bytes.IndexByte(literal, '\\') < 0 {
		return literal[1 : len(literal)-1]
	}
	text, _ := String(literal)
	return []byte(text)
}

// String returns the text of a string literal and false for any other value. value is one that Object or Array found.
func String(value []byte) (string, bool) {
	if len(value) < 2 || value[0] != '"' {
		return "", false
	}
	if bytes.IndexByte(value, '\\') < 0 {
		return string(value[1 : len(value)-1]), true
	}
	var text string
	err := json.Unmarshal(value, &text)
	return text, err == nil
}
