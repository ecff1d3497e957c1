package generation

import (
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/sampling"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/text/structured"
)

// constrain lets an answer have the form that a request prescribes.
func (w *Work) constrain() *protocol.Error {
	c := w.Params.Constraint
	if c == nil {
		return nil
	}
	form, err := structured.Compile(structured.Kind(c.Kind), specification(c))
	if err != nil {
		return protocol.BadRequest("%s", err)
	}
	w.form, w.Prompt.Says = form, form.Generate
	return nil
}

// unfollowed is why the engine fails where it takes the constraint up, "" where it follows it.
func (w *Work) unfollowed() string {
	switch {
	case w.form == nil || !w.model.fails(w.form):
		return ""
	case w.form.Void:
		return "no text has the form that its constraint prescribes"
	}
	return "its constraint needs llguidance, and an engine follows all constraints with the library that the first one needed: xgrammar"
}

// Libraries by which an engine follows constraints: the one of its first constraint is that of all.
const (
	noLibrary = iota
	xgrammar
	guidance
)

// fails tells whether the engine cannot follow a constraint that vLLM has found good.
func (m *Model) fails(c *structured.Constraint) bool {
	first := int32(xgrammar)
	if c.Second {
		first = guidance
	}
	m.library.CompareAndSwap(noLibrary, first)
	return (c.Void || c.Fails) && m.library.Load() == xgrammar
}

// specification is what vLLM makes of a constraint before it looks at it: a schema is a text too.
func specification(c *sampling.Constraint) string {
	if text, ok := c.Spec.(string); ok {
		return text
	}
	return pyjson.Dumps(c.Spec)
}
