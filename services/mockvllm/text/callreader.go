package text

import (
	"encoding/json"
	"strings"
)

// Part is what one delta of a text brings once calls are read from it. Most bring one thing, some nothing.
type Part struct {
	Words string
	Calls []CallPart
}

// CallPart is a piece of a call: its beginning with the name, or the next piece of its arguments.
type CallPart struct {
	Index     int // of the call in the answer
	Begins    bool
	Name      string // where it begins
	Arguments string
}

// ReadParts reads calls from deltas as they come. What may be a mark is held back; what is held back when the text ends
// is lost, as in vLLM.
func ReadParts(deltas []string) []Part {
	parts := make([]Part, len(deltas))
	r := reader{}
	for i, delta := range deltas {
		r.held += delta
		r.part = &parts[i]
		for r.step() {
		}
	}
	return parts
}

// reader knows where in a text it is.
type reader struct {
	held  string // not yet used
	calls int    // begun
	state readerState
	part  *Part

	depth            int // of braces in the arguments
	inString, escape bool
}

type readerState int

const (
	inWords     readerState = iota
	inHead                  // {"name": "f", "arguments":
	inArguments             // the object
	inTail                  // until the end mark
)

// step uses what is held, and returns false when it needs more.
func (r *reader) step() bool {
	switch r.state {
	case inWords:
		return r.words()
	case inHead:
		return r.head()
	case inArguments:
		return r.arguments()
	default:
		_, rest, found := strings.Cut(r.held, callClose)
		if found {
			r.held, r.state = rest, inWords
		}
		return found
	}
}

func (r *reader) words() bool {
	words, rest, found := strings.Cut(r.held, callOpen)
	if !found {
		n := len(words) - startOf(words, callOpen)
		words, rest = words[:n], words[n:]
	}
	if r.calls == 0 {
		r.part.Words += words
	}
	if r.held = rest; found {
		r.state = inHead
	}
	return found
}

// startOf is how many bytes at the end of text are the start of mark.
func startOf(text, mark string) int {
	for n := min(len(text), len(mark)-1); n > 0; n-- {
		if strings.HasSuffix(text, mark[:n]) {
			return n
		}
	}
	return 0
}

// head waits for the name and for the place where the arguments begin.
func (r *reader) head() bool {
	const before, between = `{"name": `, `, "arguments": `
	rest, ok := strings.CutPrefix(r.held, before)
	if !ok {
		return false
	}
	var name string
	dec := json.NewDecoder(strings.NewReader(rest))
	if dec.Decode(&name) != nil {
		return false
	}
	rest, ok = strings.CutPrefix(rest[dec.InputOffset():], between)
	if !ok {
		return false
	}
	r.part.Calls = append(r.part.Calls, CallPart{Index: r.calls, Begins: true, Name: name})
	r.calls++
	r.held, r.state, r.depth, r.inString, r.escape = rest, inArguments, 0, false, false
	return true
}

// arguments passes the object on until its last brace.
func (r *reader) arguments() bool {
	n := 0
	for n < len(r.held) {
		r.brace(r.held[n])
		if n++; r.depth == 0 {
			break
		}
	}
	if n > 0 {
		r.part.Calls = append(r.part.Calls, CallPart{Index: r.calls - 1, Arguments: r.held[:n]})
	}
	ended := n > 0 && r.depth == 0
	if r.held = r.held[n:]; ended {
		r.state = inTail
	}
	return ended
}

func (r *reader) brace(c byte) {
	switch {
	case r.escape:
		r.escape = false
	case r.inString:
		r.escape = c == '\\'
		r.inString = c != '"'
	case c == '"':
		r.inString = true
	case c == '{' || c == '[':
		r.depth++
	case c == '}' || c == ']':
		r.depth--
	}
}
