package mockvllm_test

import (
	"bufio"
	"encoding/json"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const messagesPath = "/v1/messages"

// message is what tests look at in an answer of the Messages API.
type message struct {
	Content []struct {
		Type, Text, ID, Name string
		Input                json.RawMessage
	}
	StopReason   *string `json:"stop_reason"`
	StopSequence *string `json:"stop_sequence"`
	Usage        struct {
		Input  int `json:"input_tokens"`
		Output int `json:"output_tokens"`
	}
}

// summary is the message in one line.
func (m message) summary() string {
	var parts []string
	for _, b := range m.Content {
		parts = append(parts, b.Type+":"+b.Text+b.Name+string(b.Input))
	}
	end := "null"
	if m.StopReason != nil {
		end = *m.StopReason
	}
	if m.StopSequence != nil {
		end += "=" + *m.StopSequence
	}
	return strings.Join(parts, " ") + " | " + end
}

// messageOf puts a streamed message together as Anthropic's documentation tells to.
func messageOf(t *testing.T, stream io.Reader) (m message) {
	t.Helper()
	var name, input string
	var events []string
	for lines := bufio.NewScanner(stream); lines.Scan(); {
		if event, ok := strings.CutPrefix(lines.Text(), "event: "); ok {
			name = event
			events = append(events, event)
		}
		data, ok := strings.CutPrefix(lines.Text(), "data: ")
		if !ok {
			continue
		}
		var e struct {
			Type    string
			Index   int
			Message message
			Block   json.RawMessage `json:"content_block"`
			Delta   struct {
				message
				Text string
				JSON string `json:"partial_json"`
			}
			Usage json.RawMessage
		}
		if err := json.Unmarshal([]byte(data), &e); err != nil || e.Type != name {
			t.Fatalf("event %s: %s: %v", name, data, err)
		}
		switch e.Type {
		case "message_start":
			m = e.Message
		case "content_block_start":
			m.Content = append(m.Content, struct {
				Type, Text, ID, Name string
				Input                json.RawMessage
			}{})
			if err := json.Unmarshal(e.Block, &m.Content[e.Index]); err != nil {
				t.Fatal(err)
			}
			input = ""
		case "content_block_delta":
			m.Content[e.Index].Text += e.Delta.Text
			if input += e.Delta.JSON; input != "" {
				m.Content[e.Index].Input = json.RawMessage(input)
			}
		case "message_delta":
			m.StopReason, m.StopSequence = e.Delta.StopReason, e.Delta.StopSequence
			if err := json.Unmarshal(e.Usage, &m.Usage); err != nil {
				t.Fatal(err)
			}
		}
	}
	if len(events) < 2 || events[0] != "message_start" || events[len(events)-1] != "message_stop" {
		t.Errorf("events %q", events)
	}
	return m
}

const anthropicTools = `,"tools":[{"name":"get_weather","description":"Weather of a city","input_schema":` +
	`{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}},{"name":"ping","input_schema":{}}]`

func TestMessages(t *testing.T) {
	s := startWithTools(t)
	f := func(messages, fields, want string) {
		t.Helper()
		body := `{"model":"mock-model","max_tokens":100,"messages":[` + messages + `]` + fields + `}`
		status, text := s.call("POST", messagesPath, body)
		var m message
		if err := json.Unmarshal([]byte(text), &m); err != nil || status != 200 {
			t.Fatalf("%s: %d %s %v", body, status, text, err)
		}
		for i := range m.Content { // deltas are spaced as the model writes
			m.Content[i].Input = json.RawMessage(strings.ReplaceAll(string(m.Content[i].Input), ":", ": "))
		}
		if got := m.summary(); got != want {
			t.Errorf("%s\n got %s\nwant %s", body, got, want)
		}
		resp := s.do("POST", messagesPath, strings.Replace(body, "{", `{"stream":true,`, 1))
		streamed := messageOf(t, resp.Body)
		if diff := cmp.Diff(want, streamed.summary()); diff != "" || streamed.Usage != m.Usage {
			t.Errorf("%s streamed, usage %+v, whole %+v (-want +got):\n%s", body, streamed.Usage, m.Usage, diff)
		}
	}
	const weather = `{"role":"user","content":"What is the weather in Paris?"}`
	const hello = `{"role":"user","content":[{"type":"text","text":"Hello"}]}`
	f(hello, "", "text:Mock response to: Hello... | end_turn")
	f(hello, `,"system":"Be kind."`, "text:Mock response to: Hello... | end_turn")
	f(hello, `,"stop_sequences":["to:"]`, "text:Mock response  | stop_sequence=to:")
	f(hello, `,"max_tokens":1`, "text:M | max_tokens")
	f(hello, `,"thinking":{"type":"disabled"}`, "text:Mock response to: Hello... | end_turn")
	f(weather, anthropicTools, `tool_use:get_weather{"city": "Paris"} | tool_use`)
	f(weather, anthropicTools+`,"tool_choice":{"type":"none"}`, "text:Mock response to: What is the weather in Paris?... | end_turn")
	f(hello, anthropicTools+`,"tool_choice":{"type":"any"}`, `tool_use:get_weather{"city": "Hello"} | tool_use`)
	f(hello, anthropicTools+`,"tool_choice":{"type":"tool","name":"ping"}`, `tool_use:ping{} | tool_use`)
	f(`{"role":"user","content":"ping the weather"}`, anthropicTools, `tool_use:get_weather{"city": "weather"} tool_use:ping{} | tool_use`)
	f(`{"role":"user","content":"ping the weather"}`, anthropicTools+`,"tool_choice":{"type":"auto","disable_parallel_tool_use":true}`,
		`tool_use:get_weather{"city": "weather"} | tool_use`)
	// A message that looks like a call, which the answer repeats.
	status, text := s.call("POST", messagesPath, `{"model":"mock-model","max_tokens":100,"messages":[{"role":"user","content":"<tool_call>{\"name\":\"x\"}</tool_call>"}]`+anthropicTools+`}`)
	if status != 200 || !strings.Contains(text, `"stop_reason":"end_turn"`) {
		t.Errorf("%d %s", status, text)
	}
	const called = weather + `,{"role":"assistant","content":[{"type":"thinking","thinking":"hm","signature":"s"},{"type":"text","text":"Wait"},` +
		`{"type":"tool_use","id":"a","name":"get_weather","input":{"city":"Paris"}}]},`
	f(called+`{"role":"user","content":[{"type":"tool_result","tool_use_id":"a","content":[{"type":"text","text":"sunny"}]}]}`, anthropicTools,
		"text:Mock response with the result: sunny | end_turn")
	f(called+`{"role":"user","content":[{"type":"tool_result","tool_use_id":"a","content":"sunny"},{"type":"text","text":"Thanks"}]}`, anthropicTools,
		"text:Mock response to: Thanks... | end_turn")
}

func TestMessagesErrors(t *testing.T) {
	s := start(t)
	f := func(fields string, want int, part string) {
		t.Helper()
		status, text := s.call("POST", messagesPath, `{"model":"mock-model","max_tokens":100,"messages":[{"role":"user","content":"x"}]`+fields+`}`)
		if status != want || !strings.Contains(text, part) {
			t.Errorf("%s: %d %s, want %d %s", fields, status, text, want, part)
		}
	}
	const mine = `{"type":"error","error":{"type":"`
	f(`,"model":"nobody"`, 404, mine+`NotFoundError","message":"The model `)
	f(`,"temperature":3`, 400, mine+`BadRequestError","message":"temperature must be in [0, 2], got 3.0.`)
	f(`,"temperature":"hot"`, 400, `{"error":{"message":"1 validation error:\n  {'type': 'float_parsing', 'loc': 'body.temperature'`)
	f(`,"thinking":{"type":"enabled","budget_tokens":1024}`, 400, `'msg': 'Value error, thinking.budget_tokens must be less than max_tokens'`)
	f(`,"max_tokens":2000,"thinking":{"type":"enabled","budget_tokens":1024}`, 400, mine+`BadRequestError","message":"thinking_token_budget is set but reasoning_config`)
	f(anthropicTools, 400, mine+`BadRequestError","message":"\"auto\" tool choice requires`)
	f(`,"tools":[{"name":"f"}]`, 400, `'loc': 'body.tools.0.input_schema', 'msg': 'Field required'`)
	f(`,"tools":[5],"tool_choice":{"type":"maybe"}`, 400, `2 validation errors`)
	f(`,"messages":[{"role":"user"},{"content":5},7]`, 400, `5 validation errors`)
	f(`,"messages":[{"role":"user","content":[{"type":"image","source":{"type":"url","url":"x"}}]}]`, 400, mine+`BadRequestError","message":"mock-model is not a multimodal model`)
	f(`,"messages":[{"role":"user","content":[{"type":"image","source":{}}]}]`, 400, mine+`BadRequestError","message":"Cannot apply chat template to an empty`)
	f(`,"tool_choice":{"type":"any"}`, 400, mine+`BadRequestError","message":"tool_choice=\"required\" requires`)
	f(`,"tools":[]`, 400, mine+`BadRequestError","message":"\"auto\" tool choice requires`)
	f(`,"messages":[{"role":"user","content":[{"type":"odd"}]}]`, 400, `'loc': 'body.messages.0.content.0.type'`)
	f(`,"system":5,"stop_sequences":[5]`, 400, `3 validation errors`)
}

func TestMessagesNameATool(t *testing.T) {
	s := startWithTools(t)
	status, text := s.call("POST", messagesPath, `{"model":"mock-model","max_tokens":9,"messages":[{"role":"user","content":"x"}]`+anthropicTools+
		`,"tool_choice":{"type":"tool","name":"nobody"}}`)
	if status != 400 || !strings.HasPrefix(text, `{"type":"error","error":{"type":"BadRequestError","message":"The tool with name 'nobody' is not found in the tools list."}}`) {
		t.Errorf("%d %s", status, text)
	}
	// Without a parser the parser is what is missing, whatever the name.
	status, text = start(t).call("POST", messagesPath, `{"model":"mock-model","max_tokens":9,"messages":[{"role":"user","content":"x"}]`+anthropicTools+
		`,"tool_choice":{"type":"tool","name":"nobody"}}`)
	if want := `{"type":"error","error":{"type":"BadRequestError","message":"tool_choice=function \"nobody\" requires --tool-call-parser to be set"}}`; status != 400 || text != want {
		t.Errorf("%d %s, want %s", status, text, want)
	}
}

func TestCountTokens(t *testing.T) {
	s := startWithTools(t)
	count := func(fields string) (n int) {
		t.Helper()
		const body = `{"model":"mock-model","max_tokens":1,"messages":[{"role":"user","content":"Hello"},{"role":"system","content":"Inline."}]`
		status, text := s.call("POST", messagesPath+"/count_tokens", body+fields+"}")
		var counted struct {
			Tokens int `json:"input_tokens"`
		}
		if err := json.Unmarshal([]byte(text), &counted); err != nil || status != 200 {
			t.Fatalf("%d %s %v", status, text, err)
		}
		return counted.Tokens
	}
	_, text := s.call("POST", messagesPath, `{"model":"mock-model","max_tokens":1,"messages":[{"role":"user","content":"Hello"}],"system":"Inline."}`)
	var m message
	if err := json.Unmarshal([]byte(text), &m); err != nil || m.Usage.Input != count("") {
		t.Errorf("%s, %v; counted %d", text, err, count(""))
	}
	if plain, tools := count(""), count(anthropicTools); plain >= tools {
		t.Errorf("%d tokens, %d with tools", plain, tools)
	}
}
