package pooling

import (
	"strings"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/template"
)

// conversations reads one conversation or several.
func (m Model) conversations(v *schema.Values, body *pyjson.Object, l limit, model string) ([]prompt, *protocol.Error) {
	if _, own := v.Str("chat_template"); own && !m.TrustTemplate {
		return nil, badRequest("Chat template is passed with request, but --trust-request-chat-template is not set. Refused request with untrusted chat template.")
	}
	raw, ok := body.Get("messages")
	if !ok {
		raw, _ = body.Get("input")
	}
	list, _ := raw.([]any)
	if len(list) == 0 {
		return nil, badRequest("Cannot apply chat template to an empty conversation. Provide at least one message.")
	}
	conversations := []any{raw}
	if _, several := list[0].([]any); several {
		conversations = list
	}
	var all []prompt
	for _, c := range conversations {
		messages, err := m.messages(c, model)
		if err != nil {
			return nil, err
		}
		rendered, err := m.render(template.Input{Messages: messages, AddGenerationPrompt: v.Bool("add_generation_prompt"),
			ContinueFinalMessage: v.Bool("continue_final_message")})
		if err != nil {
			return nil, err
		}
		p, err := m.prompt(rendered, v.Bool("add_special_tokens"), l)
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	return all, nil
}

// render applies the chat template.
func (m Model) render(in template.Input) (string, *protocol.Error) {
	in.BOSToken, in.EOSToken = m.Tokens.Text(m.Tokens.BOS()), m.Tokens.Text(m.Tokens.EOS())
	text, err := m.Template.Render(in)
	if err != nil {
		return "", badRequest("%s", err)
	}
	return text, nil
}

func message(role, content any) *pyjson.Object {
	return pyjson.NewObject(pyjson.Member{Key: "role", Value: role}, pyjson.Member{Key: "content", Value: content})
}

func (m Model) messages(conversation any, model string) ([]*pyjson.Object, *protocol.Error) {
	list, _ := conversation.([]any)
	var messages []*pyjson.Object
	for _, item := range list {
		o, _ := item.(*pyjson.Object)
		role, _ := o.Get("role")
		content, _ := o.Get("content")
		words, err := contentText(content, model)
		if err != nil {
			return nil, err
		}
		messages = append(messages, message(role, words))
	}
	return messages, nil
}

// contentText joins the parts of a message.
func contentText(content any, model string) (string, *protocol.Error) {
	if s, ok := content.(string); ok {
		return s, nil
	}
	parts, _ := content.([]any)
	var words []string
	for _, part := range parts {
		o, _ := part.(*pyjson.Object)
		kind, _ := o.Get("type")
		if kind != "text" {
			return "", badRequest("%s is not a multimodal model", model)
		}
		s, _ := o.Get("text")
		word, _ := s.(string)
		words = append(words, word)
	}
	return strings.Join(words, "\n"), nil
}
