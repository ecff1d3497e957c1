package messages

import (
	"strings"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol/request"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema"
)

// conversation turns a request into what a chat request has.
func conversation(v *schema.Values) (request.Conversation, *protocol.Error) {
	c := request.Conversation{AddGenerationPrompt: true, Kwargs: v.Object("chat_template_kwargs")}
	if config := v.Values("output_config"); config != nil {
		c.Effort = request.Str(config, "effort")
	}
	if thinking := v.Values("thinking"); thinking != nil && request.Str(thinking, "type") == "disabled" {
		c.Effort = "none"
	}
	system(&c, v.Get("system"))
	for _, m := range request.List(v, "messages") {
		if m := m.(*schema.Values); request.Str(m, "role") == "system" {
			system(&c, m.Get("content"))
		} else {
			c.Messages = append(c.Messages, turn(m)...)
		}
	}
	var err *protocol.Error
	c.Tools, err = tools(v)
	return c, err
}

// billing begins a text that Anthropic's own clients send with each request, and that no model is to see.
const billing = "x-anthropic-billing-header"

// system adds a system message, when there is something in it.
func system(c *request.Conversation, content any) {
	var b strings.Builder
	switch content := content.(type) {
	case string:
		b.WriteString(content)
	case []any:
		for _, block := range content {
			block := block.(*schema.Values)
			if text := request.Str(block, "text"); request.Str(block, "type") == "text" && !strings.HasPrefix(text, billing) {
				b.WriteString(text)
			}
		}
	}
	if b.Len() > 0 {
		c.Messages = append(c.Messages, message("system", b.String()))
	}
}

func message(role string, content any) *pyjson.Object {
	return pyjson.NewObject(pyjson.Member{Key: "role", Value: role}, pyjson.Member{Key: "content", Value: content})
}

// turn is one message: the results of tools in it are messages of their own, before what else it says.
func turn(m *schema.Values) (all []any) {
	role := request.Str(m, "role")
	list, blocks := m.List("content")
	if !blocks {
		return []any{message(role, m.Get("content"))}
	}
	t := parts{role: role}
	for _, block := range list {
		t.read(block.(*schema.Values))
	}
	said := pyjson.NewObject(pyjson.Member{Key: "role", Value: role})
	if t.reasoning != "" {
		said.Set("reasoning", t.reasoning)
	}
	if t.calls != nil {
		said.Set("tool_calls", t.calls)
	}
	if len(t.content) > 0 {
		said.Set("content", t.content)
	}
	if _, some := said.Get("content"); some || role != "user" {
		t.before = append(t.before, said)
	}
	return t.before
}

// parts collects the content of one message.
type parts struct {
	role      string
	before    []any // messages
	content   []any // parts of the message's content
	calls     []any
	reasoning string
}

func (p *parts) read(block *schema.Values) {
	switch request.Str(block, "type") {
	case "text":
		if text := request.Str(block, "text"); text != "" {
			p.content = append(p.content, part("text", "text", text))
		}
	case "image":
		if block.Object("source").Len() > 0 {
			p.content = append(p.content, part("image_url", "image_url", pyjson.NewObject(pyjson.Member{Key: "url", Value: ""})))
		}
	case "thinking":
		p.reasoning += request.Str(block, "thinking")
	case "tool_use":
		p.calls = append(p.calls, call(block))
	case "tool_result":
		p.result(block)
	}
}

func part(kind, key string, value any) *pyjson.Object {
	return pyjson.NewObject(pyjson.Member{Key: "type", Value: kind}, pyjson.Member{Key: key, Value: value})
}

func call(block *schema.Values) *pyjson.Object {
	input := block.Object("input")
	if input == nil {
		input = pyjson.NewObject()
	}
	function := pyjson.NewObject(pyjson.Member{Key: "name", Value: request.Str(block, "name")}, pyjson.Member{Key: "arguments", Value: pyjson.Dumps(input)})
	return pyjson.NewObject(pyjson.Member{Key: "id", Value: request.Str(block, "id")}, pyjson.Member{Key: "type", Value: "function"},
		pyjson.Member{Key: "function", Value: function})
}

// result reads what a tool answered.
func (p *parts) result(block *schema.Values) {
	content := block.Get("content")
	if p.role != "user" {
		text := ""
		if list, isList := content.([]any); content != nil && (!isList || len(list) > 0) {
			text = pyjson.Str(content)
		}
		p.content = append(p.content, part("text", "text", "Tool result: "+text))
		return
	}
	text, isText := content.(string)
	images, tools := false, []any(nil)
	if list, ok := content.([]any); ok && !isText {
		var texts []string
		for _, item := range list {
			o, _ := item.(*pyjson.Object)
			switch o.Value("type") {
			case "text":
				said, _ := o.Value("text").(string)
				texts = append(texts, said)
			case "image":
				images = true
			case "tool_reference":
				if name := reference(o); name != "" {
					tools = append(tools, part("tool_reference", "name", name))
				}
			}
		}
		text = strings.Join(texts, "\n")
	}
	id := request.Str(block, "tool_use_id")
	p.before = append(p.before, toolMessage(id, text))
	if images {
		p.before = append(p.before, message("user", []any{part("image_url", "image_url", pyjson.NewObject(pyjson.Member{Key: "url", Value: ""}))}))
	}
	if tools != nil {
		p.before = append(p.before, toolMessage(id, tools))
	}
}

func toolMessage(id string, content any) *pyjson.Object {
	m := message("tool", content)
	m.Set("tool_call_id", id)
	return m
}

// reference is the name of a tool that a result refers to.
func reference(o *pyjson.Object) string {
	for _, key := range []string{"tool_name", "name"} {
		if name, _ := o.Value(key).(string); name != "" {
			return name
		}
	}
	return ""
}
