package protocol

import (
	"bytes"
	"errors"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Values of a decoded document: nil, bool, number, string, []any and object.
type (
	number string         // as written; NaN, Infinity and -Infinity too
	object map[string]any // the last of equal keys wins
)

// maxDepth is the nesting at which Python gives up (its recursion limit).
const maxDepth = 990

// errUndecodable is what Python cannot read at all: invalid UTF-8 or too deep a nesting.
var errUndecodable = errors.New("body cannot be decoded")

// syntaxError carries Python's message, and the byte at which the text went wrong.
type syntaxError struct {
	msg string
	at  int
}

func (e *syntaxError) Error() string { return e.msg + " at byte " + strconv.Itoa(e.at) }

// chars is the position in characters, as Python counts.
func (e *syntaxError) chars(text []byte) int { return utf8.RuneCount(text[:min(e.at, len(text))]) }

// decodeJSON reads one document.
func decodeJSON(text []byte) (any, error) {
	if !utf8.Valid(text) {
		return nil, errUndecodable
	}
	p := parser{text: text}
	p.space()
	v, err := p.value(0)
	if err != nil {
		return nil, err
	}
	p.space()
	if p.at < len(text) {
		return nil, p.fail("Extra data", p.at)
	}
	return v, nil
}

type parser struct {
	text []byte
	at   int
}

func (p *parser) fail(msg string, at int) error { return &syntaxError{msg, at} }

func (p *parser) space() {
	for p.at < len(p.text) && strings.IndexByte(" \t\r\n", p.text[p.at]) >= 0 {
		p.at++
	}
}

// peek returns the next byte, 0 at the end.
func (p *parser) peek() byte {
	if p.at == len(p.text) {
		return 0
	}
	return p.text[p.at]
}

var literals = []struct {
	text  string
	value any
}{
	{"null", nil}, {"true", true}, {"false", false},
	{"NaN", number("NaN")}, {"Infinity", number("Infinity")}, {"-Infinity", number("-Infinity")},
}

func (p *parser) value(depth int) (any, error) {
	if depth > maxDepth {
		return nil, errUndecodable
	}
	switch p.peek() {
	case '{':
		return p.object(depth)
	case '[':
		return p.array(depth)
	case '"':
		return p.string()
	}
	for _, l := range literals {
		if bytes.HasPrefix(p.text[p.at:], []byte(l.text)) {
			p.at += len(l.text)
			return l.value, nil
		}
	}
	return p.number()
}

func (p *parser) object(depth int) (any, error) {
	p.at++
	o := object{}
	p.space()
	if p.peek() == '}' {
		p.at++
		return o, nil
	}
	for {
		if p.peek() != '"' {
			return nil, p.fail("Expecting property name enclosed in double quotes", p.at)
		}
		key, err := p.string()
		if err != nil {
			return nil, err
		}
		p.space()
		if p.peek() != ':' {
			return nil, p.fail("Expecting ':' delimiter", p.at)
		}
		p.at++
		p.space()
		if o[key], err = p.value(depth + 1); err != nil {
			return nil, err
		}
		if more, err := p.more('}'); !more {
			return o, err
		}
	}
}

func (p *parser) array(depth int) (any, error) {
	p.at++
	list := []any{}
	p.space()
	if p.peek() == ']' {
		p.at++
		return list, nil
	}
	for {
		v, err := p.value(depth + 1)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
		if more, err := p.more(']'); !more {
			return list, err
		}
	}
}

// more reads what follows a member: a comma, or the closing bracket.
func (p *parser) more(closing byte) (bool, error) {
	p.space()
	switch p.peek() {
	case ',':
		p.at++
		p.space()
		return true, nil
	case closing:
		p.at++
		return false, nil
	}
	return false, p.fail("Expecting ',' delimiter", p.at)
}

func (p *parser) number() (any, error) {
	start := p.at
	end := start
	digits := func() bool {
		from := end
		for end < len(p.text) && p.text[end] >= '0' && p.text[end] <= '9' {
			end++
		}
		return end > from
	}
	if end < len(p.text) && p.text[end] == '-' {
		end++
	}
	switch {
	case end < len(p.text) && p.text[end] == '0':
		end++
	case !digits():
		return nil, p.fail("Expecting value", start)
	}
	p.at = end
	if end < len(p.text) && p.text[end] == '.' {
		end++
		if digits() {
			p.at = end
		} else {
			end = p.at
		}
	}
	if end < len(p.text) && (p.text[end] == 'e' || p.text[end] == 'E') {
		end++
		if end < len(p.text) && (p.text[end] == '+' || p.text[end] == '-') {
			end++
		}
		if digits() {
			p.at = end
		}
	}
	return number(p.text[start:p.at]), nil
}
