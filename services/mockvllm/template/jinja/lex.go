package jinja

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

type tokenKind uint8

const (
	tokEnd tokenKind = iota
	tokText
	tokVarBegin
	tokVarEnd
	tokBlockBegin
	tokBlockEnd
	tokName
	tokString
	tokInt
	tokFloat
	tokOp
)

type lexeme struct {
	kind tokenKind
	text string // of a string its value
	line int
}

// lexer cuts a source by the rules of jinja2.lexer. At a line's start, white space before a block tag goes (lstrip_blocks);
// the line break behind one goes too (trim_blocks).
type lexer struct {
	src       string
	at        int
	lineStart bool
	out       []lexeme

	line, counted int // line breaks before counted
}

func lex(source string) ([]lexeme, error) {
	if len(source) > maxSource {
		return nil, &SyntaxError{Message: "the template is too long", Line: 1}
	}
	source = strings.ReplaceAll(strings.ReplaceAll(source, "\r\n", "\n"), "\r", "\n")
	l := &lexer{src: strings.TrimSuffix(source, "\n"), lineStart: true}
	for l.at < len(l.src) {
		if err := l.next(); err != nil {
			return nil, err
		}
	}
	l.add(tokEnd, "")
	return l.out, nil
}

func (l *lexer) add(kind tokenKind, text string) {
	l.line += strings.Count(l.src[l.counted:l.at], "\n")
	l.counted = l.at
	l.out = append(l.out, lexeme{kind, text, 1 + l.line})
}

func (l *lexer) fail(format string, args ...any) error {
	return &SyntaxError{Line: 1 + strings.Count(l.src[:min(l.at, len(l.src))], "\n"), Message: fmt.Sprintf(format, args...)}
}

// next takes the text up to the next tag, and that tag.
func (l *lexer) next() error {
	rest := l.src[l.at:]
	begin := nextTag(rest)
	if begin < 0 {
		l.text(rest)
		l.at = len(l.src)
		return nil
	}
	kind := rest[begin+1]
	text := l.lstrip(rest[:begin], rest[begin+2:], kind != '{')
	l.text(text)
	l.at += begin + 2
	if l.at < len(l.src) && (l.src[l.at] == '-' || l.src[l.at] == '+' && kind != '{') {
		l.at++
	}
	l.lineStart = false
	switch kind {
	case '#':
		return l.comment()
	case '%':
		if done, err := l.raw(); done || err != nil {
			return err
		}
		l.add(tokBlockBegin, "")
		return l.tokens("%}", tokBlockEnd)
	}
	l.add(tokVarBegin, "")
	return l.tokens("}}", tokVarEnd)
}

func nextTag(s string) int {
	for i := 0; i+1 < len(s); i++ {
		if s[i] == '{' && (s[i+1] == '{' || s[i+1] == '%' || s[i+1] == '#') {
			return i
		}
	}
	return -1
}

// lstrip takes off the white space that the tag after text swallows; after is what follows the tag's two characters.
func (l *lexer) lstrip(text, after string, block bool) string {
	switch {
	case strings.HasPrefix(after, "-"):
		return strings.TrimRightFunc(text, unicode.IsSpace)
	case strings.HasPrefix(after, "+") || !block:
		return text
	}
	line := strings.LastIndexByte(text, '\n') + 1
	if (line > 0 || l.lineStart) && strings.TrimSpace(text[line:]) == "" {
		return text[:line]
	}
	return text
}

func (l *lexer) text(s string) {
	if s != "" {
		l.add(tokText, s)
	}
}

// end takes the closing of a tag (two characters, perhaps behind a sign) with the white space it swallows.
func (l *lexer) end(closing string) bool {
	rest := l.src[l.at:]
	trim := closing[0] != '}'
	switch {
	case strings.HasPrefix(rest, "-"+closing):
		l.at += 3
		l.at += len(l.src[l.at:]) - len(strings.TrimLeftFunc(l.src[l.at:], unicode.IsSpace))
	case trim && strings.HasPrefix(rest, "+"+closing):
		l.at += 3
	case strings.HasPrefix(rest, closing):
		l.at += 2
		if trim && strings.HasPrefix(l.src[l.at:], "\n") {
			l.at++
		}
	default:
		return false
	}
	l.lineStart = l.src[l.at-1] == '\n'
	return true
}

func (l *lexer) comment() error {
	n := strings.Index(l.src[l.at:], "#}")
	if n < 0 {
		return l.fail("Missing end of comment tag")
	}
	l.at += n
	if sign := l.src[l.at-1]; n > 0 && (sign == '-' || sign == '+') {
		l.at--
	}
	l.end("#}")
	return nil
}

// raw takes {% raw %} to {% endraw %} as text.
func (l *lexer) raw() (done bool, err error) {
	body, ok := strings.CutPrefix(strings.TrimLeftFunc(l.src[l.at:], unicode.IsSpace), "raw")
	if !ok {
		return false, nil
	}
	body = strings.TrimLeftFunc(body, unicode.IsSpace)
	if !strings.HasPrefix(body, "%}") && !strings.HasPrefix(body, "-%}") {
		return false, nil
	}
	l.at = len(l.src) - len(body)
	if strings.HasPrefix(body, "%}") {
		l.at += 2 // trim_blocks does not reach into raw
	} else {
		l.end("%}")
	}
	for from := l.at; ; {
		n := strings.Index(l.src[from:], "{%")
		if n < 0 {
			return true, l.fail("Missing end of raw directive")
		}
		tag := from + n
		inner := strings.TrimLeft(l.src[tag+2:], "-+")
		rest, ok := strings.CutPrefix(strings.TrimLeftFunc(inner, unicode.IsSpace), "endraw")
		if ok {
			text := l.lstrip(l.src[l.at:tag], l.src[tag+2:], true)
			l.text(text)
			l.at = len(l.src) - len(strings.TrimLeftFunc(rest, unicode.IsSpace))
			if !l.end("%}") {
				return true, l.fail("Missing end of raw directive")
			}
			return true, nil
		}
		from = tag + 2
	}
}

const operators2 = "// ** == != >= <= "

// tokens takes what is inside of a tag, to its closing.
func (l *lexer) tokens(closing string, kind tokenKind) error {
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
			l.add(tokName, l.src[l.at:l.at+n])
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
		l.add(tokOp, l.src[l.at:l.at+n])
		l.at += n
	}
}

func (l *lexer) number() {
	start, kind := l.at, tokInt
	digits := func() {
		for l.at < len(l.src) && (l.src[l.at] >= '0' && l.src[l.at] <= '9' || l.src[l.at] == '_') {
			l.at++
		}
	}
	digits()
	if l.at+1 < len(l.src) && l.src[l.at] == '.' && l.src[l.at+1] >= '0' && l.src[l.at+1] <= '9' {
		kind = tokFloat
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
			l.add(tokString, b.String())
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
