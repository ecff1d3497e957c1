package grammar

import (
	"fmt"
	"strconv"
	"unicode"
)

func (r *ebnfReader) literal() (*node, error) {
	r.at++
	var out []rune
	for !r.take('"') {
		c, _, err := r.char()
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return &node{op: opText, text: string(out)}, nil
}

func (r *ebnfReader) class() (*node, error) {
	r.at++
	not := r.take('^')
	var ranges []rune
	for !r.take(']') {
		from, _, err := r.char()
		if err != nil {
			return nil, err
		}
		to := from
		if r.peek() == '-' && r.at+1 < len(r.text) && r.text[r.at+1] != ']' {
			r.at++
			if to, _, err = r.char(); err != nil {
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
	return &node{op: opClass, ranges: ranges}, nil
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
func (r *ebnfReader) char() (c rune, escaped bool, err error) {
	if r.at == len(r.text) {
		return 0, false, r.fail("Unexpected end of input")
	}
	if !r.take('\\') {
		r.at++
		r.second = r.second || r.text[r.at-1] == '\n'
		return r.text[r.at-1], false, nil
	}
	c = r.peek()
	if plain, ok := plainEscapes[c]; ok {
		r.at++
		return plain, true, nil
	}
	digits := map[rune]int{'x': 2, 'u': 4, 'U': 8}[c]
	if digits == 0 {
		return 0, false, r.fail(`Invalid escape sequence \%c`, c)
	}
	hex := string(r.text[r.at+1 : min(len(r.text), r.at+1+digits)])
	n, err := strconv.ParseUint(hex, 16, 31)
	if err != nil || len(hex) < digits {
		return 0, false, r.fail(`Invalid \%c escape sequence: \%c%s`, c, c, hex)
	}
	r.at += 1 + digits
	return rune(n), true, nil
}

func (r *ebnfReader) repeated(n *node) (*node, error) {
	switch {
	case r.take('*'):
		return &node{op: opRepeat, max: -1, subs: []*node{n}}, nil
	case r.take('+'):
		return &node{op: opRepeat, min: 1, max: -1, subs: []*node{n}}, nil
	case r.take('?'):
		return &node{op: opRepeat, max: 1, subs: []*node{n}}, nil
	case !r.take('{'):
		return n, nil
	}
	r.space(true)
	least, err := r.number()
	if err != nil {
		return nil, err
	}
	out := &node{op: opRepeat, min: least, max: least, subs: []*node{n}}
	r.space(true)
	if r.take('}') {
		return out, nil
	}
	if !r.take(',') {
		return nil, r.fail("Expected ',' or '}'")
	}
	r.space(true)
	if out.max = -1; unicode.IsDigit(r.peek()) {
		if out.max, err = r.number(); err != nil {
			return nil, err
		}
		if out.max < least {
			return nil, fmt.Errorf("the repetition {%d,%d} has its bounds in the wrong order", least, out.max)
		}
	}
	if r.space(true); !r.take('}') {
		return nil, r.fail("Expected '}'")
	}
	return out, nil
}

func (r *ebnfReader) number() (int, error) {
	start := r.at
	for r.at < len(r.text) && '0' <= r.peek() && r.peek() <= '9' {
		r.at++
	}
	if r.at == start {
		return 0, r.fail("Expected integer")
	}
	n, err := strconv.Atoi(string(r.text[start:r.at]))
	if err != nil {
		return 0, ErrEndless
	}
	return n, nil
}
