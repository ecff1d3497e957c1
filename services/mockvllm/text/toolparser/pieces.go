package toolparser

import (
	"slices"
	"strings"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/text/toolparser/coerce"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/text/toolparser/partialjson"
)

// slot is one call as far as it is known.
type slot struct {
	id, name string
	raw      strings.Builder // text of the arguments
	sentName bool
	ended    bool   // by a mark
	sent     string // of the arguments, where they are converted

	schemas *pyjson.Object  // of the arguments
	open    map[string]bool // arguments that can be sent before they end; nil: all strings
}

// engineStream makes deltas of pieces.
type engineStream struct {
	engine   *engine
	tools    []Tool
	slots    []*slot
	deferred string // words that wait
	spoken   bool   // words other than space were there
}

func (s *engineStream) Feed(text string) (Delta, bool) { return s.delta(s.engine.feed(text), false) }

func (s *engineStream) Finish() (Delta, bool) {
	pieces := s.engine.finish()
	if len(pieces) == 0 && s.deferred == "" {
		return Delta{}, false
	}
	return s.delta(pieces, true)
}

// delta gathers what pieces bring. Words behind a piece of a call wait for a delta without calls; space before anything else
// waits for words, and calls swallow it.
func (s *engineStream) delta(pieces []piece, last bool) (d Delta, ok bool) {
	carried, later, called := s.deferred, "", false
	for _, p := range pieces {
		if p.kind == words {
			if called {
				later += p.text
			} else {
				d.Content += p.text
			}
			continue
		}
		called = true
		s.piece(p, &d)
	}
	if len(d.Calls) == 0 {
		d.Content = carried + d.Content + later
		s.deferred = ""
	} else {
		s.deferred = carried + later
	}
	switch {
	case s.spoken || d.Content == "":
	case strings.TrimFunc(d.Content, isSpace) != "":
		s.spoken = true
	case len(s.slots) > 0:
		d.Content = ""
	case !last:
		s.deferred, d.Content = d.Content, ""
	}
	d.Calls = joined(d.Calls)
	return d, d.Content != "" || len(d.Calls) > 0
}

func (s *engineStream) piece(p piece, d *Delta) {
	if p.kind == callBegins {
		for len(s.slots) <= p.call {
			s.slots = append(s.slots, &slot{})
		}
		return
	}
	c := s.slots[p.call]
	switch p.kind {
	case callName:
		c.name += p.text
	case callArguments:
		c.raw.WriteString(p.text)
		if c.sentName {
			s.arguments(p, c, d)
		} else if s.name(p.call, c, d, false) && (s.engine.firstArguments || s.engine.syntax.list) {
			s.arguments(p, c, d)
		}
	case callEnds:
		rest := s.rest(c)
		if !c.sentName {
			if s.name(p.call, c, d, true) {
				d.Calls[len(d.Calls)-1].Arguments = rest
			}
		} else if rest != "" {
			d.Calls = append(d.Calls, CallDelta{Index: p.call, Arguments: rest})
		}
	}
}

// name sends the beginning of a call when its name is known. A call that ended with half a header has that for a name.
func (s *engineStream) name(index int, c *slot, d *Delta, ended bool) bool {
	id, name, ok := s.engine.nameOf(c)
	if !ok && ended && c.name != "" {
		name, ok = c.name, true
	}
	if !ok {
		return false
	}
	schemas, there := properties(s.tools, name)
	if s.engine.checkNames && len(s.tools) > 0 && !there {
		return false
	}
	c.id, c.name, c.sentName, c.schemas = id, name, true, schemas
	if schemas.Len() > 0 {
		c.open = map[string]bool{}
		for name, schema := range schemas.All() {
			o, _ := schema.(*pyjson.Object)
			c.open[name] = !slices.ContainsFunc(coerce.TypesOf(o), func(t string) bool { return t != "string" })
		}
	}
	d.Calls = append(d.Calls, CallDelta{Index: index, Begins: true, ID: id, Name: name})
	return true
}

// nameOf finds the name of a call: where its markup has it, or in the JSON of the call.
func (s *syntax) nameOf(c *slot) (id, name string, ok bool) {
	switch {
	case s.header != nil:
		return s.header(c.name)
	case c.name != "":
		return "", c.name, true
	}
	if m := nameRE.FindStringSubmatch(c.raw.String()); m != nil {
		return "", m[1], true
	}
	return "", "", false
}

// arguments sends what is new of them and will not change.
func (s *engineStream) arguments(p piece, c *slot, d *Delta) {
	text := p.text
	if convert := s.engine.convert; convert != nil {
		all, ok := convert(c.raw.String(), true)
		if !ok || all == "" {
			return
		}
		text = ""
		if s.engine.syntax.list { // vLLM reads lists letter by letter, so what is before the last bracket goes first, as it is
			text = c.advance(all[:len(all)-1])
		}
		text += c.advance(all)
	}
	if text != "" {
		d.Calls = append(d.Calls, CallDelta{Index: p.call, Arguments: text})
	}
}

// advance returns what all has that was not sent. Nothing is taken back: if the types make something else of it, the call gets no more.
func (c *slot) advance(all string) string {
	all = partialjson.Stable(coerce.Arguments(all, c.schemas), c.open)
	text, ok := strings.CutPrefix(all, c.sent)
	if !ok {
		return ""
	}
	c.sent = all
	return text
}

// rest is what of converted arguments was not sent until the call ended.
func (s *engineStream) rest(c *slot) string {
	if s.engine.convert == nil {
		return ""
	}
	all, ok := s.engine.convert(c.raw.String(), false)
	if !ok {
		return ""
	}
	if _, name, named := s.engine.nameOf(c); named && !c.sentName {
		c.schemas, _ = properties(s.tools, name)
	}
	rest, ok := strings.CutPrefix(coerce.Arguments(all, c.schemas), c.sent)
	if !ok {
		return ""
	}
	c.sent += rest
	return rest
}

// joined merges the pieces of each call in one delta.
func joined(calls []CallDelta) []CallDelta {
	out := calls[:0]
	for _, c := range calls {
		i := slices.IndexFunc(out, func(o CallDelta) bool { return o.Index == c.Index })
		if i < 0 {
			out = append(out, c)
			continue
		}
		out[i].Arguments += c.Arguments
	}
	return out
}

// properties are the schemas of a tool's arguments; ok is false when the tool is not there.
func properties(tools []Tool, name string) (o *pyjson.Object, ok bool) {
	for _, t := range tools {
		if t.Name == name {
			v, _ := pyjson.DecodeString(string(t.Parameters)) // one that is no JSON has no properties
			schema, _ := v.(*pyjson.Object)
			o, _ = schema.Value("properties").(*pyjson.Object)
			return o, true
		}
	}
	return nil, false
}
