package mockvllm_test

import (
	"encoding/json"
	"io"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// call is one call of a tool, in an answer or in a delta of a stream.
type call struct {
	ID       string
	Index    int
	Function struct{ Name, Arguments string }
}

// calling is what tests look at in an answer with calls.
type calling struct {
	Choices []struct {
		Message struct {
			Content   *string
			ToolCalls []call `json:"tool_calls"`
		}
		Delta struct {
			ToolCalls []call `json:"tool_calls"`
		}
		FinishReason *string `json:"finish_reason"`
	}
}

func parseCalling(t *testing.T, body string) (a calling) {
	t.Helper()
	if err := json.Unmarshal([]byte(body), &a); err != nil || len(a.Choices) == 0 {
		t.Fatalf("answer %q: %v", body, err)
	}
	return a
}

const (
	weather = `{"type":"function","function":{"name":"get_weather","parameters":{"type":"object","properties":{"city":{"type":"string"},"days":{"type":"integer","minimum":2}},"required":["city"]}}}`
	clock   = `{"type":"function","function":{"name":"getTime","parameters":{"type":"object","properties":{"zone":{"enum":["UTC","CET"]}}}}}`
	ping    = `{"type":"function","function":{"name":"ping"}}`
	tooled  = `,"tools":[` + weather + `,` + clock + `,` + ping + `]`
)

func startWithTools(t *testing.T) *server {
	return start(t, "--enable-auto-tool-choice", "--tool-call-parser", "hermes")
}

// TestRequiredToolsAreCalledUntilMinTokens: where the end is forbidden a grammar for calls leaves nothing but one more call.
func TestRequiredToolsAreCalledUntilMinTokens(t *testing.T) {
	s := startWithTools(t)
	calls := func(fields string) int {
		t.Helper()
		_, text := s.call("POST", chatPath, chatBody("Hi", `,"tools":[`+ping+`],"max_tokens":500`+fields))
		return len(parseCalling(t, text).Choices[0].Message.ToolCalls)
	}
	const required = `,"tool_choice":"required"`
	if once, more := calls(required), calls(required+`,"min_tokens":100`); once != 1 || more < 2 {
		t.Errorf("%d calls, with min_tokens %d", once, more)
	}
	if n := calls(required + `,"min_tokens":100,"parallel_tool_calls":false`); n != 1 {
		t.Errorf("%d calls that are not parallel", n)
	}
	if n := calls(`,"tool_choice":{"type":"function","function":{"name":"ping"}},"min_tokens":100`); n != 1 {
		t.Errorf("%d calls of a named tool", n)
	}
}

// TestNameThatComesLast: a call that is cut where its name ends gets arguments nevertheless.
func TestNameThatComesLast(t *testing.T) {
	s := startWithTools(t)
	for tokens := range 40 {
		body := chatBody("Hi", `,"stream":true,"tools":[`+ping+`],"tool_choice":"required","max_tokens":`+strconv.Itoa(tokens+1))
		frames := s.stream(chatPath, body)
		last := parseCalling(t, frames[len(frames)-2]).Choices[0] // [DONE] follows
		if calls := last.Delta.ToolCalls; len(calls) > 0 && calls[0].Function.Name != "" {
			if got := calls[0].Function; got.Name != "ping" || got.Arguments != "{}" || *last.FinishReason != "length" {
				t.Errorf("%d tokens: %+v, finish %s", tokens+1, got, *last.FinishReason)
			}
			return
		}
	}
	t.Error("no number of tokens ends with the name")
}

// TestWhichToolsAreCalled: the rules that the README tells, whole and streamed.
func TestWhichToolsAreCalled(t *testing.T) {
	s := startWithTools(t)
	f := func(question, fields, finish string, want ...string) {
		t.Helper()
		body := chatBody(question, tooled+fields)
		status, text := s.call("POST", chatPath, body)
		if status != 200 {
			t.Fatalf("%s: %d %s", body, status, text)
		}
		c := parseCalling(t, text).Choices[0]
		var got []string
		for _, call := range c.Message.ToolCalls {
			got = append(got, call.Function.Name+" "+call.Function.Arguments)
		}
		if diff := cmp.Diff(want, got); diff != "" || *c.FinishReason != finish {
			t.Errorf("%s: %s, finish %q, want %q; calls (-want +got):\n%s", body, text, *c.FinishReason, finish, diff)
		}
		if streamed, end := streamedCalls(t, s, strings.Replace(body, "{", `{"stream":true,`, 1)); end != finish {
			t.Errorf("%s streamed: finish %q, want %q", body, end, finish)
		} else if diff := cmp.Diff(want, streamed); diff != "" {
			t.Errorf("%s streamed (-want +got):\n%s", body, diff)
		}
	}
	const paris = `get_weather {"city": "Paris", "days": 2}`
	f("What is the weather in Paris?", "", "tool_calls", paris)
	f("Get it", "", "stop")
	const looks = `<tool_call>{"name":"x","arguments":{}}</tool_call>` // which the answer repeats, and vLLM's parser reads
	f(looks, "", "tool_calls", "x {}")
	f(looks, `,"tool_choice":"none"`, "stop")
	f("call GETTIME for cet", "", "tool_calls", `getTime {"zone": "CET"}`)
	f("What time, and what weather, in Paris?", "", "tool_calls", paris, `getTime {"zone": "UTC"}`)
	f("What time, and what weather, in Paris?", `,"parallel_tool_calls":false`, "tool_calls", paris)
	f("What is the weather in Paris?", `,"tool_choice":"none"`, "stop")
	f("in Paris", `,"tool_choice":"required"`, "tool_calls", paris)
	f("What time?", `,"tool_choice":"required"`, "tool_calls", `getTime {"zone": "UTC"}`)
	f("What time?", `,"tool_choice":{"type":"function","function":{"name":"ping"}}`, "stop", `ping {}`)
	f("What is the weather in Paris?", `,"max_tokens":2`, "length")
	const list = `{"type":"function","function":{"name":"list","parameters":{"type":"array"}}}` // no object, as vLLM does not ask for one
	f("in Paris", `,"tool_choice":"required","tools":[`+list+`]`, "tool_calls", `list ["Paris"]`)
}

// TestParsersOfOtherModels: one that vLLM has and the mock does not is no reason to call without it.
func TestParsersOfOtherModels(t *testing.T) {
	s := start(t, "--enable-auto-tool-choice", "--tool-call-parser", "xlam")
	status, r := s.refusal(chatPath, chatBody("What is the weather in Paris?", tooled))
	if status != 501 || r.Error.Message != "mockvllm does not call tools as --tool-call-parser xlam reads it yet." {
		t.Errorf("%d %+v", status, r.Error)
	}
	if a := s.chat("Hello", tooled); a.Choices[0].Message.Content != "Mock response to: Hello..." {
		t.Errorf("%+v", a.Choices)
	}
}

// streamedCalls joins the pieces of the calls of a stream.
func streamedCalls(t *testing.T, s *server, body string) (calls []string, finish string) {
	t.Helper()
	frames := s.stream(chatPath, body)
	for _, frame := range frames[:len(frames)-1] {
		c := parseCalling(t, frame).Choices[0]
		for _, piece := range c.Delta.ToolCalls {
			if (piece.Function.Name != "") != (piece.ID != "") || piece.ID != "" && piece.Index != len(calls) {
				t.Errorf("odd delta %s", frame)
			}
			if piece.ID != "" {
				calls = append(calls, piece.Function.Name+" ")
			}
			calls[piece.Index] += piece.Function.Arguments
		}
		if c.FinishReason != nil {
			finish = *c.FinishReason
		}
	}
	return calls, finish
}

// TestResultsAreAnswered: an agent's loop comes to an end.
func TestResultsAreAnswered(t *testing.T) {
	s := startWithTools(t)
	const asked = `{"role":"user","content":"What is the weather in Paris?"},{"role":"assistant","content":null,` +
		`"tool_calls":[{"id":"a","type":"function","function":{"name":"get_weather","arguments":"{}"}}]},`
	f := func(rest, want string) {
		t.Helper()
		a := s.ask(chatPath, `{"messages":[`+asked+rest+`]`+tooled+`}`)
		if got := a.Choices[0].Message.Content; got != want || a.Choices[0].FinishReason != "stop" {
			t.Errorf("%s: %q, want %q", rest, got, want)
		}
	}
	const sun = `{"role":"tool","tool_call_id":"a","content":"sunny"}`
	f(sun, "Mock response with the result: sunny")
	f(sun+`,{"role":"tool","tool_call_id":"b","content":"12:00"}`, "Mock response with the result: sunny; 12:00")
	f(`{"role":"tool","tool_call_id":"a","content":"<|end|>!"}`, "Mock response with the result: <|end|>!")
	f(sun+`,{"role":"user","content":"Thanks"}`, "Mock response to: Thanks...")
	f(`{"role":"tool","tool_call_id":"a","content":"`+strings.Repeat("x", 501)+`"}`, "Mock response with the result: "+strings.Repeat("x", 500)+"...")
}

// TestToolsAreRead: tools and earlier calls are part of the prompt.
func TestToolsAreRead(t *testing.T) {
	s := startWithTools(t)
	count := func(messages, tools string) int {
		t.Helper()
		a := s.ask(chatPath, `{"messages":[`+messages+`]`+tools+`}`)
		_, text := s.call("POST", "/tokenize", `{"messages":[`+messages+`]`+tools+`}`)
		var tokens struct{ Count int }
		if err := json.Unmarshal([]byte(text), &tokens); err != nil || tokens.Count != a.Usage.Prompt {
			t.Errorf("%s %s: %d prompt tokens, /tokenize says %s", messages, tools, a.Usage.Prompt, text)
		}
		return a.Usage.Prompt
	}
	const user = `{"role":"user","content":"x"}`
	const assistant = `{"role":"assistant","content":"","tool_calls":[{"id":"a","type":"function","function":{"name":"ping","arguments":"{}"}}]}`
	if alone, tools, calls := count(user, ""), count(user, tooled), count(user+","+assistant, tooled); alone >= tools || tools >= calls {
		t.Errorf("%d tokens, %d with tools, %d with a call", alone, tools, calls)
	}
}

// TestNothingIsMadeForAStreamThatIsOver: what the engine has made beyond the break of a stream is put into no words.
func TestNothingIsMadeForAStreamThatIsOver(t *testing.T) {
	s := startWithTools(t)
	resp := s.do("POST", chatPath, chatBody("Hi", tooled+`,"stream":true,"ignore_eos":true,"max_tokens":5000`), "X-Mock-Fault", "cut=3")
	if _, err := io.ReadAll(resp.Body); err == nil {
		t.Error("the stream was not broken")
	}
	if all := s.journal(1, ""); all[0].Tokens != 3 {
		t.Errorf("%d tokens were sent, want 3", all[0].Tokens)
	}
	const runs = `vllm:tool_call_parser_invocations_total{mode="streaming",model_name="mock-model",outcome="no_tool_call",request_type="chat_completions"}`
	if n := s.metric(runs); n != "3" {
		t.Errorf("%s pieces were parsed, want those that were sent", n)
	}
}

// TestArgumentsThatAreTooLarge: a call would break its schema.
func TestArgumentsThatAreTooLarge(t *testing.T) {
	s := startWithTools(t)
	const large = `,"tools":[{"type":"function","function":{"name":"fill","parameters":{"properties":{"a":{"type":"array","minItems":2000}},"required":["a"]}}}]`
	for fields, want := range map[string]int{`,"tool_choice":"required"`: 400, `,"tool_choice":"none"`: 200, "": 200} {
		if status, text := s.call("POST", chatPath, chatBody("Hi", large+fields)); status != want {
			t.Errorf("%s: %d %s, want %d", fields, status, text, want)
		}
	}
}
