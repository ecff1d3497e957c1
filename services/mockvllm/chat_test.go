package mockvllm_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestChatAnswersTheGuide(t *testing.T) {
	s := start(t)
	a := s.chat("Hello, how are you?", `,"max_tokens":100`)
	if !regexp.MustCompile(`^chatcmpl-[89ab][0-9a-f]{15}$`).MatchString(a.ID) || a.Object != "chat.completion" || a.Model != "mock-model" {
		t.Errorf("head = %q %q %q", a.ID, a.Object, a.Model)
	}
	c := a.Choices[0]
	if c.Message.Content != "Mock response to: Hello, how are you?..." || c.Message.Role != "assistant" || c.FinishReason != "stop" {
		t.Errorf("choice = %+v", c)
	}
	if u := a.Usage; u.Prompt == 0 || u.Completion == 0 || u.Total != u.Prompt+u.Completion {
		t.Errorf("usage = %+v", u)
	}
}

func TestAnswerTextAndEnd(t *testing.T) {
	s := start(t)
	f := func(question, fields, want, finish string, stop any) {
		t.Helper()
		a := s.chat(question, fields)
		if c := a.Choices[0]; c.Message.Content != want || c.FinishReason != finish || c.StopReason != stop {
			t.Errorf("%q%s: %q %s %v, want %q %s %v", question, fields, c.Message.Content, c.FinishReason, c.StopReason, want, finish, stop)
		}
		streamed, last := streamText(t, s.stream(chatPath, chatBody(question, fields+`,"stream":true`)))
		if streamed != want || last.FinishReason != finish || last.StopReason != stop {
			t.Errorf("streamed %q%s: %q %+v", question, fields, streamed, last)
		}
	}
	fifty := strings.Repeat("äöü日🎉", 10)
	f(fifty, ``, "Mock response to: "+fifty+"...", "stop", nil)
	f(fifty+"more", ``, "Mock response to: "+fifty+"...", "stop", nil)
	f("", ``, "Mock response to: ...", "stop", nil)
	f("a <b> & \"c\" \u2028\x00", ``, "Mock response to: a <b> & \"c\" \u2028\x00...", "stop", nil)
	f("Hi", `,"max_tokens":1`, "M", "length", nil)
	f("Hi", `,"max_tokens":2`, "Mock", "length", nil)
	f("Hi", `,"max_tokens":"2"`, "Mock", "length", nil)
	f("Hi", `,"max_tokens":9,"max_completion_tokens":2`, "Mock", "length", nil)
	f("Hi", `,"stop":"to"`, "Mock response ", "stop", "to")
	f("Hi", `,"stop":["zzz","response"]`, "Mock ", "stop", "response")
	f("Hi", `,"stop":"response","include_stop_str_in_output":true`, "Mock response", "stop", "response")
	f("Hi", `,"stop":"nowhere to be seen"`, "Mock response to: Hi...", "stop", nil)
	f("Hi", `,"stop":["Mock","to"],"min_tokens":3`, "Mock response ", "stop", "to")
	f("Hi", `,"stop":"Mock","min_tokens":3,"max_tokens":4`, "Mock res", "length", nil)
	const hi = 16 // tokens, and the one that ends the answer
	f("Hi", fmt.Sprintf(`,"max_tokens":%d`, hi-1), "Mock response to: Hi...", "length", nil)
	f("Hi", fmt.Sprintf(`,"max_tokens":%d`, hi), "Mock response to: Hi...", "stop", nil)
	f("Hi", fmt.Sprintf(`,"ignore_eos":true,"max_tokens":%d`, hi+2), "Mock response to: Hi...Mock", "length", nil)
	f("Hi", fmt.Sprintf(`,"min_tokens":%d,"stop":"zzz"`, hi-1), "Mock response to: Hi...", "stop", nil)
}

// TestMinTokens: until there are so many the end is another word, and the answer begins anew.
func TestMinTokens(t *testing.T) {
	s := start(t)
	a := s.chat("Hi", `,"min_tokens":20`)
	twice := regexp.MustCompile(`^Mock response to: Hi\.\.\.[ A-Za-z]+Mock response to: Hi\.\.\.$`)
	if c := a.Choices[0]; !twice.MatchString(c.Message.Content) || c.FinishReason != "stop" || a.Usage.Completion != 32 {
		t.Errorf("%+v, usage %+v", c, a.Usage)
	}
}

// streamText joins the deltas of choice 0 and returns the choice of its last chunk.
func streamText(t *testing.T, frames []string) (string, struct {
	FinishReason string
	StopReason   any
}) {
	t.Helper()
	var text strings.Builder
	var last struct {
		FinishReason string
		StopReason   any
	}
	for _, frame := range frames[:len(frames)-1] {
		for _, c := range parse(t, frame).Choices {
			text.WriteString(c.Delta.Content + c.Text)
			last.FinishReason, last.StopReason = c.FinishReason, c.StopReason
		}
	}
	if end := frames[len(frames)-1]; end != "[DONE]" {
		t.Errorf("last frame %q", end)
	}
	return text.String(), last
}

func TestConversations(t *testing.T) {
	s := start(t)
	f := func(messages, want string) {
		t.Helper()
		a := s.ask(chatPath, `{"messages":`+messages+`}`)
		if got := a.Choices[0].Message.Content; got != "Mock response to: "+want+"..." {
			t.Errorf("%s: %q, want the answer to %q", messages, got, want)
		}
	}
	f(`[{"role":"system","content":"be nice"},{"role":"user","content":"one"},{"role":"assistant","content":"two"}]`, "one")
	f(`[{"role":"user","content":[{"type":"text","text":"one"},{"type":"text","text":"two"}]}]`, "one\ntwo")
	f(`[{"role":"assistant","tool_calls":[]},{"role":"user","content":"after"}]`, "after")
	f(`[{"role":"system","content":"alone"}]`, "alone")
	f(`[{"role":"user","content":"<|end|>"}]`, "<|end|>")
}

func TestStreamedUsage(t *testing.T) {
	s := start(t)
	whole := s.chat("Hello", "")
	frames := s.stream(chatPath, chatBody("Hello", `,"stream":true,"stream_options":{"include_usage":true,"continuous_usage_stats":true}`))
	var counts []int
	id := parse(t, frames[0]).ID
	for _, frame := range frames[:len(frames)-1] {
		a := parse(t, frame)
		if a.ID != id || a.Usage == nil || a.Usage.Total != a.Usage.Prompt+a.Usage.Completion {
			t.Errorf("frame %s: id not %s or usage wrong", frame, id)
		}
		counts = append(counts, a.Usage.Completion)
	}
	last := parse(t, frames[len(frames)-2])
	if diff := cmp.Diff(whole.Usage, last.Usage); diff != "" || len(last.Choices) != 0 {
		t.Errorf("last chunk has %d choices; usage (-whole +streamed):\n%s", len(last.Choices), diff)
	}
	for i, n := range counts[:len(counts)-1] { // role chunk 0, then one token a chunk
		if n != i {
			t.Fatalf("completion tokens by chunk: %v", counts)
		}
	}
}

func TestLaxBooleans(t *testing.T) {
	s := start(t)
	f := func(value, contentType string) {
		t.Helper()
		resp := s.do("POST", chatPath, chatBody("x", `,"stream":`+value))
		if got := resp.Header.Get("Content-Type"); got != contentType {
			t.Errorf("stream %s: %s %s, want %s", value, resp.Status, got, contentType)
		}
	}
	for _, yes := range []string{`true`, `1`, `1.0`, `"yes"`, `"True"`, `"on"`} {
		f(yes, "text/event-stream; charset=utf-8")
	}
	for _, no := range []string{`false`, `0`, `null`, `"false"`, `"no"`, `"maybe"`, `2`, `[]`} {
		f(no, "application/json")
	}
}

func TestSeveralChoices(t *testing.T) {
	s := start(t)
	a := s.chat("x", `,"n":2`)
	one := s.chat("x", "")
	if len(a.Choices) != 2 || a.Choices[1].Index != 1 || a.Usage.Prompt != one.Usage.Prompt || a.Usage.Completion != 2*one.Usage.Completion {
		t.Errorf("n=2: %+v, usage %+v", a.Choices, a.Usage)
	}
	frames := s.stream(chatPath, chatBody("x", `,"n":2,"stream":true`))
	finished := map[int]int{}
	for i, frame := range frames[:len(frames)-1] {
		c := parse(t, frame).Choices[0]
		if i < 2 && (c.Delta.Role != "assistant" || c.Index != i) {
			t.Errorf("frame %d: %s, want a role chunk", i, frame)
		}
		if c.FinishReason != "" {
			finished[c.Index]++
		}
	}
	if diff := cmp.Diff(map[int]int{0: 1, 1: 1}, finished); diff != "" {
		t.Errorf("finish chunks:\n%s", diff)
	}
}

func TestTextCompletions(t *testing.T) {
	s := start(t)
	f := func(prompt string, want ...string) {
		t.Helper()
		a := s.ask(completionPath, `{"max_tokens":50,"prompt":`+prompt+`}`)
		var got []string
		for i, c := range a.Choices {
			if c.Index != i || c.FinishReason != "stop" {
				t.Errorf("%s: choice %+v", prompt, c)
			}
			got = append(got, c.Text)
		}
		if diff := cmp.Diff(want, got); diff != "" || !strings.HasPrefix(a.ID, "cmpl-") {
			t.Errorf("%s: id %s, texts:\n%s", prompt, a.ID, diff)
		}
	}
	f(`"Hi"`, "Mock response to: Hi...")
	f(`["a","b"]`, "Mock response to: a...", "Mock response to: b...")
	f(`[70]`, "Mock response to: a...")
	f(`[[70],[279]]`, "Mock response to: a...", "Mock response to:  b...")
	if a := s.ask(completionPath, `{"prompt":"a long prompt that is answered in more than sixteen tokens"}`); a.Usage.Completion != 16 || a.Choices[0].FinishReason != "length" {
		t.Errorf("without max_tokens: %+v %+v", a.Usage, a.Choices)
	}
	if text, last := streamText(t, s.stream(completionPath, `{"prompt":"Hi","stream":true}`)); text != "Mock response to: Hi..." || last.FinishReason != "stop" {
		t.Errorf("streamed: %q %+v", text, last)
	}
}

func TestTheAnswersID(t *testing.T) {
	s := start(t)
	f := func(want string, fields string, header ...string) {
		t.Helper()
		_, body := s.call("POST", chatPath, chatBody("x", fields), header...)
		if got := parse(t, body).ID; got != want {
			t.Errorf("id = %q, want %q", got, want)
		}
	}
	f("chatcmpl-mine", `,"request_id":"mine"`)
	f("chatcmpl-header", `,"request_id":"mine"`, "X-Request-Id", "header")
	f("chatcmpl-é", "", "X-Request-Id", "\xe9")
}

func TestTheContextBoundsTheAnswer(t *testing.T) {
	s := start(t, "--max-model-len", "20")
	a := s.chat("x", `,"ignore_eos":true`)
	if a.Usage.Total != 20 || a.Choices[0].FinishReason != "length" {
		t.Errorf("usage %+v, finish %s", a.Usage, a.Choices[0].FinishReason)
	}
	a = s.chat("x", `,"ignore_eos":true,"max_tokens":20`)
	if a.Usage.Total != 20 {
		t.Errorf("with max_tokens 20: usage %+v", a.Usage)
	}
	status, body := s.call("POST", chatPath, chatBody("one two three four five six seven eight nine ten eleven twelve", ""))
	if status != 400 || !strings.Contains(body, "maximum context length is 20 tokens") {
		t.Errorf("%d %s", status, body)
	}
}
