package text

import (
	"strings"
	"unicode/utf8"
)

// Message is one turn of a conversation with its content parts joined.
type Message struct{ Role, Content string }

// Template says how a conversation is closed for the model.
type Template struct {
	Tools                []string // JSON of each, shown to the model first
	AddGenerationPrompt  bool     // open the assistant's turn after the last message
	ContinueFinalMessage bool     // leave the last message open
}

// Render writes a conversation as the model reads it, with a token that begins the text and one around each turn.
func (t Template) Render(messages []Message) string {
	var b strings.Builder
	b.WriteString("<|begin|>")
	if len(t.Tools) > 0 {
		b.WriteString("<|system|>\n" + strings.Join(t.Tools, "\n") + "\n<|end|>\n")
	}
	for i, m := range messages {
		b.WriteString("<|" + m.Role + "|>\n" + m.Content)
		if i < len(messages)-1 || !t.ContinueFinalMessage {
			b.WriteString("<|end|>\n")
		}
	}
	if t.AddGenerationPrompt {
		b.WriteString("<|assistant|>\n")
	}
	return b.String()
}

// LastUser returns the content of the last user message, or of the last message when no user spoke.
func LastUser(messages []Message) string {
	for i := len(messages) - 1; i >= 0; i-- {
		if messages[i].Role == "user" {
			return messages[i].Content
		}
	}
	if len(messages) == 0 {
		return ""
	}
	return messages[len(messages)-1].Content
}

// Guide is the answer mode "guide": it repeats the first 50 characters of what was asked.
func Guide(asked string) string {
	return "Mock response to: " + firstRunes(asked, 50) + "..."
}

func firstRunes(s string, n int) string {
	for i := range s {
		if n == 0 {
			return s[:i]
		}
		n--
	}
	return s
}

// Chars is the length of s in characters, as Python counts.
func Chars(s string) int { return utf8.RuneCountInString(s) }
