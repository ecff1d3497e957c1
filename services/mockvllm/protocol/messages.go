package protocol

import (
	"strconv"
	"strings"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/text"
)

func itoa(i int) string { return strconv.Itoa(i) }

// messages reads the conversation. vLLM tries each message against six shapes and reports the faults of all; here one
// fault a message tells what is wrong.
func (c *Chat) messages(f *fields) {
	v, there := f.from["messages"]
	if !there {
		f.fault("messages", "missing", "Field required", f.from, "")
		return
	}
	list, ok := v.([]any)
	if !ok {
		f.fault("messages", "list_type", "Input should be a valid list", v, "")
		return
	}
	for i, item := range list {
		m, ok := item.(object)
		if !ok {
			f.fault("messages."+itoa(i), "dict_type", "Input should be a valid dictionary", item, "")
			continue
		}
		inner := fields{from: m, loc: f.loc + ".messages." + itoa(i)}
		c.Messages = append(c.Messages, c.message(&inner))
		f.faults = append(f.faults, inner.faults...)
	}
}

func (c *Chat) message(f *fields) text.Message {
	m := text.Message{Role: f.str("role")}
	if m.Role == "" && len(f.faults) == 0 {
		f.fault("role", "missing", "Field required", f.from, "")
	}
	switch content := f.from["content"].(type) {
	case string:
		m.Content = content
	case []any:
		m.Content = c.parts(f, content)
	case nil:
		if _, there := f.from["content"]; there && m.Role == "user" {
			f.fault("content", "string_type", "Input should be a valid string", nil, "")
		}
	default:
		f.fault("content", "string_type", "Input should be a valid string", content, "")
	}
	m.Content += text.Markup(calls(f))
	return m
}

// calls reads what an assistant called before. The template shows it as the model wrote it.
func calls(f *fields) []text.Call {
	var all []text.Call
	for i, v := range f.list("tool_calls") {
		call := fields{from: asObject(v), loc: f.loc + ".tool_calls." + itoa(i)}
		function := fields{from: call.dict("function"), loc: call.loc + ".function"}
		if function.from == nil {
			call.fault("function", "missing", "Field required", v, "")
		}
		all = append(all, text.Call{Name: function.str("name"), Arguments: function.str("arguments")})
		f.faults = append(append(f.faults, call.faults...), function.faults...)
	}
	return all
}

// parts joins text parts by line breaks, as vLLM does for templates that take strings.
func (c *Chat) parts(f *fields, list []any) string {
	texts := make([]string, 0, len(list))
	for i, item := range list {
		loc := "content." + itoa(i)
		if s, ok := item.(string); ok {
			texts = append(texts, s)
			continue
		}
		part := fields{from: asObject(item), loc: f.loc + "." + loc}
		switch kind := part.from["type"]; kind {
		case "text":
			texts = append(texts, part.str("text"))
		case nil:
			part.fault("type", "missing", "Field required", item, "")
		case "image_url", "input_audio", "video_url", "audio_url", "image_embeds", "image_pil":
			c.media = true
		default:
			part.fault("type", "literal_error", "Input should be 'text'", kind, "{'expected': \"'text'\"}")
		}
		f.faults = append(f.faults, part.faults...)
	}
	return strings.Join(texts, "\n")
}
