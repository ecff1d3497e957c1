package responses

import (
	"net/http"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol/request"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema"
)

// conversation turns a request into what a chat request has.
func conversation(v *schema.Values) (request.Conversation, *protocol.Error) {
	c := request.Conversation{AddGenerationPrompt: true, Kwargs: v.Object("chat_template_kwargs"), Tools: tools(v),
		Media: request.ReadMedia(v)}
	if reasoning := v.Values("reasoning"); reasoning != nil {
		c.Effort = request.Str(reasoning, "effort")
	}
	if instructions := request.Str(v, "instructions"); instructions != "" {
		c.Messages = append(c.Messages, message("system", instructions))
	}
	if text, ok := v.Str("input"); ok {
		c.Messages = append(c.Messages, message("user", text))
		return c, nil
	}
	items := request.List(v, "input")
	for _, item := range items {
		if err := add(&c, item); err != nil {
			return c, err
		}
	}
	if len(items) > 0 {
		last := protocol.Members(items[len(items)-1])
		kind, _ := last("type").(string)
		status, _ := last("status").(string)
		c.ContinueFinalMessage = (kind == "" || kind == "message" || kind == "reasoning") && (status == "in_progress" || status == "incomplete")
		c.AddGenerationPrompt = !c.ContinueFinalMessage
	}
	return c, nil
}

func message(role string, content any) *pyjson.Object {
	return pyjson.NewObject(pyjson.Member{Key: "role", Value: role}, pyjson.Member{Key: "content", Value: content})
}

// add takes an item in: a message of its own, or a part of the assistant's message before it. Items that are models were told
// apart by the schema; others are as the client wrote them.
func add(c *request.Conversation, item any) *protocol.Error {
	get := protocol.Members(item)
	kind, _ := get("type").(string)
	_, isModel := item.(*schema.Values)
	role, hasRole := get("role").(string)
	switch {
	case kind == "function_call" && isModel:
		name, _ := get("name").(string)
		if space, _ := get("namespace").(string); space != "" {
			name = flatName(space, name)
		}
		call(c, get("call_id"), name, get("arguments"))
	case kind == "custom_tool_call":
		input, _ := get("input").(string)
		call(c, get("call_id"), get("name"), pyjson.Dumps(pyjson.NewObject(pyjson.Member{Key: "input", Value: input})))
	case kind == "reasoning" && isModel:
		return thought(c, get)
	case kind == "message" && isModel:
		return said(c, get)
	case kind == "function_call_output" || kind == "custom_tool_call_output":
		m := message("tool", objects(get("output")))
		m.Set("tool_call_id", get("call_id"))
		c.Messages = append(c.Messages, m)
	case role == "assistant" && firstText(get("content")) != nil:
		answered(c, firstText(get("content")))
	case hasRole:
		c.Messages = append(c.Messages, message(role, objects(get("content"))))
	default:
		return protocol.BadValue("input", "", "Unsupported input item type: %s", pyjson.Str(get("type")))
	}
	return nil
}

// said takes a message of the assistant, of whose parts only the first counts.
func said(c *request.Conversation, item func(string) any) *protocol.Error {
	parts, _ := item("content").([]any)
	if len(parts) == 0 {
		return internal("list index out of range")
	}
	first := protocol.Members(parts[0])
	if first("type") == "refusal" {
		return internal("'ResponseOutputRefusal' object has no attribute 'text'")
	}
	answered(c, first("text"))
	return nil
}

func internal(message string) *protocol.Error {
	return &protocol.Error{Status: http.StatusInternalServerError, Type: protocol.TypeInternal, Message: message}
}

// answered adds what the assistant said, to its message when that has nothing said yet.
func answered(c *request.Conversation, text any) {
	if previous := assistant(c); previous != nil {
		if previous.Value("content") == nil {
			previous.Set("content", text)
			return
		}
	}
	c.Messages = append(c.Messages, message("assistant", text))
}

// firstText is a content that is a text, or the text of its first part; nil when there is none.
func firstText(content any) any {
	if text, ok := content.(string); ok {
		return text
	}
	if list, ok := objects(content).([]any); ok && len(list) > 0 {
		if text, ok := protocol.Members(list[0])("text").(string); ok {
			return text
		}
	}
	return nil
}

// assistant is the last message, when the assistant said it.
func assistant(c *request.Conversation) *pyjson.Object {
	if len(c.Messages) == 0 {
		return nil
	}
	last := c.Messages[len(c.Messages)-1].(*pyjson.Object)
	if last.Value("role") != "assistant" {
		return nil
	}
	return last
}

func call(c *request.Conversation, id, name, arguments any) {
	function := pyjson.NewObject(pyjson.Member{Key: "name", Value: name}, pyjson.Member{Key: "arguments", Value: arguments})
	made := pyjson.NewObject(pyjson.Member{Key: "id", Value: id}, pyjson.Member{Key: "function", Value: function},
		pyjson.Member{Key: "type", Value: "function"})
	m := assistant(c)
	if m == nil {
		m = pyjson.NewObject(pyjson.Member{Key: "role", Value: "assistant"})
		c.Messages = append(c.Messages, m)
	}
	list, _ := m.Value("tool_calls").([]any)
	m.Set("tool_calls", append(list, made))
}

// thought adds reasoning of earlier turns.
func thought(c *request.Conversation, item func(string) any) *protocol.Error {
	if s, _ := item("encrypted_content").(string); s != "" {
		return protocol.BadValue("input", "", "Encrypted content is not supported.")
	}
	text := ""
	for _, name := range []string{"summary", "content"} {
		if list, _ := item(name).([]any); len(list) > 0 {
			text, _ = protocol.Members(list[0])("text").(string)
		}
	}
	if m := assistant(c); m != nil {
		if _, thought := m.Get("reasoning"); !thought {
			m.Set("reasoning", text)
			return nil
		}
	}
	c.Messages = append(c.Messages, pyjson.NewObject(pyjson.Member{Key: "role", Value: "assistant"}, pyjson.Member{Key: "reasoning", Value: text}))
	return nil
}

// objects makes dicts of the parts of a content, which may be models.
func objects(content any) any {
	list, ok := content.([]any)
	if it, lazy := content.(*schema.Iterator); lazy {
		list, ok = it.Raw(), true
	}
	if !ok {
		return content
	}
	parts := make([]any, len(list))
	for i, part := range list {
		parts[i] = schema.Dumped(part)
	}
	return parts
}
