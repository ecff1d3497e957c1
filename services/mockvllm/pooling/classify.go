package pooling

import (
	"fmt"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema"
)

// Classify answers /classify.
func (m Model) Classify(h Head, v *schema.Values, _ *pyjson.Object) (*Answer, *protocol.Error) {
	prompts, err := m.prompts(v)
	if err != nil {
		return nil, err
	}
	b := envelope(h, "classify-")
	for i, p := range prompts {
		probs := classes(p.text, v.Get("use_activation") != false)
		best := 0
		if probs[1] > probs[0] {
			best = 1
		}
		b = fmt.Appendf(b, `%s{"index":%d,"label":"LABEL_%d","probs":`, comma(i), i, best)
		b = fmt.Appendf(format{}.append(b, probs), `,"num_classes":%d}`, len(probs))
	}
	return &Answer{JSON: appendUsage(append(b, ']'), tokens(prompts)), Prompts: read(prompts)}, nil
}
