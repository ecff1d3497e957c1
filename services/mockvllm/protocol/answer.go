package protocol

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/text"
)

// Head is what all parts of one answer carry.
type Head struct {
	ID          string // with its prefix
	Created     int64  // Unix seconds
	Model       string // first served name
	Fingerprint string
}

// Choice is one finished answer.
type Choice struct {
	Text   string
	NoText bool // there is none, which is sent as null
	Calls  []text.Call
	Finish string
	Stop   any // the stop string or token id that was met, or nil
}

// Usage counts tokens.
type Usage struct{ Prompt, Completion int }

type nothing *struct{} // encodes as null

// jsonText is a string that is escaped as Python does, which encoding/json would not.
type jsonText string

// MarshalJSON is for encoding/json.
func (t jsonText) MarshalJSON() ([]byte, error) { return appendString(nil, string(t)), nil }

type usageBody struct {
	Prompt            int     `json:"prompt_tokens"`
	Total             int     `json:"total_tokens"`
	Completion        int     `json:"completion_tokens"`
	PromptDetails     nothing `json:"prompt_tokens_details"`
	CompletionDetails nothing `json:"completion_tokens_details"`
}

func newUsage(u Usage) usageBody {
	return usageBody{Prompt: u.Prompt, Total: u.Prompt + u.Completion, Completion: u.Completion}
}

type head struct {
	ID      jsonText `json:"id"`
	Object  string   `json:"object"`
	Created int64    `json:"created"`
	Model   jsonText `json:"model"`
}

type tail struct {
	ServiceTier       nothing   `json:"service_tier"`
	SystemFingerprint string    `json:"system_fingerprint"`
	Usage             usageBody `json:"usage"`
}

type transfer struct {
	KV      nothing `json:"kv_transfer_params"`
	EC      nothing `json:"ec_transfer_params"`
	Metrics nothing `json:"metrics"`
}

type chatMessage struct {
	Role         string     `json:"role"`
	Content      *jsonText  `json:"content"`
	Refusal      nothing    `json:"refusal"`
	Annotations  nothing    `json:"annotations"`
	Audio        nothing    `json:"audio"`
	FunctionCall nothing    `json:"function_call"`
	ToolCalls    []callBody `json:"tool_calls,omitempty"`
	Reasoning    nothing    `json:"reasoning"`
}

type callBody struct {
	ID       string       `json:"id"`
	Type     string       `json:"type"`
	Function functionBody `json:"function"`
}

type functionBody struct {
	Name      jsonText `json:"name"`
	Arguments jsonText `json:"arguments"`
}

// newCallID makes the id of a call.
func newCallID() string { return "chatcmpl-tool-" + NewID() }

// message is what a chat choice says.
func (c Choice) message() chatMessage {
	m := chatMessage{Role: "assistant"}
	if !c.NoText {
		m.Content = (*jsonText)(&c.Text)
	}
	for _, call := range c.Calls {
		m.ToolCalls = append(m.ToolCalls, callBody{newCallID(), "function", functionBody{jsonText(call.Name), jsonText(call.Arguments)}})
	}
	return m
}

type chatChoice struct {
	Index         int         `json:"index"`
	Message       chatMessage `json:"message"`
	Logprobs      nothing     `json:"logprobs"`
	FinishReason  string      `json:"finish_reason"`
	StopReason    any         `json:"stop_reason"`
	TokenIDs      nothing     `json:"token_ids"`
	RoutedExperts nothing     `json:"routed_experts"`
}

// ChatBody is a whole chat completion.
func ChatBody(h Head, choices []Choice, u Usage) []byte {
	body := struct {
		head
		Choices []chatChoice `json:"choices"`
		tail
		PromptLogprobs nothing `json:"prompt_logprobs"`
		PromptTokenIDs nothing `json:"prompt_token_ids"`
		PromptText     nothing `json:"prompt_text"`
		transfer
	}{head: h.body("chat.completion"), tail: h.tail(u)}
	for i, c := range choices {
		body.Choices = append(body.Choices, chatChoice{Index: i, FinishReason: c.Finish, StopReason: c.Stop, Message: c.message()})
	}
	return Marshal(body)
}

type textChoice struct {
	Index          int      `json:"index"`
	Text           jsonText `json:"text"`
	Logprobs       nothing  `json:"logprobs"`
	FinishReason   string   `json:"finish_reason"`
	StopReason     any      `json:"stop_reason"`
	TokenIDs       nothing  `json:"token_ids"`
	PromptLogprobs nothing  `json:"prompt_logprobs"`
	PromptTokenIDs nothing  `json:"prompt_token_ids"`
	RoutedExperts  nothing  `json:"routed_experts"`
}

// CompletionBody is a whole text completion.
func CompletionBody(h Head, choices []Choice, u Usage) []byte {
	body := struct {
		head
		Choices []textChoice `json:"choices"`
		tail
		transfer
	}{head: h.body("text_completion"), tail: h.tail(u)}
	for i, c := range choices {
		body.Choices = append(body.Choices, textChoice{Index: i, Text: jsonText(c.Text), FinishReason: c.Finish, StopReason: c.Stop})
	}
	return Marshal(body)
}

func (h Head) body(object string) head {
	return head{jsonText(h.ID), object, h.Created, jsonText(h.Model)}
}

func (h Head) tail(u Usage) tail { return tail{SystemFingerprint: h.Fingerprint, Usage: newUsage(u)} }

// Marshal encodes a body that this package or its user declared.
func Marshal(v any) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		panic(fmt.Sprintf("BUG: %T does not encode: %v", v, err))
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}
