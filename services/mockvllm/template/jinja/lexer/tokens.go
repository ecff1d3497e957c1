package lexer

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

const operators2 = "// ** == != >= <= "

// tokens takes what is inside of a tag, to its closing.
func (l *lexer) tokens(closing string, kind Kind) error {
	open := []byte{}
	for {
		l.at += len(l.src[l.at:]) - len(strings.TrimLeftFunc(l.src[l.at:], unicode.IsSpace))
		if l.at >= len(l.src) {
			return nil // the parser says what is missing
		}
		if len(open) == 0 && l.end(closing) {
			l.add(kind, "")
			return nil
		}
		c := l.src[l.at]
		r, _ := utf8.DecodeRuneInString(l.src[l.at:])
		switch {
		case c == '"' || c == '\'':
			if err := l.string(c); err != nil {
				return err
			}
			continue
		case c >= '0' && c <= '9':
			l.number()
			continue
		case r == '_' || unicode.IsLetter(r):
			n := strings.IndexFunc(l.src[l.at:], func(r rune) bool { return r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) })
			if n < 0 {
				n = len(l.src) - l.at
			}
			l.add(Name, l.src[l.at:l.at+n])
			l.at += n
			continue
		case strings.IndexByte("([{", c) >= 0:
			open = append(open, c)
		case strings.IndexByte(")]}", c) >= 0:
			if len(open) == 0 {
				return l.fail("unexpected '%c'", c)
			}
			open = open[:len(open)-1]
		case strings.IndexByte("+-*/%~=!<>.:|,;", c) < 0:
			return l.fail("unexpected char %q at %d", string(r), l.at)
		}
		n := 1
		if l.at+1 < len(l.src) && strings.Contains(operators2, l.src[l.at:l.at+2]+" ") {
			n = 2
		}
		l.add(Op, l.src[l.at:l.at+n])
		l.at += n
	}
}

func (l *lexer) number() {
	start, kind := l.at, Int
	digits := func() {
		for l.at < len(l.src) && (l.src[l.at] >= '0' && l.src[l.at] <= '9' || l.src[l.at] == '_') {
			l.at++
		}
	}
	digits()
	if l.at+1 < len(l.src) && l.src[l.at] == '.' && l.src[l.at+1] >= '0' && l.src[l.at+1] <= '9' {
		kind = Float
		l.at++
		digits()
	}
	l.add(kind, strings.ReplaceAll(l.src[start:l.at], "_", ""))
}

func (l *lexer) string(quote byte) error {
	var b strings.Builder
	for i := l.at + 1; i < len(l.src); i++ {
		switch c := l.src[i]; c {
		case quote:
			l.add(String, b.String())
			l.at = i + 1
			return nil
		case '\\':
			i++
			n := unescape(&b, l.src[min(i, len(l.src)):])
			i += n - 1
		default:
			b.WriteByte(c)
		}
	}
	return l.fail("unexpected char %q at %d", string(quote), l.at)
}

// unescape writes what a backslash before s stands for, and returns how much of s it took.
func unescape(b *strings.Builder, s string) int {
	if s == "" {
		return 1
	}
	if i := strings.IndexByte(`ntrabfv\'"`, s[0]); i >= 0 {
		b.WriteByte("\n\t\r\a\b\f\v\\'\""[i])
		return 1
	}
	digits := map[byte]int{'x': 2, 'u': 4, 'U': 8}[s[0]]
	if digits > 0 && len(s) > digits {
		var r rune
		if _, err := fmt.Sscanf(s[1:1+digits], "%x", &r); err == nil {
			b.WriteRune(r)
			return 1 + digits
		}
	}
	if s[0] == '\n' {
		return 1
	}
	b.WriteByte('\\')
	b.WriteByte(s[0])
	return 1
}
