package protocol

import (
	"strings"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/text"
)

// conversation reads the messages. Those of the system go to the front, as in vLLM.
func (c *Chat) conversation(f *fields) {
	for i, item := range f.requiredList("messages") {
		if m, ok := item.(object); ok {
			f.inside("messages."+itoa(i), m, c.turn)
		} else {
			f.fault("messages."+itoa(i), "model_attributes_type", notAnObject, item, "")
		}
	}
}

// turn reads one message: its tool results are messages of their own, before what else it says.
func (c *Chat) turn(f *fields) {
	f.missing("role")
	role := f.literal("role", "user", "assistant", "system")
	b := blocks{chat: c, role: role}
	switch content := f.from["content"].(type) {
	case string:
		b.say(content)
	case []any:
		for i, item := range content {
			f.inside("content."+itoa(i), asObject(item), b.read)
		}
	default:
		if f.missing("content") {
			return
		}
		f.fault("content.str", "string_type", "Input should be a valid string", content, "")
		f.fault("content.list[AnthropicContentBlock]", "list_type", "Input should be a valid list", content, "")
	}
	words := strings.Join(b.texts, "\n")
	switch {
	case role == "system":
		c.systemMessage().Content += strings.Join(b.texts, "")
	case b.said || b.calls != nil || role == "assistant":
		c.Messages = append(c.Messages, text.Message{Role: role, Content: words + text.Markup(b.calls)})
	}
}

// blocks collects the content of one message.
type blocks struct {
	chat  *Chat
	role  string
	said  bool
	texts []string
	calls []text.Call
}

func (b *blocks) say(s string) {
	b.said = true
	b.texts = append(b.texts, s)
}

var blockTypes = []string{"text", "image", "tool_use", "tool_result", "tool_reference", "thinking", "redacted_thinking",
	"tool_addition", "tool_removal"}

// read takes one block. Earlier thinking is not shown to the model again.
func (b *blocks) read(f *fields) {
	if f.missing("type") {
		return
	}
	switch kind := f.literal("type", blockTypes...); kind {
	case "text":
		if s := f.str("text"); s != "" {
			b.say(s)
		}
	case "image":
		b.said, b.chat.media = true, true
	case "tool_use":
		b.calls = append(b.calls, text.Call{Name: f.str("name"), Arguments: pyJSON(orEmpty(f.dict("input")))})
	case "tool_result":
		f.str("tool_use_id")
		b.result(f.from["content"])
	case "tool_addition", "tool_removal":
		b.chat.ask(true, kind)
	}
}

// result reads what a tool answered.
func (b *blocks) result(content any) {
	var texts []string
	switch content := content.(type) {
	case string:
		texts = append(texts, content)
	case []any:
		for _, item := range content {
			part := asObject(item)
			switch s, _ := part["text"].(string); part["type"] {
			case "text":
				texts = append(texts, s)
			case "image":
				b.chat.media = true
			}
		}
	}
	if joined := strings.Join(texts, "\n"); b.role == "user" {
		b.chat.Messages = append(b.chat.Messages, text.Message{Role: "tool", Content: joined})
	} else {
		b.say("Tool result: " + joined)
	}
}

func orEmpty(o object) object {
	if o == nil {
		return object{}
	}
	return o
}

// system reads the system prompt, a text or a list of text blocks. It stands before system messages of the conversation.
func (c *Chat) system(f *fields) {
	b := blocks{chat: c, role: "system"}
	switch v := f.from["system"].(type) {
	case nil:
		return
	case string:
		b.say(v)
	case []any:
		for i, item := range v {
			f.inside("system."+itoa(i), asObject(item), b.read)
		}
	default:
		f.fault("system.str", "string_type", "Input should be a valid string", v, "")
		f.fault("system.list[AnthropicContentBlock]", "list_type", "Input should be a valid list", v, "")
	}
	if prompt := strings.Join(b.texts, ""); prompt != "" {
		first := c.systemMessage()
		first.Content = prompt + first.Content
	}
}

// systemMessage is the one at the front, made when there is none.
func (c *Chat) systemMessage() *text.Message {
	if len(c.Messages) == 0 || c.Messages[0].Role != "system" {
		c.Messages = append([]text.Message{{Role: "system"}}, c.Messages...)
	}
	return &c.Messages[0]
}
