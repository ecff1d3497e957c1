package pooling

import (
	"fmt"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol/request"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/refmodel"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema"
)

// EmbedCohere answers /v2/embed, Cohere's interface.
func (m Model) EmbedCohere(h Head, v *schema.Values, body *pyjson.Object) (*Answer, *protocol.Error) {
	if kind, ok := v.Str("input_type"); ok {
		return nil, badRequest("Unsupported input_type '%s'. This model does not define any input_type task instructions.", kind)
	}
	prompts, err := m.coherePrompts(v, body, h.Model)
	if err != nil {
		return nil, err
	}
	if n, ok := v.Int("output_dimension"); ok {
		return nil, badRequest("Model '%s' does not support Matryoshka embeddings; dimensions must be unset (received dimensions=%d).", h.Model, n)
	}
	types, _ := v.List("embedding_types")
	if len(types) == 0 {
		types = []any{"float"}
	}
	wanted := map[any]bool{}
	for _, t := range types {
		wanted[t] = true
	}
	b := append(pyjson.AppendString([]byte(`{"id":`), "embd-"+h.ID), `,"embeddings":{`...)
	first := true
	for _, kind := range []string{"float", "binary", "ubinary", "base64"} {
		if !wanted[kind] {
			continue
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		b = fmt.Appendf(b, `"%s":[`, kind)
		for i, p := range prompts {
			b = cohereVector(append(b, comma(i)...), kind, refmodel.Normal(m.vector(p)))
		}
		b = append(b, ']')
	}
	b = append(b, '}')
	if texts, ok := v.List("texts"); ok {
		b = append(append(b, `,"texts":`...), pyjson.AppendJSON(nil, texts, pyjson.Format{Compact: true})...)
	}
	b = fmt.Appendf(b, `,"meta":{"api_version":{"version":"2"},"billed_units":{"input_tokens":%d,"image_tokens":0}},"response_type":"embeddings_by_type"}`,
		tokens(prompts))
	return &Answer{JSON: b, Prompts: read(prompts)}, nil
}

func (m Model) coherePrompts(v *schema.Values, body *pyjson.Object, model string) ([]prompt, *protocol.Error) {
	if _, images := v.List("images"); images {
		return nil, badRequest("%s is not a multimodal model", model)
	}
	side, _ := v.Str("truncate")
	l := limit{tokens: m.MaxLen, right: side == "END"}
	if side == "NONE" {
		l.tokens = -1
	}
	if n, ok := v.Int("max_tokens"); ok {
		l.tokens = int(n)
	}
	var all []prompt
	texts, _ := v.List("texts")
	for _, t := range texts {
		p, err := m.prompt(t, true, l)
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	inputs, _ := body.Value("inputs").([]any)
	for _, in := range inputs {
		o, _ := in.(*pyjson.Object)
		p, err := m.talked(request.Conversation{Messages: []any{pyjson.ObjectOf("role", "user", "content", o.Value("content"))}, Fetches: true}, false, l)
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	return all, nil
}

func cohereVector(b []byte, kind string, v []float32) []byte {
	switch kind {
	case "float":
		return format{}.append(b, v)
	case "base64":
		return format{encoding: "base64"}.append(b, v)
	}
	b = append(b, '[')
	for i, packed := range signs(v) {
		n := int(packed)
		if kind == "binary" {
			n -= 128
		}
		b = fmt.Appendf(b, "%s%d", comma(i), n)
	}
	return append(b, ']')
}
