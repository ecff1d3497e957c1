package toolparser

import (
	"strings"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/text/toolparser/pycall"
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
		parts[i] = pycall.Write(c.Name, o)
	}
	return "[" + strings.Join(parts, ", ") + "]"
}

func parsePython(text string, _ []Tool) (string, []Call) {
	r := pycall.NewReader(text)
	if !r.Take("[") {
		return text, nil
	}
	var calls []Call
	for {
		name, arguments, err := r.Call()
		if err != nil {
			return text, nil
		}
		calls = append(calls, Call{Name: name, Arguments: pyjson.DumpsUnicode(arguments)})
		switch {
		case r.Take(","):
		case r.Take("]") && r.Ends():
			return "", calls
		default:
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
		r := pycall.NewReader(s.held)
		if s.next > 0 {
			r.Take(",")
		}
		name, arguments, err := r.Call()
		if err != nil {
			break
		}
		s.held = r.Rest()
		d.Calls = append(d.Calls, CallDelta{Index: s.next, Begins: true, Name: name, Arguments: pyjson.DumpsUnicode(arguments)})
		s.next++
	}
	return d, len(d.Calls) > 0
}

// Finish: what was held back is lost.
func (s *pythonStream) Finish() (Delta, bool) { return Delta{}, false }
