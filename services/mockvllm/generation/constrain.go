package generation

import (
	"math/rand/v2"

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
	w.Prompt.Says = form.Generate
	return nil
}

// specification is what vLLM makes of a constraint before it looks at it: a schema is a text too.
func specification(c *sampling.Constraint) string {
	if text, ok := c.Spec.(string); ok {
		return text
	}
	return pyjson.Dumps(c.Spec)
}

// said is what the request makes choice say.
func (m *Model) said(prompt *Prompt, seed uint64) string {
	return prompt.Says(structured.Source{Rand: rand.New(rand.NewPCG(seed, golden)), Guide: m.Mode != Random, Asked: prompt.Asked}) //nolint:gosec // no secret
}
