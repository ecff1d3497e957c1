package mockvllm_test

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
)

// refusal is vLLM's error envelope.
type refusal struct {
	Error struct {
		Message, Type string
		Param         *string
		Code          int
	}
}

func (s *server) refusal(path, body string) (int, refusal) {
	s.t.Helper()
	status, text := s.call("POST", path, body)
	var r refusal
	if err := json.Unmarshal([]byte(text), &r); err != nil || r.Error.Code != status {
		s.t.Errorf("POST %s %s: %d %s", path, body, status, text)
	}
	return status, r
}

func TestToolsNeedAParser(t *testing.T) {
	const tools = `,"tools":[{"type":"function","function":{"name":"f"}}]`
	f := func(s *server, fields string, want int, message string) {
		t.Helper()
		if status, r := s.refusal(chatPath, chatBody("x", tools+fields)); status != want || r.Error.Message != message {
			t.Errorf("%s: %d %q, want %d %q", fields, status, r.Error.Message, want, message)
		}
	}
	s := start(t)
	f(s, "", 400, `"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set`)
	f(s, `,"tool_choice":"required"`, 400, `tool_choice="required" requires --tool-call-parser to be set`)
	f(s, `,"tool_choice":{"type":"function","function":{"name":"f"}}`, 400, `tool_choice=function "f" requires --tool-call-parser to be set`)
	f(s, `,"tool_choice":{"type":"function","function":{"name":"g"}}`, 400,
		"The tool specified in `tool_choice` does not match any of the specified `tools` (parameter=tool_choice)")
	f(s, `,"tool_choice":{"type":"function"}`, 400, "Invalid value for `function`: `None` in `tool_choice`! "+
		"Correct usage: `{\"type\": \"function\", \"function\": {\"name\": \"my_function\"}}` (parameter=tool_choice.function)")
	f(s, `,"tool_choice":"maybe"`, 400, "Invalid value for `tool_choice`: maybe! Only named tools, \"none\", \"auto\" or \"required\" are supported. (parameter=tool_choice)")
	parser := start(t, "--tool-call-parser", "hermes")
	f(parser, "", 400, `"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set`)
}

// TestImpossibleArguments: a schema that is none, and one that allows nothing. vLLM makes grammars of strict tools alone.
func TestImpossibleArguments(t *testing.T) {
	s := startWithTools(t)
	f := func(parameters string) {
		t.Helper()
		body := func(strict string) string {
			return chatBody("x", `,"tool_choice":"required","tools":[{"type":"function","function":{"name":"f"`+strict+`,"parameters":`+parameters+`}}]`)
		}
		status, r := s.refusal(chatPath, body(`,"strict":true`))
		if status != 400 || r.Error.Type != "BadRequestError" || r.Error.Message != "Invalid grammar specification: 'triggers'" {
			t.Errorf("%s: %d %q", parameters, status, r.Error.Message)
		}
		if status, answer := s.call("POST", chatPath, body("")); status != 200 {
			t.Errorf("%s, not strict: %d %s", parameters, status, answer)
		}
	}
	f(`{"type":"string","pattern":"("}`)
	f(`{"type":"object","properties":{"a":{"type":"array","minItems":1}}}`) // where nothing is said of items, there are none
	for _, loose := range []string{`{"pattern":"("}`, `{"not":{}}`, `null`} {
		body := chatBody("x", `,"tool_choice":"required","tools":[{"type":"function","function":{"name":"f","strict":true,"parameters":`+loose+`}}]`)
		if status, answer := s.call("POST", chatPath, body); status != 200 {
			t.Errorf("%s: %d %s", loose, status, answer)
		}
	}
}

// TestContinueNeedsNoNewTurn: add_generation_prompt is on by default. What comes first in vLLM is told first.
func TestContinueNeedsNoNewTurn(t *testing.T) {
	s := start(t)
	f := func(messages, fields, want string) {
		t.Helper()
		for _, path := range []string{chatPath, "/tokenize"} {
			status, r := s.refusal(path, `{"messages":`+messages+`,"continue_final_message":true`+fields+`}`)
			if status != 400 || !strings.HasPrefix(r.Error.Message, want) {
				t.Errorf("%s %s%s: %d %q, want %s", path, messages, fields, status, r.Error.Message, want)
			}
		}
	}
	const user = `[{"role":"user","content":"x"}]`
	f(user, "", "continue_final_message and add_generation_prompt are not compatible. Use ")
	f(user, `,"add_generation_prompt":true`, "Cannot set both `continue_final_message` and `add_generation_prompt` to True.")
	f(`[]`, `,"add_generation_prompt":true`, "Cannot set both ")
	f(`[]`, "", "Cannot apply chat template to an empty conversation.")
	f(`[{"role":"user","content":[{"type":"image_url","image_url":{"url":"x"}}]}]`, "", "mock-model is not a multimodal model")
}

func TestAPIKeys(t *testing.T) {
	s := start(t, "--api-key", "one", "two")
	f := func(method, path, authorization string, want int) {
		t.Helper()
		status, body := s.call(method, path, "", "Authorization", authorization)
		if status != want || want == 401 && method != "HEAD" && body != `{"error":"Unauthorized"}` {
			t.Errorf("%s %s with %q: %d %s, want %d", method, path, authorization, status, body, want)
		}
	}
	f("GET", "/v1/models", "Bearer one", 200)
	f("GET", "/v1/models", "bearer two", 200)
	f("GET", "/v1/models", "Bearer  one", 401)
	f("GET", "/v1/models", "Bearer three", 401)
	f("GET", "/v1/models", "Basic one", 401)
	f("GET", "/v1/models", "one", 401)
	f("HEAD", "/v1/models", "", 401)
	f("GET", "/v1x", "", 401)
	f("GET", "/v2/x", "", 401)
	f("GET", "/inference/v1/generate", "", 401)
	f("OPTIONS", "/v1/models", "", 405)
	f("GET", "/health", "", 200)
	f("GET", "/metrics", "", 200)
	f("GET", "/nope", "", 404)
	f("GET", "/mock/faults", "", 200)
	resp := s.do("GET", "/v1/models", "")
	if resp.Header.Get("Vary") != "" {
		t.Error("a 401 has a vary header")
	}
}

func TestTokenizeRoundTrip(t *testing.T) {
	s := start(t)
	const text = "Grüße, 世界 🎉\n\n  and   so on"
	quoted, err := json.Marshal(text)
	if err != nil {
		t.Fatal(err)
	}
	_, body := s.call("POST", "/tokenize", `{"prompt":`+string(quoted)+`,"add_special_tokens":false,"return_token_strs":true}`)
	var tokens struct {
		Count, MaxModelLen int
		Tokens             []int
		Strs               []string `json:"token_strs"`
	}
	if err := json.Unmarshal([]byte(body), &tokens); err != nil || tokens.Count != len(tokens.Tokens) || tokens.Count != len(tokens.Strs) {
		t.Fatalf("%v in %s", err, body)
	}
	ids, err := json.Marshal(map[string]any{"tokens": tokens.Tokens})
	if err != nil {
		t.Fatal(err)
	}
	_, body = s.call("POST", "/detokenize", string(ids))
	var back struct{ Prompt string }
	if err := json.Unmarshal([]byte(body), &back); err != nil || back.Prompt != text {
		t.Errorf("%v: %q, want %q", err, back.Prompt, text)
	}
	a := s.ask(completionPath, `{"prompt":`+string(quoted)+`}`)
	if a.Usage.Prompt != tokens.Count+1 { // and the token that begins a text
		t.Errorf("usage %+v, tokenize counts %d", a.Usage, tokens.Count)
	}
	_, body = s.call("POST", "/tokenize", chatBody("Hello", ""))
	if chat := s.chat("Hello", ""); json.Unmarshal([]byte(body), &tokens) != nil || tokens.Count != chat.Usage.Prompt {
		t.Errorf("tokenize counts %d tokens of a conversation, its answer %d", tokens.Count, chat.Usage.Prompt)
	}
}

// TestLogsRefusals: what vLLM's log says of a request besides the access line comes before that line.
func TestLogsRefusals(t *testing.T) {
	s := start(t, "--enable-scale-out")
	s.log.waitFor(t, "Application startup complete.")
	f := func(path, fields, want string, header ...string) {
		t.Helper()
		before := len(s.log.String())
		s.call("POST", path, "{"+fields+"}", header...)
		log := s.log.String()[before:]
		said, _, told := strings.Cut(log, "INFO:     127")
		if !told {
			t.Fatalf("%s: no access line in %q", path, log)
		}
		if got := regexp.MustCompile(`^\(APIServer pid=\d+\) | \d\d-\d\d \d\d:\d\d:\d\d|\n`).ReplaceAllString(said, ""); got != want {
			t.Errorf("%s {%s}: %s, want %s", path, fields, got, want)
		}
	}
	const unknown = " Error with model error=ErrorInfo(message=\"The model `it's` does not exist. Valid aliases: mock-model.\", " +
		"type='NotFoundError', param='model', code=404)"
	const asked = `"model":"it's","messages":[{"role":"user","content":"x"}],"max_tokens":1`
	f(chatPath, asked, "ERROR [serving.py:274]"+unknown)
	f("/v1/messages", asked, "ERROR [serving.py:274]"+unknown)
	f("/v1/messages/count_tokens", asked, "ERROR [serving.py:274]"+unknown)
	f("/v1/responses", `"model":"it's","input":"x"`, "ERROR [serving.py:334]"+unknown)
	f("/v1/chat/completions/render", asked, "ERROR [serving.py:91]"+unknown)
	f("/inference/v1/generate", `"model":"it's","token_ids":[5],"sampling_params":{}`, "ERROR [serving.py:184]"+unknown)
	f(completionPath, `"model":"it's","prompt":"x"`, "")
	f(chatPath, `"messages":[]`, "WARNING [hf.py:839] Chat template rejected the request: Cannot apply chat template to an empty conversation. Provide at least one message.")
	f(chatPath, `"messages":[{"role":"user","content":"x"}],"max_tokens":1`, "INFO [orca_metrics.py:65] Created ORCA header {'endpoint-load-metrics': "+
		"'TEXT named_metrics.num_requests_waiting=0.0, named_metrics.kv_cache_usage_perc=0.0'}", "Endpoint-Load-Metrics-Format", "text")
}
