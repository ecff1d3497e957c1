package toolparser

import (
	"errors"
	"strings"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
)

// pythonic is [f(x=1, y='a'), g()]. vLLM 0.32 sends arguments while they grow, this package when a call is complete.
var pythonic = Format{
	write:  writePython,
	parse:  parsePython,
	stream: func([]Tool) Stream { return &pythonStream{} },
}

func writePython(calls []Call) string {
	parts := make([]string, len(calls))
	for i, c := range calls {
		v, _ := pyjson.DecodeString(c.Arguments)
		o, _ := v.(*pyjson.Object)
		arguments := make([]string, o.Len())
		for j, m := range o.Members() {
			arguments[j] = m.Key + "=" + literal(m.Value)
		}
		parts[i] = c.Name + "(" + strings.Join(arguments, ", ") + ")"
	}
	return "[" + strings.Join(parts, ", ") + "]"
}

// literal writes a value in Python. Strings are spelled as in JSON, which Python reads as well.
func literal(v any) string {
	switch v := v.(type) {
	case nil:
		return "None"
	case bool:
		return map[bool]string{false: "False", true: "True"}[v]
	case []any:
		parts := make([]string, len(v))
		for i, item := range v {
			parts[i] = literal(item)
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case *pyjson.Object:
		parts := make([]string, v.Len())
		for i, m := range v.Members() {
			parts[i] = literal(m.Key) + ": " + literal(m.Value)
		}
		return "{" + strings.Join(parts, ", ") + "}"
	}
	return pyjson.DumpsUnicode(v)
}

func parsePython(text string, _ []Tool) (string, []Call) {
	r := pythonReader{text: text}
	if !r.take("[") {
		return text, nil
	}
	var calls []Call
	for {
		call, err := r.call()
		if err != nil {
			return text, nil
		}
		calls = append(calls, call)
		if r.take("]") {
			r.space()
			if r.at < len(text) {
				return text, nil
			}
			return "", calls
		}
		if !r.take(",") {
			return text, nil
		}
	}
}

type pythonStream struct {
	held  string // from the call that is not complete
	calls bool   // not words
	seen  bool
	next  int
}

func (s *pythonStream) Feed(piece string) (d Delta, ok bool) {
	if !s.seen && piece != "" {
		s.seen = true
		if piece[0] == '[' {
			s.calls, piece = true, piece[1:]
		}
	}
	if !s.calls {
		return Delta{Content: piece}, piece != ""
	}
	s.held += piece
	for {
		r := pythonReader{text: s.held}
		if s.next > 0 {
			r.take(",")
		}
		call, err := r.call()
		if err != nil {
			break
		}
		s.held = s.held[r.at:]
		d.Calls = append(d.Calls, CallDelta{Index: s.next, Begins: true, Name: call.Name, Arguments: call.Arguments})
		s.next++
	}
	return d, len(d.Calls) > 0
}

// Finish: what was held back is lost.
func (s *pythonStream) Finish() (Delta, bool) { return Delta{}, false }

var errPython = errors.New("no call")

// pythonReader reads the part of Python that calls are made of.
type pythonReader struct {
	text string
	at   int
}

func (r *pythonReader) space() {
	for r.at < len(r.text) && strings.IndexByte(" \t\r\n", r.text[r.at]) >= 0 {
		r.at++
	}
}

func (r *pythonReader) take(token string) bool {
	r.space()
	if !strings.HasPrefix(r.text[r.at:], token) {
		return false
	}
	r.at += len(token)
	return true
}

// word reads a name with what must follow it at once; without that it returns "".
func (r *pythonReader) word(end string) string {
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

func (r *pythonReader) call() (Call, error) {
	name := r.word("(")
	o := &pyjson.Object{}
	if name == "" {
		return Call{}, errPython
	}
	for !r.take(")") {
		key := r.word("=")
		if key == "" {
			return Call{}, errPython
		}
		v, err := r.value(0)
		if err != nil {
			return Call{}, err
		}
		o.Set(key, v)
		if !r.take(",") && !strings.HasPrefix(r.text[r.at:], ")") {
			return Call{}, errPython
		}
	}
	return Call{Name: name, Arguments: pyjson.DumpsUnicode(o)}, nil
}
