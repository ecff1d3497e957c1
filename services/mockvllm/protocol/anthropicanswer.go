package protocol

import (
	"bytes"
	"encoding/json"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/text"
)

// CountTokens answers /v1/messages/count_tokens.
func (c *Chat) CountTokens(m Model) ([]byte, *Error) {
	prompt, err := c.render(m)
	if err != nil {
		return nil, err
	}
	type original struct {
		Tokens int `json:"original_input_tokens"`
	}
	n := len(text.Encode(prompt))
	return Marshal(struct {
		InputTokens int      `json:"input_tokens"`
		Context     original `json:"context_management"`
	}{n, original{n}}), nil
}

// block is a piece of a message's content.
type block struct {
	Type  string          `json:"type"`
	Text  *jsonText       `json:"text,omitempty"`
	ID    string          `json:"id,omitempty"`
	Name  *jsonText       `json:"name,omitempty"`
	Input json.RawMessage `json:"input,omitempty"`
}

func textBlock(s string) block { return block{Type: "text", Text: (*jsonText)(&s)} }

func callBlock(name string, input []byte) block {
	return block{Type: "tool_use", ID: newCallID(), Name: (*jsonText)(&name), Input: input}
}

type messageUsage struct {
	Input  int `json:"input_tokens"`
	Output int `json:"output_tokens"`
}

// stopReason is Anthropic's word for a finish reason, or nil where it has none: for an answer that the server broke off.
// A call is a call, also when the client named the tool.
func stopReason(c Choice) any {
	switch {
	case c.Finish == text.FinishLength:
		return "max_tokens"
	case c.Finish == text.FinishAbort:
		return nil
	case len(c.Calls) > 0:
		return "tool_use"
	case c.Stop != nil:
		return "stop_sequence"
	}
	return "end_turn"
}

// stopSequence is the stop string that ended a message, or nil. A call ends one before any.
func stopSequence(c Choice) any {
	if stopReason(c) == "stop_sequence" {
		return c.Stop
	}
	return nil
}

// MessageBody is a whole message. Unlike chat completions it leaves nulls out.
func MessageBody(h Head, choices []Choice, u Usage) []byte {
	c := choices[0]
	content := []block{}
	if c.Text != "" {
		content = append(content, textBlock(c.Text))
	}
	for _, call := range c.Calls {
		var input bytes.Buffer
		if err := json.Compact(&input, []byte(call.Arguments)); err != nil {
			panic("BUG: arguments of a call are not JSON: " + call.Arguments)
		}
		content = append(content, callBlock(call.Name, input.Bytes()))
	}
	return Marshal(struct {
		ID           jsonText     `json:"id"`
		Type         string       `json:"type"`
		Role         string       `json:"role"`
		Content      []block      `json:"content"`
		Model        jsonText     `json:"model"`
		StopReason   any          `json:"stop_reason,omitempty"`
		StopSequence any          `json:"stop_sequence,omitempty"`
		Usage        messageUsage `json:"usage"`
	}{jsonText(h.ID), "message", "assistant", content, jsonText(h.Model), stopReason(c), stopSequence(c), messageUsage{u.Prompt, u.Completion}})
}
