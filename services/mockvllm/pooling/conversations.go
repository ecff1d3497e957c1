package pooling

import (
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol/request"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema"
)

// conversations reads one conversation or several.
func (m Model) conversations(v *schema.Values, l limit) ([]prompt, *protocol.Error) {
	list, given := v.List("messages")
	if !given {
		list, _ = v.List("input")
	}
	conversations := []any{list}
	if len(list) > 0 {
		if _, several := list[0].([]any); several {
			conversations = list
		}
	}
	talk := request.ReadConversation(v)
	talk.Fetches = true
	var all []prompt
	for _, messages := range conversations {
		talk.Messages, _ = messages.([]any)
		p, err := m.talked(talk, v.Bool("add_special_tokens"), l)
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	return all, nil
}

func (m Model) talked(talk request.Conversation, special bool, l limit) (prompt, *protocol.Error) {
	text, err := talk.Render(m.Model)
	if err != nil {
		return prompt{}, err
	}
	return m.prompt(text, special, l)
}
