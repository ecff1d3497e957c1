package template

import "github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"

// renderTiny writes what the template of the tiny model writes, in a tenth of the time. It leaves unusual messages to the
// template.
func renderTiny(in *Input) (string, bool) {
	size := 64 + len(in.BOSToken)
	for _, m := range in.Messages {
		c, _ := m.Get("content")
		s, _ := c.(string)
		size += len(s) + 32
	}
	b := append(make([]byte, 0, size), in.BOSToken...)
	if len(in.Tools) > 0 {
		b = append(b, "<|system|>\n"...)
		for _, tool := range in.Tools {
			b = append(pyjson.AppendJSON(b, tool, pyjson.Format{}), '\n')
		}
		b = append(b, "<|end|>\n"...)
	}
	for _, m := range in.Messages {
		role, _ := m.Get("role")
		content, _ := m.Get("content")
		r, ok := role.(string)
		s, isText := content.(string)
		if !ok || !isText && content != nil {
			return "", false
		}
		b = append(append(append(b, "<|"...), r...), "|>\n"...)
		b = append(append(b, s...), "<|end|>\n"...)
	}
	if in.AddGenerationPrompt {
		b = append(b, "<|assistant|>\n"...)
	}
	return string(b), true
}
