package pycall

import (
	"errors"
	"strings"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
)

var errNoCall = errors.New("no call")

// Reader reads the part of Python that calls are made of.
type Reader struct {
	text string
	at   int
}

// NewReader reads text from its beginning.
func NewReader(text string) *Reader { return &Reader{text: text} }

// Rest is what was not read yet.
func (r *Reader) Rest() string { return r.text[r.at:] }

// Ends tells whether nothing but space is left.
func (r *Reader) Ends() bool {
	r.space()
	return r.at == len(r.text)
}

func (r *Reader) space() {
	for r.at < len(r.text) && strings.IndexByte(" \t\r\n", r.text[r.at]) >= 0 {
		r.at++
	}
}

// Take reads a token, with the space before it, and returns false where another one is.
func (r *Reader) Take(token string) bool {
	r.space()
	if !strings.HasPrefix(r.text[r.at:], token) {
		return false
	}
	r.at += len(token)
	return true
}

// word reads a name with what must follow it at once; without that it returns "".
func (r *Reader) word(end string) string {
	r.space()
	n := 0
	for r.at+n < len(r.text) && isWord(r.text[r.at+n], n > 0) {
		n++
	}
	word := r.text[r.at : r.at+n]
	if !strings.HasPrefix(r.text[r.at+n:], end) {
		return ""
	}
	r.at += n + len(end)
	return word
}

func isWord(c byte, inside bool) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || inside && (c == '_' || '0' <= c && c <= '9')
}

// Call reads a call, with its arguments in order. The error says that none is there, or not all of one yet.
func (r *Reader) Call() (name string, arguments *pyjson.Object, err error) {
	if name = r.word("("); name == "" {
		return "", nil, errNoCall
	}
	arguments = &pyjson.Object{}
	for !r.Take(")") {
		key := r.word("=")
		if key == "" {
			return "", nil, errNoCall
		}
		v, err := r.value(0)
		if err != nil {
			return "", nil, err
		}
		arguments.Set(key, v)
		if !r.Take(",") && !strings.HasPrefix(r.text[r.at:], ")") {
			return "", nil, errNoCall
		}
	}
	return name, arguments, nil
}
