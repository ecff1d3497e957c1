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
	for i, item := range f.requiredList("messages") {
		if m, ok := item.(object); ok {
			f.inside("messages."+itoa(i), m, c.message)
		} else {
			f.fault("messages."+itoa(i), "dict_type", "Input should be a valid dictionary", item, "")
		}
	}
}

func (c *Chat) message(f *fields) {
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
	c.Messages = append(c.Messages, m)
}

// calls reads what an assistant called before. The template shows it as the model wrote it.
func calls(f *fields) []text.Call {
	var all []text.Call
	for i, v := range f.list("tool_calls") {
		f.inside("tool_calls."+itoa(i), asObject(v), func(call *fields) {
			function := call.dict("function")
			if function == nil {
				call.fault("function", "missing", "Field required", v, "")
			}
			call.inside("function", function, func(f *fields) {
				all = append(all, text.Call{Name: f.str("name"), Arguments: f.str("arguments")})
			})
		})
	}
	return all
}

// parts joins text parts by line breaks, as vLLM does for templates that take strings.
func (c *Chat) parts(f *fields, list []any) string {
	texts := make([]string, 0, len(list))
	for i, item := range list {
		if s, ok := item.(string); ok {
			texts = append(texts, s)
			continue
		}
		f.inside("content."+itoa(i), asObject(item), func(part *fields) {
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
		})
	}
	return strings.Join(texts, "\n")
}
