package ebnf

import (
	"fmt"
	"strconv"
	"unicode"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/text/structured/grammar"
)

func (r *reader) literal() (*grammar.Node, error) {
	r.at++
	var out []rune
	for !r.take('"') {
		c, err := r.char()
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return grammar.Text(string(out)), nil
}

func (r *reader) class() (*grammar.Node, error) {
	r.at++
	not := r.take('^')
	var ranges []rune
	for !r.take(']') {
		from, err := r.char()
		if err != nil {
			return nil, err
		}
		to := from
		if r.peek() == '-' && r.at+1 < len(r.text) && r.text[r.at+1] != ']' {
			r.at++
			if to, err = r.char(); err != nil {
				return nil, err
			}
			if to < from {
				return nil, fmt.Errorf("the class %c-%c has its bounds in the wrong order", from, to)
			}
		}
		ranges = append(ranges, from, to)
	}
	if not {
		ranges = without(ranges)
	}
	return grammar.Class(ranges...), nil
}

// without is every character outside of ranges.
func without(ranges []rune) (out []rune) {
	next := rune(0)
	for {
		low := rune(-1)
		high := rune(-1)
		for i := 0; i+1 < len(ranges); i += 2 { // the first range that ends at next or later
			if ranges[i+1] >= next && (low < 0 || ranges[i] < low) {
				low, high = ranges[i], ranges[i+1]
			}
		}
		if low < 0 {
			return append(out, next, unicode.MaxRune)
		}
		if low > next {
			out = append(out, next, low-1)
		}
		if next = high + 1; next > unicode.MaxRune {
			return out
		}
	}
}

var plainEscapes = map[rune]rune{'"': '"', '\\': '\\', '[': '[', ']': ']', 'n': '\n', 'r': '\r', 't': '\t', '-': '-', '\'': '\'', '/': '/', '^': '^'}

// char reads one character of a literal or a class.
func (r *reader) char() (rune, error) {
	if r.at == len(r.text) {
		return 0, r.fail("Unexpected end of input")
	}
	if !r.take('\\') {
		r.at++
		r.second = r.second || r.text[r.at-1] == '\n'
		return r.text[r.at-1], nil
	}
	c := r.peek()
	if plain, ok := plainEscapes[c]; ok {
		r.at++
		return plain, nil
	}
	digits := map[rune]int{'x': 2, 'u': 4, 'U': 8}[c]
	if digits == 0 {
		return 0, r.fail(`Invalid escape sequence \%c`, c)
	}
	hex := string(r.text[r.at+1 : min(len(r.text), r.at+1+digits)])
	n, err := strconv.ParseUint(hex, 16, 31)
	if err != nil || len(hex) < digits {
		return 0, r.fail(`Invalid \%c escape sequence: \%c%s`, c, c, hex)
	}
	r.at += 1 + digits
	return rune(n), nil
}

func (r *reader) repeated(n *grammar.Node) (*grammar.Node, error) {
	switch {
	case r.take('*'):
		return grammar.Repeat(n, 0, -1), nil
	case r.take('+'):
		return grammar.Repeat(n, 1, -1), nil
	case r.take('?'):
		return grammar.Repeat(n, 0, 1), nil
	case !r.take('{'):
		return n, nil
	}
	r.space(true)
	least, err := r.number()
	if err != nil {
		return nil, err
	}
	r.space(true)
	if r.take('}') {
		return grammar.Repeat(n, least, least), nil
	}
	if !r.take(',') {
		return nil, r.fail("Expected ',' or '}'")
	}
	r.space(true)
	most := -1
	if unicode.IsDigit(r.peek()) {
		if most, err = r.number(); err != nil {
			return nil, err
		}
		if most < least {
			return nil, fmt.Errorf("the repetition {%d,%d} has its bounds in the wrong order", least, most)
		}
	}
	if r.space(true); !r.take('}') {
		return nil, r.fail("Expected '}'")
	}
	return grammar.Repeat(n, least, most), nil
}

func (r *reader) number() (int, error) {
	start := r.at
	for r.at < len(r.text) && '0' <= r.peek() && r.peek() <= '9' {
		r.at++
	}
	if r.at == start {
		return 0, r.fail("Expected integer")
	}
	n, err := strconv.Atoi(string(r.text[start:r.at]))
	if err != nil {
		return 0, grammar.ErrEndless
	}
	return n, nil
}
