package toolparser

import (
	"strings"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/text/toolparser/partialjson"
)

// listCutter knows where in an array of calls a text is.
type listCutter struct {
	begun  bool // [ was there
	inside bool // of a call
}

// listText takes an array of calls apart. What is no array is words.
func (e *engine) listText(text string, out []piece) []piece {
	for i := 0; i < len(text); i++ {
		c := text[i]
		if e.list.inside {
			if !e.json.Closes(c) || c != '}' {
				continue
			}
			out = append(out, piece{callArguments, e.call, text[:i+1]}, piece{callEnds, e.call, ""})
			e.list.inside = false
		} else if strings.IndexByte(" \t\r\n", c) < 0 {
			switch {
			case e.list.begun && (c == ',' || c == ';'):
			case e.list.begun && c == '{':
				e.call++
				e.json = partialjson.Cutter{}
				e.json.Closes(c)
				e.list.inside = true
				out = append(out, piece{callBegins, e.call, ""})
				text, i = text[i:], 0
				continue
			case e.list.begun && c == ']':
				e.state = inWords
				return e.rest(text[i+1:], out)
			case !e.list.begun && c == '[':
				e.list.begun = true
			default:
				e.state = inWords
				return e.rest(text[i:], out)
			}
		}
		text, i = text[i+1:], -1
	}
	if e.list.inside && text != "" {
		out = append(out, piece{callArguments, e.call, text})
	}
	return out
}

func (e *engine) rest(text string, out []piece) []piece {
	e.list = listCutter{}
	if text == "" {
		return out
	}
	return e.text(text, out)
}
