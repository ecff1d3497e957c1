package mockvllm_test

import (
	"encoding/json"
	"math"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// told is what a choice tells, of a whole answer or put together from a stream.
type told struct {
	Text     string
	Finish   string
	Stop     any
	Tokens   []string
	Logprobs []float64
	IDs      []int
}

// tell adds a choice of a text completion.
func (a *told) tell(c completionChoice) {
	a.Text += c.Text
	a.Tokens = append(a.Tokens, c.Logprobs.Tokens...)
	for _, l := range c.Logprobs.Logprobs {
		a.Logprobs = append(a.Logprobs, max(l, math.Inf(-1)))
	}
	a.IDs = append(a.IDs, c.IDs...)
	if c.Finish != "" {
		a.Finish, a.Stop = c.Finish, c.Stop
	}
}

type completionChoice struct {
	Index    int
	Text     string
	Finish   string `json:"finish_reason"`
	Stop     any    `json:"stop_reason"`
	IDs      []int  `json:"token_ids"`
	Logprobs struct {
		Tokens   []string
		Logprobs []float64            `json:"token_logprobs"`
		Top      []map[string]float64 `json:"top_logprobs"`
	}
}

// complete asks for "Hi" to be completed, whole and streamed, which must tell the same.
func (s *server) complete(fields string) (all []told) {
	s.t.Helper()
	body := `{"prompt":"Hi","return_token_ids":true` + fields
	status, text := s.call("POST", completionPath, body+"}")
	whole := s.choices(&all, text)
	if status != http.StatusOK || whole == nil {
		s.t.Fatalf("%s: %d %s", fields, status, text)
	}
	var streamed []told
	var last *usage
	for _, frame := range s.stream(completionPath, body+`,"stream":true,"stream_options":{"include_usage":true}}`) {
		if frame != "[DONE]" {
			last = s.choices(&streamed, frame)
		}
	}
	if diff := cmp.Diff(all, streamed); diff != "" || last == nil || *last != *whole {
		s.t.Errorf("%s: usage %+v, streamed %+v (-whole +streamed):\n%s", fields, whole, last, diff)
	}
	tokens := 0
	for _, a := range all {
		tokens += len(a.IDs)
	}
	if whole.Completion != tokens {
		s.t.Errorf("%s: %d tokens, usage %+v", fields, tokens, whole)
	}
	return all
}

// choices adds what an answer or a frame says to all and returns its usage.
func (s *server) choices(all *[]told, text string) *usage {
	s.t.Helper()
	var c struct {
		Choices []completionChoice
		Usage   *usage
	}
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		s.t.Fatalf("%s: %v", text, err)
	}
	for _, c := range c.Choices {
		for len(*all) <= c.Index {
			*all = append(*all, told{})
		}
		(*all)[c.Index].tell(c)
	}
	return c.Usage
}

func TestChosenTokens(t *testing.T) {
	guide, random := start(t), start(t, "--mock-answer", "random")
	const a, b = "70", "279" // "a" and " b"
	for _, s := range []*server{guide, random} {
		f := func(fields, text, finish string, stop any) {
			t.Helper()
			if all := s.complete(fields); all[0].Text != text || all[0].Finish != finish || all[0].Stop != stop {
				t.Errorf("%s: %+v, want %q %s %v", fields, all[0], text, finish, stop)
			}
		}
		f(`,"max_tokens":3,"logit_bias":{"`+a+`":100}`, "aaa", "length", nil)
		f(`,"max_tokens":3,"allowed_token_ids":[`+b+`]`, " b b b", "length", nil)
		f(`,"allowed_token_ids":[`+a+`],"stop":"aaa","min_tokens":5`, "aaa", "stop", "aaa") // of six letters the last three are it
		f(`,"logit_bias":{"`+a+`":100},"stop_token_ids":[`+a+`]`, "", "stop", 70.0)
		f(`,"logit_bias":{"`+a+`":100},"stop_token_ids":[`+a+`],"include_stop_str_in_output":true`, "a", "stop", 70.0)
		f(`,"logit_bias":{"1":100}`, "", "stop", nil) // the token that ends an answer
		f(`,"logit_bias":{"1":100},"ignore_eos":true,"max_tokens":4`, "", "length", nil)
		f(`,"logit_bias":{"1":100},"ignore_eos":true,"max_tokens":2,"skip_special_tokens":false`, "<|end|><|end|>", "length", nil)
		f(`,"logit_bias":{"`+a+`":100},"repetition_detection":{"max_pattern_size":2,"min_count":3}`, "aaa", "repetition", "repetition_detected")
	}
	if all := random.complete(`,"allowed_token_ids":[` + a + `,` + b + `],"logit_bias":{"` + a + `":-100},"max_tokens":9`); all[0].Text != strings.Repeat(" b", 9) {
		t.Errorf("a token that is not wanted: %+v", all[0])
	}
}

// TestParametersOfAnAnswer: the whole answer and the stream agree, whatever a request asks for.
func TestParametersOfAnAnswer(t *testing.T) {
	for _, mode := range []string{"guide", "echo", "random"} {
		s := start(t, "--mock-answer", mode)
		for _, fields := range []string{`,"n":3`, `,"best_of":1`, `,"echo":true`, `,"echo":true,"max_tokens":0`, `,"logprobs":2`, `,"echo":true,"logprobs":0,"n":2`,
			`,"stop":["o"," t"],"max_tokens":50`, `,"stop":"n","include_stop_str_in_output":true`, `,"min_tokens":30,"max_tokens":40`, `,"ignore_eos":true,"max_tokens":60`,
			`,"bad_words":["Mock"]`, `,"stream_interval":3`, `,"stream_interval":9223372036854775807`, `,"seed":5,"n":2`, `,"temperature":0`, `,"return_tokens_as_token_ids":true,"logprobs":1`,
			`,"stop_token_ids":[90,91,92,93,94,95,96,97,98]`, `,"truncate_prompt_tokens":2`, `,"skip_special_tokens":false,"max_tokens":30`} {
			s.complete(fields)
		}
	}
}

func TestSeeds(t *testing.T) {
	s := start(t, "--mock-answer", "random")
	text := func(fields string) string {
		t.Helper()
		all := s.complete(fields)
		return all[0].Text
	}
	one, other := text(`,"seed":1`), text(`,"seed":2`)
	if again := text(`,"seed":1`); one != again || one == other {
		t.Errorf("seed 1: %q, again: %q; seed 2: %q", one, again, other)
	}
	if all := s.complete(`,"n":2,"seed":1`); all[0].Text == all[1].Text || all[0].Text != one {
		t.Errorf("two choices with seed 1: %q and %q, one alone: %q", all[0].Text, all[1].Text, one)
	}
}

// TestEcho: the prompt comes first, but with return_token_ids, where vLLM tells only its tokens.
func TestEcho(t *testing.T) {
	s := start(t)
	f := func(fields, want string, tokens int) {
		t.Helper()
		body := `{"prompt":"Hi","echo":true` + fields
		a := s.ask(completionPath, body+"}")
		streamed, _ := streamText(t, s.stream(completionPath, body+`,"stream":true}`))
		if a.Choices[0].Text != want || streamed != want || a.Usage.Completion != tokens {
			t.Errorf("%s: %q, streamed %q, want %q; usage %+v", fields, a.Choices[0].Text, streamed, want, a.Usage)
		}
	}
	f("", "HiMock response to: Hi...", 16)
	f(`,"max_tokens":2`, "HiMock", 2)
	f(`,"max_tokens":0`, "Hi", 1)
	f(`,"max_tokens":2,"return_token_ids":true`, "Mock", 2)
	if all := s.complete(`,"echo":true,"logprobs":0`); !slices.Equal(all[0].Tokens[:4], []string{"<|begin|>", "H", "i", "M"}) {
		t.Errorf("%+v", all[0])
	}
}

// TestLikelihoods: the token itself comes first, then others in order.
func TestLikelihoods(t *testing.T) {
	s := start(t, "--mock-answer", "random")
	_, text := s.call("POST", chatPath, chatBody("Hi", `,"logprobs":true,"top_logprobs":5,"max_tokens":20,"prompt_logprobs":2`))
	type likelihood struct {
		Token   string
		Logprob float64
		Bytes   []int
		Top     []likelihood `json:"top_logprobs"`
	}
	var a struct {
		Choices []struct {
			Message  struct{ Content string }
			Logprobs struct{ Content []likelihood }
		}
		Prompt []map[string]struct {
			Logprob float64
			Rank    int
			Text    string `json:"decoded_token"`
		} `json:"prompt_logprobs"`
		Usage usage
	}
	if err := json.Unmarshal([]byte(text), &a); err != nil || len(a.Choices) != 1 || len(a.Choices[0].Logprobs.Content) != 20 {
		t.Fatalf("%s: %v", text, err)
	}
	said := ""
	for _, l := range a.Choices[0].Logprobs.Content {
		said += l.Token
		if l.Top[0].Token != l.Token || l.Top[0].Logprob != l.Logprob || l.Logprob > 0 || len(l.Top) < 5 {
			t.Errorf("%+v", l)
		}
		if !slices.IsSortedFunc(l.Top[1:], func(a, b likelihood) int { return -int(math.Copysign(1, a.Logprob-b.Logprob)) }) {
			t.Errorf("not in order: %+v", l.Top)
		}
	}
	if said != a.Choices[0].Message.Content {
		t.Errorf("tokens %q, text %q", said, a.Choices[0].Message.Content)
	}
	if len(a.Prompt) != a.Usage.Prompt || a.Prompt[0] != nil {
		t.Errorf("%d likelihoods of %d tokens of the prompt, the first %v", len(a.Prompt), a.Usage.Prompt, a.Prompt[0])
	}
	for _, position := range a.Prompt[1:] {
		ranks := map[int]bool{}
		for _, l := range position {
			ranks[l.Rank] = true
		}
		if !ranks[1] || !ranks[2] || len(position) > 3 {
			t.Errorf("of the prompt: %+v", position)
		}
	}
}

// vLLM counts a request with which its engine fails: it has a token, and ends with an error.
func TestAnEngineThatFailsIsCounted(t *testing.T) {
	s := start(t)
	const endless = `"prompt":"Hi there","max_tokens":3,"structured_outputs":{"json":{"$ref":"#"}}}`
	if status, text := s.call("POST", completionPath, `{`+endless); status != http.StatusInternalServerError {
		t.Errorf("%d %s", status, text)
	}
	if frames := s.stream(completionPath, `{"stream":true,`+endless); len(frames) != 2 || !strings.Contains(frames[0], "Internal server error") {
		t.Errorf("frames %q", frames)
	}
	s.waitMetric(`vllm:request_success_total{engine="0",finished_reason="error",model_name="mock-model"}`, "2")
	for sample, want := range map[string]string{"generation_tokens_total": "2", "request_params_max_tokens_sum": "6", "time_to_first_token_seconds_count": "2",
		"inter_token_latency_seconds_count": "0"} {
		if got := s.metric(`vllm:` + sample + `{engine="0",model_name="mock-model"}`); got != want {
			t.Errorf("%s = %s, want %s", sample, got, want)
		}
	}
}

// TestLibraryOfConstraints: what xgrammar does not take is followed where the first constraint was of that kind, and fails the engine
// where it was not.
func TestLibraryOfConstraints(t *testing.T) {
	const plain, flagged = `{"prompt":"x","max_tokens":9,"structured_outputs":{"choice":["yes"]}}`, `{"prompt":"x","max_tokens":9,"structured_outputs":{"regex":"(?i)yes"}}`
	f := func(bodies []string, failure string) { // of the last one, as the log tells it
		t.Helper()
		s := start(t)
		for i, body := range bodies {
			want := http.StatusOK
			if i == len(bodies)-1 && failure != "" {
				want = http.StatusInternalServerError
			}
			resp := s.do("POST", "/v1/completions", body)
			if _ = resp.Body.Close(); resp.StatusCode != want {
				t.Errorf("%q: request %d is answered with %d, want %d", bodies, i, resp.StatusCode, want)
			}
		}
		if failure != "" { // the client is not told why
			s.log.waitFor(t, "the engine fails with a request: "+failure)
		}
	}
	f([]string{flagged}, "")
	f([]string{flagged, plain, flagged}, "")
	f([]string{plain, flagged}, "its constraint needs llguidance")
	const endless = `{"prompt":"x","max_tokens":9,"structured_outputs":{"json":{"$ref":"#"}}}`
	f([]string{flagged, endless}, "")
	f([]string{plain, endless}, "no text has the form")
}
