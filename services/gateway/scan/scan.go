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
	s, err := begin(b, '{', "expected an object")
	if err == nil {
		err = s.object(0, visit)
	}
	if err == nil {
		err = s.end()
	}
	return s.closing, err
}

// Array visits the elements of the array that b consists of, in order. It returns a *SyntaxError for anything but exactly
// one valid array.
func Array(b []byte, visit func(element []byte)) error {
	s, err := begin(b, '[', "expected an array")
	if err == nil {
		err = s.array(0, visit)
	}
	if err == nil {
		err = s.end()
	}
	return err
}

// begin stands on the opening bracket of a value.
func begin(b []byte, opening byte, expected string) (scanner, error) {
	s := scanner{b: b}
	if !utf8.Valid(b) {
		return s, &SyntaxError{Offset: invalidUTF8(b), Message: "invalid UTF-8", Foreign: true}
	}
	if bytes.HasPrefix(b, []byte("\uFEFF")) {
		s.pos = len("\uFEFF")
	}
	s.space()
	if s.peek() != opening {
		return s, s.fail(expected)
	}
	return s, nil
}

// end stands after a value, and refuses what follows it.
func (s *scanner) end() error {
	closing := s.pos - 1
	s.space()
	if s.pos < len(s.b) {
		return s.fail("data after the value")
	}
	s.closing = closing
	return nil
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

// scanner is the position in the bytes. peek gives 0 at their end, which no JSON has outside of a string.
type scanner struct {
	b       []byte
	pos     int
	closing int // of the whole value, once that was read
}

func (s *scanner) peek() byte {
	if s.pos < len(s.b) {
		return s.b[s.pos]
	}
	return 0
}

// fail makes an error. JSON has no zero bytes, but text in UTF-16 and UTF-32 is full of them, and Python reads it.
func (s *scanner) fail(message string) error {
	return &SyntaxError{Offset: s.pos, Message: message, Foreign: message == tooDeep || bytes.IndexByte(s.b, 0) >= 0}
}

const tooDeep = "nested too deep"

func (s *scanner) unexpected() error {
	if s.pos >= len(s.b) {
		return s.fail("unexpected end")
	}
	r, _ := utf8.DecodeRune(s.b[s.pos:])
	return s.fail(fmt.Sprintf("unexpected character %q", r))
}

func (s *scanner) space() {
	for s.pos < len(s.b) && (s.b[s.pos] == ' ' || s.b[s.pos] == '\n' || s.b[s.pos] == '\t' || s.b[s.pos] == '\r') {
		s.pos++
	}
}

// object stands on the brace. A nil visit skips.
func (s *scanner) object(depth int, visit func(Member)) error {
	more, err := s.open(depth, '}')
	for more && err == nil {
		var m Member
		if m, err = s.member(depth); err != nil {
			return err
		}
		if visit != nil {
			m.Key = unquote(m.Key)
			visit(m)
		}
		more, err = s.next('}')
	}
	return err
}

// member stands on a key and reads it, with its quotes, and the value.
func (s *scanner) member(depth int) (Member, error) {
	from := s.pos
	if s.peek() != '"' {
		return Member{}, s.unexpected()
	}
	if err := s.str(); err != nil {
		return Member{}, err
	}
	key := s.b[from:s.pos]
	s.space()
	if s.peek() != ':' {
		return Member{}, s.unexpected()
	}
	s.pos++
	s.space()
	start := s.pos
	err := s.value(depth + 1)
	return Member{Key: key, Start: start, End: s.pos}, err
}

// array stands on the bracket. A nil visit skips.
func (s *scanner) array(depth int, visit func(element []byte)) error {
	more, err := s.open(depth, ']')
	for more && err == nil {
		start := s.pos
		if err = s.value(depth + 1); err != nil {
			return err
		}
		if visit != nil {
			visit(s.b[start:s.pos])
		}
		more, err = s.next(']')
	}
	return err
}

// open steps over an opening bracket and tells whether something stands before the closing one.
func (s *scanner) open(depth int, closing byte) (more bool, err error) {
	if depth >= maxDepth {
		return false, s.fail(tooDeep)
	}
	s.pos++
	s.space()
	if s.peek() == closing {
		s.pos++
		return false, nil
	}
	return true, nil
}

// next steps over what stands between two elements and tells whether another comes.
func (s *scanner) next(closing byte) (more bool, err error) {
	s.space()
	switch s.peek() {
	case ',':
		s.pos++
		s.space()
		return true, nil
	case closing:
		s.pos++
		return false, nil
	}
	return false, s.unexpected()
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
