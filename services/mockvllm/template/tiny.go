package template

import (
	"strings"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
)

// renderTiny writes what the template of the tiny model writes, in a tenth of the time. It leaves unusual messages to the
// template.
func renderTiny(in *Input) (string, bool) {
	size := 16 + len(in.BOSToken)
	for _, m := range in.Messages {
		s, _ := m.Value("content").(string)
		size += len(s) + 24
	}
	var b strings.Builder
	b.Grow(size)
	b.WriteString(in.BOSToken)
	if len(in.Tools) > 0 {
		b.WriteString("<|system|>\n")
		for _, tool := range in.Tools {
			b.Write(append(pyjson.AppendJSON(nil, tool, pyjson.Format{}), '\n'))
		}
		b.WriteString("<|end|>\n")
	}
	for _, m := range in.Messages {
		content := m.Value("content")
		r, ok := m.Value("role").(string)
		s, isText := content.(string)
		if !ok || !isText && content != nil {
			return "", false
		}
		b.WriteString("<|")
		b.WriteString(r)
		b.WriteString("|>\n")
		b.WriteString(s)
		b.WriteString("<|end|>\n")
	}
	if in.AddGenerationPrompt {
		b.WriteString("<|assistant|>\n")
	}
	return b.String(), true
}
