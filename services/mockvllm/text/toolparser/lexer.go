package toolparser

import "strings"

// token is a mark, or text between marks.
type token struct {
	mark int // index, or -1
	text string
}

// lexer cuts a text into marks and what is between them, however it comes in pieces.
type lexer struct {
	marks []string
	first string // the bytes with which marks begin
	held  string // may become a mark
}

func newLexer(marks []string) lexer {
	l := lexer{marks: marks}
	for _, m := range marks {
		if strings.IndexByte(l.first, m[0]) < 0 {
			l.first += m[:1]
		}
	}
	return l
}

// feed takes the next piece. final says that nothing more will come.
func (l *lexer) feed(piece string, final bool) (tokens []token) {
	buf := l.held + piece
	for buf != "" {
		mark, partial := l.at(buf)
		switch {
		case partial && !final:
			l.held = buf
			return tokens
		case mark >= 0:
			tokens = append(tokens, token{mark, l.marks[mark]})
			buf = buf[len(l.marks[mark]):]
		default:
			n := l.boundary(buf)
			tokens = append(tokens, token{-1, buf[:n]})
			buf = buf[n:]
		}
	}
	l.held = ""
	return tokens
}

// at tells which mark text begins with, the longest if several, and whether text is only the beginning of one.
func (l *lexer) at(text string) (mark int, partial bool) {
	mark = -1
	for i, m := range l.marks {
		if strings.HasPrefix(text, m) && (mark < 0 || len(m) > len(l.marks[mark])) {
			mark = i
		}
		partial = partial || len(text) < len(m) && strings.HasPrefix(m, text)
	}
	return mark, partial
}

// boundary is how many bytes of text, at least one, are before what may be a mark.
func (l *lexer) boundary(text string) int {
	for n := 1; n < len(text); n++ {
		at := strings.IndexAny(text[n:], l.first)
		if at < 0 {
			break
		}
		n += at
		for _, m := range l.marks {
			if k := min(len(m), len(text)-n); text[n:n+k] == m[:k] {
				return n
			}
		}
	}
	return len(text)
}
