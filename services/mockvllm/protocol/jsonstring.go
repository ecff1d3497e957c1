package protocol

import (
	"bytes"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// string reads a string literal.
func (p *parser) string() (string, error) {
	begin := p.at
	p.at++
	var b strings.Builder
	for {
		n := bytes.IndexFunc(p.text[p.at:], func(r rune) bool { return r == '"' || r == '\\' || r < ' ' })
		if n < 0 {
			return "", p.fail("Unterminated string starting at", begin)
		}
		b.Write(p.text[p.at : p.at+n])
		p.at += n
		switch p.peek() {
		case '"':
			p.at++
			return b.String(), nil
		case '\\':
			if err := p.escape(&b, begin); err != nil {
				return "", err
			}
		default:
			return "", p.fail("Invalid control character at", p.at)
		}
	}
}

var escapes = map[byte]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

func (p *parser) escape(b *strings.Builder, begin int) error {
	start := p.at
	p.at++
	if p.at == len(p.text) {
		return p.fail("Unterminated string starting at", begin)
	}
	c := p.text[p.at]
	if plain, ok := escapes[c]; ok {
		b.WriteByte(plain)
		p.at++
		return nil
	}
	if c != 'u' {
		return p.fail(`Invalid \escape`, start)
	}
	r, ok := p.hex4(p.at + 1)
	if !ok {
		return p.fail(`Invalid \uXXXX escape`, p.at+1)
	}
	p.at += 5
	if utf16.IsSurrogate(r) && bytes.HasPrefix(p.text[p.at:], []byte(`\u`)) {
		if low, ok := p.hex4(p.at + 2); ok && utf16.DecodeRune(r, low) != utf8.RuneError {
			r = utf16.DecodeRune(r, low)
			p.at += 6
		}
	}
	if utf16.IsSurrogate(r) {
		b.WriteString(loneSurrogate)
		return nil
	}
	b.WriteRune(r)
	return nil
}

// loneSurrogate marks half of a UTF-16 pair, which Python carries in its strings and no UTF-8 can say. The byte is
// invalid in UTF-8, so it cannot come from anywhere else.
const loneSurrogate = "\xed"

func (p *parser) hex4(at int) (rune, bool) {
	if at+4 > len(p.text) {
		return 0, false
	}
	n, err := strconv.ParseUint(string(p.text[at:at+4]), 16, 32)
	return rune(n), err == nil
}
