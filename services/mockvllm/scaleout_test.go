package mockvllm_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fluidmcp/fluidmcp/services/mockvllm"
)

// TestScaleOutIsTheSameAsChat sends a request through render, generate and derender, plain and in chunks.
func TestScaleOutIsTheSameAsChat(t *testing.T) {
	s := run(t, func(c *mockvllm.Config) { c.Routes.ScaleOut = true })
	body := chatBody("Süßes 日本 😀, ja?", `,"max_tokens":40,"return_token_ids":true`)
	want := s.ask(chatPath, body).Choices[0].Message.Content
	_, rendered := s.call("POST", chatPath+"/render", body)
	var request struct {
		Tokens []int `json:"token_ids"`
	}
	if err := json.Unmarshal([]byte(rendered), &request); err != nil {
		t.Fatal(err)
	}
	prompt, _ := json.Marshal(request.Tokens) // numbers always encode
	_, generated := s.call("POST", "/inference/v1/generate", rendered)
	whole := s.ask(chatPath+"/derender", `{"generate_response":`+generated+`,"prompt_token_ids":`+string(prompt)+`}`)
	if got := whole.Choices[0].Message.Content; got != want {
		t.Errorf("derendered %q, want %q", got, want)
	}
	var words strings.Builder
	state := "null"
	for _, chunk := range s.stream("/inference/v1/generate", strings.Replace(rendered, `"stream":false`, `"stream":true`, 1)) {
		if chunk == "[DONE]" {
			break
		}
		_, text := s.call("POST", chatPath+"/derender", `{"stream":true,"generate_chunk":`+chunk+`,"stream_state":`+state+`,"prompt_token_ids":`+string(prompt)+`}`)
		var got struct {
			Chunk answer
			State json.RawMessage `json:"stream_state"`
		}
		if err := json.Unmarshal([]byte(text), &got); err != nil || len(got.Chunk.Choices) != 1 {
			t.Fatalf("%s: %v", text, err)
		}
		words.WriteString(got.Chunk.Choices[0].Delta.Content)
		state = string(got.State)
	}
	if diff := cmp.Diff(want, words.String()); diff != "" {
		t.Errorf("in chunks: (-want +got)\n%s", diff)
	}
}

// TestDerenderReadsCalls has a server with parsers take tokens apart.
func TestDerenderReadsCalls(t *testing.T) {
	s := run(t, func(c *mockvllm.Config) {
		c.Routes.ScaleOut = true
		c.ToolParser, c.AutoTools = "hermes", true
	})
	const tools = `"tools":[{"type":"function","function":{"name":"get_weather","parameters":{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}}}]`
	request := chatBody("weather in Paris", ","+tools)
	_, said := s.call("POST", "/tokenize", `{"prompt":"<tool_call>\n{\"name\": \"get_weather\", \"arguments\": {\"city\": \"Paris\"}}\n</tool_call>","add_special_tokens":false}`)
	var tokens struct{ Tokens []int }
	if err := json.Unmarshal([]byte(said), &tokens); err != nil {
		t.Fatal(err)
	}
	ids, _ := json.Marshal(tokens.Tokens) // numbers always encode
	_, whole := s.call("POST", chatPath+"/derender", `{"generate_response":{"choices":[{"index":0,"token_ids":`+string(ids)+`}]},"chat_request":`+request+`}`)
	if want := `"function":{"name":"get_weather","arguments":"{\"city\": \"Paris\"}"}}]`; !strings.Contains(whole, want) {
		t.Errorf("%s\nhas not %s", whole, want)
	}
	var arguments strings.Builder
	state, finish := "null", any(nil)
	for i, id := range tokens.Tokens {
		chunk, _ := json.Marshal(map[string]any{"choices": []any{map[string]any{"index": 0, "token_ids": []int{id},
			"finish_reason": map[bool]any{true: "stop"}[i == len(tokens.Tokens)-1]}}}) // always encodes
		_, text := s.call("POST", chatPath+"/derender", `{"stream":true,"generate_chunk":`+string(chunk)+`,"stream_state":`+state+`,"prompt_token_ids":[1],"chat_request":`+request+`}`)
		var got struct {
			Chunk struct {
				Choices []struct {
					Delta struct {
						Calls []struct{ Function struct{ Arguments string } } `json:"tool_calls"`
					}
					Finish any `json:"finish_reason"`
				}
			}
			State json.RawMessage `json:"stream_state"`
		}
		if err := json.Unmarshal([]byte(text), &got); err != nil || len(got.Chunk.Choices) != 1 {
			t.Fatalf("%s: %v", text, err)
		}
		for _, c := range got.Chunk.Choices[0].Delta.Calls {
			arguments.WriteString(c.Function.Arguments)
		}
		finish, state = got.Chunk.Choices[0].Finish, string(got.State)
	}
	if arguments.String() != `{"city": "Paris"}` || finish != "tool_calls" {
		t.Errorf("arguments %q, finish reason %v", arguments.String(), finish)
	}
}
