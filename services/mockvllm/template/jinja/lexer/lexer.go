package lexer

import (
	"fmt"
	"strings"
	"unicode"
)

// Kind is one of tokens.
type Kind uint8

// Kinds of tokens: text, the marks of tags, and what stands in tags.
const (
	End Kind = iota
	Text
	VarBegin
	VarEnd
	BlockBegin
	BlockEnd
	Name
	String
	Int
	Float
	Op
)

// Token is a piece of a source.
type Token struct {
	Kind Kind
	Text string // of a string its value
}

// lexer cuts a source by the rules of jinja2.lexer. At a line's start, white space before a block tag goes (lstrip_blocks);
// the line break behind one goes too (trim_blocks).
type lexer struct {
	src       string
	at        int
	lineStart bool
	out       []Token
}

// maxSource is the longest source in bytes; the longest templates of models have 20,000.
const maxSource = 1 << 20

// Lex cuts a source. The error is a *SyntaxError.
func Lex(source string) ([]Token, error) {
	if len(source) > maxSource {
		return nil, &SyntaxError{Message: "the template is too long"}
	}
	source = strings.ReplaceAll(strings.ReplaceAll(source, "\r\n", "\n"), "\r", "\n")
	l := &lexer{src: strings.TrimSuffix(source, "\n"), lineStart: true}
	for l.at < len(l.src) {
		if err := l.next(); err != nil {
			return nil, err
		}
	}
	l.add(End, "")
	return l.out, nil
}

func (l *lexer) add(kind Kind, text string) {
	l.out = append(l.out, Token{kind, text})
}

func (l *lexer) fail(format string, args ...any) error {
	return &SyntaxError{fmt.Sprintf(format, args...)}
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
		l.add(BlockBegin, "")
		return l.tokens("%}", BlockEnd)
	}
	l.add(VarBegin, "")
	return l.tokens("}}", VarEnd)
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
		l.add(Text, s)
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

// String is what Jinja calls it in errors.
func (t Token) String() string {
	switch t.Kind {
	case End:
		return "end of template"
	case BlockEnd:
		return "end of statement block"
	case VarEnd:
		return "end of print statement"
	}
	return t.Text
}
