package pyjson

import (
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

func (p *parser) digits(at int) int {
	for at < len(p.text) && p.text[at] >= '0' && p.text[at] <= '9' {
		at++
	}
	return at
}

// byteAt returns a byte, 0 beyond the end.
func (p *parser) byteAt(at int) byte {
	if at >= len(p.text) {
		return 0
	}
	return p.text[at]
}

func (p *parser) number() (Number, error) {
	start, at := p.at, p.at
	if p.byteAt(at) == '-' {
		at++
	}
	first := at
	if at = p.digits(first); at == first {
		return "", p.fail("Expecting value", start)
	}
	if p.text[first] == '0' {
		at = first + 1 // what follows a leading zero is not part of the number
	}
	whole := at
	if p.byteAt(at) == '.' {
		if end := p.digits(at + 1); end > at+1 {
			at = end
		}
	}
	if c := p.byteAt(at); c == 'e' || c == 'E' {
		exp := at + 1
		if c := p.byteAt(exp); c == '+' || c == '-' {
			exp++
		}
		if end := p.digits(exp); end > exp {
			at = end
		}
	}
	if digits := whole - first; at == whole && digits > MaxDigits {
		return "", longInteger(digits)
	}
	p.at = at
	return Number(p.text[start:at]), nil
}

// string reads a string literal. One without escapes is a part of the document and costs nothing.
func (p *parser) string() (string, error) {
	begin := p.at
	p.at++
	start := p.at
	var out []byte // of a string with escapes, up to start
	for {
		p.at = special(p.text, p.at)
		switch p.peek() {
		case '"':
			p.at++
			if out == nil {
				return p.text[start : p.at-1], nil
			}
			return string(append(out, p.text[start:p.at-1]...)), nil
		case '\\':
			out = append(out, p.text[start:p.at]...)
			r, err := p.escape(begin)
			if err != nil {
				return "", err
			}
			out = appendRune(out, r)
			start = p.at
		default:
			if p.at < len(p.text) {
				return "", p.fail("Invalid control character at", p.at)
			}
			return "", p.fail("Unterminated string starting at", begin)
		}
	}
}

// boxed is s as a value. What most requests say takes no memory.
func boxed(s string) any {
	switch s {
	case "user":
		return "user"
	case "system":
		return "system"
	case "assistant":
		return "assistant"
	case "text":
		return "text"
	case "function":
		return "function"
	case "string":
		return "string"
	}
	return s
}

// escape reads what follows a backslash and leaves at behind it. begin is the string's quote.
func (p *parser) escape(begin int) (rune, error) {
	const letters, meanings = `"\/bfnrt`, "\"\\/\b\f\n\r\t"
	start := p.at
	if start+1 == len(p.text) {
		return 0, p.fail("Unterminated string starting at", begin)
	}
	c := p.text[start+1]
	if i := strings.IndexByte(letters, c); i >= 0 {
		p.at += 2
		return rune(meanings[i]), nil
	}
	if c != 'u' {
		return 0, p.fail(`Invalid \escape`, start)
	}
	r, ok := p.hex4(start + 2)
	if !ok || start+6 >= len(p.text) { // Python wants to see that the string goes on
		return 0, p.fail(`Invalid \uXXXX escape`, start+1)
	}
	p.at += 6
	// A first half is joined to a second one; anything else behind it is read on its own.
	if r&0xfc00 == 0xd800 && p.at+6 < len(p.text) && p.text[p.at] == '\\' && p.text[p.at+1] == 'u' {
		low, ok := p.hex4(p.at + 2)
		if !ok {
			return 0, p.fail(`Invalid \uXXXX escape`, p.at+1)
		}
		if pair := utf16.DecodeRune(r, low); pair != utf8.RuneError {
			r = pair
			p.at += 6
		}
	}
	return r, nil
}

func (p *parser) hex4(at int) (r rune, ok bool) {
	if at+4 > len(p.text) {
		return 0, false
	}
	for _, c := range []byte(p.text[at : at+4]) {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}
