package toolparser

import (
	"strings"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/text/toolparser/coerce"
)

// format makes a Format of a syntax.
func (s *syntax) format(write func([]Call) string) Format {
	return Format{
		LeavesContentOut: true, DropsCut: true, write: write, parse: s.parse,
		stream: func(tools []Tool) Stream { return &engineStream{engine: newEngine(s), tools: tools} },
	}
}

// parse reads a whole text with the same engine.
func (s *syntax) parse(text string, tools []Tool) (string, []Call) {
	st := &engineStream{engine: newEngine(s), tools: tools}
	pieces := st.engine.feed(text)
	ended, inCalls := len(pieces), st.engine.state != inWords
	pieces = append(pieces, st.engine.finish()...)
	d, _ := st.delta(pieces, true)
	for _, p := range pieces[:ended] {
		if p.kind == callEnds {
			st.slots[p.call].ended = true
		}
	}
	var calls []Call
	for _, c := range st.slots {
		if c.sentName && (c.name != "" || c.raw.Len() > 0) && (c.ended || !s.verbatim) {
			calls = append(calls, Call{c.id, strings.TrimFunc(c.name, isSpace), s.whole(c)})
		}
	}
	if len(calls) > 0 && !s.keepSpace {
		d.Content = strings.TrimFunc(d.Content, isSpace)
	}
	if s.verbatim && inCalls && strings.TrimFunc(d.Content, isSpace) == "" {
		d.Content = ""
	}
	return d.Content, calls
}

// whole is all that a call has for arguments.
func (s *syntax) whole(c *slot) string {
	raw := strings.TrimFunc(c.raw.String(), isSpace)
	if s.convert != nil {
		if all, ok := s.convert(c.raw.String(), false); ok {
			return coerce.Arguments(all, c.schemas)
		}
	}
	switch {
	case s.verbatim:
		return c.raw.String()
	case raw == "":
		return "{}"
	case s.oneValue:
		if _, n, err := pyjson.DecodePrefix(raw); err == nil {
			raw = raw[:n]
		}
	}
	return coerce.Arguments(raw, c.schemas)
}
