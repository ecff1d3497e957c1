package template

import (
	"slices"
	"strings"
	"unicode"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
)

// tag is put behind the final message, and the prompt is cut where it comes out: a template need not know that the message
// goes on. When the space at its end is gone, the template has trimmed the message.
const tag = "CONTINUE_FINAL_MESSAGE_TAG "

// continued renders a conversation whose final message goes on (continue_final_message), as transformers does.
func (t *Template) continued(in Input) (string, error) {
	if len(in.Messages) == 0 {
		return "", &Error{"Cannot apply chat template to an empty conversation. Provide at least one message."}
	}
	if in.AddGenerationPrompt {
		return "", &Error{"continue_final_message and add_generation_prompt are not compatible. Use continue_final_message when you want the model to continue the final message, and add_generation_prompt when you want to add a header that will prompt it to start a new assistant message instead."}
	}
	final := in.Messages[len(in.Messages)-1].Clone()
	content := final.Value("content")
	if content == nil {
		return "", &Error{`continue_final_message is set but the final message has no "content" to continue!`}
	}
	if !strings.Contains(t.source, "content") {
		return "", &Error{`continue_final_message is set to "content" but this is not an accepted field in the chat_template`}
	}
	text, marked, ok := mark(content)
	if !ok {
		return "", &Error{"continue_final_message is set but we could not find any text to continue in the final message!"}
	}
	final.Set("content", marked)
	in.Messages = append(slices.Clone(in.Messages[:len(in.Messages)-1]), final)
	rendered, err := t.tree.Render(in.vars())
	if err != nil {
		return "", err
	}
	text = strings.TrimFunc(text, unicode.IsSpace)
	at := strings.LastIndex(rendered, strings.TrimSpace(tag))
	if at < 0 || !strings.Contains(rendered, text) {
		return "", &Error{"continue_final_message is set but the final message does not appear in the chat after " +
			"applying the chat template! This can happen if the chat template deletes portions of " +
			"the final message. Please verify the chat template and final message in your chat to " +
			"ensure they are compatible.Final message to continue: " + text + "\nRendered chat:\n" + rendered}
	}
	if strings.HasPrefix(rendered[at:], tag) {
		return rendered[:at], nil
	}
	return strings.TrimRightFunc(rendered[:at], unicode.IsSpace), nil
}

// mark puts the tag behind a content, or behind the last text among its parts.
func mark(content any) (text string, marked any, ok bool) {
	if s, ok := content.(string); ok {
		return s, s + tag, true
	}
	parts, _ := content.([]any)
	for i := len(parts) - 1; i >= 0; i-- {
		part, _ := parts[i].(*pyjson.Object)
		if text, ok := part.Value("text").(string); ok {
			part = part.Clone()
			part.Set("text", text+tag)
			parts = slices.Clone(parts)
			parts[i] = part
			return text, parts, true
		}
	}
	return "", nil, false
}
