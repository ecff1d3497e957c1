package metrics

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/engine"
)

// sequence is what one choice of a captured request needed, in tokens.
type sequence struct{ prompt, cached, generated, maxTokens int }

// run gives m the steps of sequences on an idle engine. vLLM begins one of them a step. They are the choices of one
// request or, apart, a request each.
func run(m *Metrics, reason string, apart bool, sequences ...sequence) {
	for step, left := 0, len(sequences); left > 0; step++ {
		it := engine.Iteration{At: time.Now()}
		for i, s := range sequences {
			n := step - i + 1 // tokens of this sequence after this step
			if n < 1 || n > s.generated {
				continue
			}
			it.Outputs++
			it.Generated++
			if n == 1 {
				it.PrefixQueries += s.prompt
				it.PrefixHits += s.cached
				it.PromptComputed += s.prompt - s.cached
				it.PromptCached += s.cached
				it.FirstTokens = append(it.FirstTokens, time.Millisecond)
			} else {
				it.Gaps = append(it.Gaps, time.Millisecond)
			}
			if n < s.generated {
				continue
			}
			left--
			f := engine.Finished{Reason: reason, Prompt: s.prompt, Cached: s.cached, Generated: n, MaxTokens: s.maxTokens}
			switch {
			case apart:
				f.N, f.MaxGenerated = 1, n
			case left == 0:
				f.N, f.MaxGenerated = len(sequences), n
			}
			it.Finished = append(it.Finished, f)
		}
		it.Running = left
		m.Step(&it)
	}
}

// asked is one request of sequence.json.
type asked struct {
	Method, Path string
	Body         json.RawMessage
	Status       int
	Out          int `json:"response_content_length"`
	In           int `json:"request_content_length"`
	Usage        *struct {
		Prompt int `json:"prompt_tokens"`
		Answer int `json:"completion_tokens"`
		Input  int `json:"input_tokens"`
		Output int `json:"output_tokens"`
	}
}

// parameters are those that decide what is counted.
type parameters struct {
	N          *int
	Prompt     any
	Stream     bool
	MaxTokens  *int            `json:"max_tokens"`
	MaxOutput  int             `json:"max_output_tokens"`
	LogitBias  json.RawMessage `json:"logit_bias"`
	Repetition json.RawMessage `json:"repetition_detection"`
}

// generate is what the engine does for a captured request. seen are the bodies that came before.
func generate(m *Metrics, a asked, p parameters, seen map[string]bool) {
	reason := "length"
	switch {
	case p.LogitBias != nil:
		reason = "stop"
	case p.Repetition != nil:
		reason = "repetition"
	}
	s := sequence{prompt: a.Usage.Prompt + a.Usage.Input, generated: a.Usage.Answer + a.Usage.Output, maxTokens: p.MaxOutput}
	if p.MaxTokens != nil {
		s.maxTokens = max(1, *p.MaxTokens) // with echo, 0 becomes 1
	}
	if seen[string(a.Body)] {
		s.cached = (s.prompt - 1) / 128 * 128
	}
	seen[string(a.Body)] = true
	if prompts, several := p.Prompt.([]any); several { // "Hello" has 4 tokens, as the request with echo shows
		s.generated /= len(prompts)
		first, second := s, s
		first.prompt, second.prompt = 4, s.prompt-4
		run(m, reason, true, first, second)
		return
	}
	choices := 1
	if p.N != nil {
		choices = *p.N
		s.generated /= choices
	}
	run(m, reason, false, slices.Repeat([]sequence{s}, choices)...)
}

// answer is what the API server does for a captured request.
func answer(m *Metrics, a asked, stream bool) {
	next := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if !stream {
			w.Header().Set("Content-Length", strconv.Itoa(a.Out))
		}
		w.WriteHeader(a.Status)
	})
	template := func(r *http.Request, status int) string {
		switch path := r.URL.Path; {
		case path == "/nope" || status == http.StatusMethodNotAllowed:
			return ""
		case path == "/v1/responses/abc":
			return "/v1/responses/{response_id}"
		default:
			return path
		}
	}
	r := httptest.NewRequest(a.Method, a.Path, bytes.NewReader(make([]byte, a.In)))
	m.HTTP(next, template).ServeHTTP(httptest.NewRecorder(), r)
}

// TestSequence replays the captured traffic: every count, and every sum that is no time, is the captured one.
func TestSequence(t *testing.T) {
	var all []asked
	if err := json.Unmarshal([]byte(capture(t, "sequence.json")), &all); err != nil {
		t.Fatal(err)
	}
	m := New(reference())
	seen := map[string]bool{}
	for _, a := range all {
		var p parameters
		if strings.HasPrefix(string(a.Body), "{") {
			if err := json.Unmarshal(a.Body, &p); err != nil {
				t.Fatal(err)
			}
		}
		if a.Usage != nil {
			generate(m, a, p, seen)
		}
		answer(m, a, p.Stream)
	}
	if len(all) != 26 {
		t.Errorf("%d requests, want 26", len(all))
	}
	compare(t, varying, capture(t, "after.txt"), scrape(m))
}

// lineIn looks for lines in a scrape.
func lineIn(t *testing.T, text string) func(want string) {
	return func(want string) {
		t.Helper()
		if !strings.Contains(text, want+"\n") {
			t.Errorf("no %s", want)
		}
	}
}

// TestDisconnected: what ran is counted, the request is not (contract 5.5).
func TestDisconnected(t *testing.T) {
	m := New(reference())
	m.Step(&engine.Iteration{Running: 1, KVUsage: .5, PrefixQueries: 11, Outputs: 1, PromptComputed: 11, Generated: 1, FirstTokens: []time.Duration{1}})
	m.Step(&engine.Iteration{Running: 1, Waiting: 2, Deferred: 3, KVUsage: .5, Outputs: 1, Generated: 1, Gaps: []time.Duration{1}})
	f := lineIn(t, scrape(m))
	const labels = `{engine="0",model_name="tiny"} `
	f("vllm:num_requests_running" + labels + "1.0")
	f("vllm:num_requests_waiting" + labels + "5.0")
	f(`vllm:num_requests_waiting_by_reason{engine="0",model_name="tiny",reason="capacity"} 2.0`)
	f(`vllm:num_requests_waiting_by_reason{engine="0",model_name="tiny",reason="deferred"} 3.0`)
	f("vllm:kv_cache_usage_perc" + labels + "0.5")
	m.Step(&engine.Iteration{}) // no output: nothing is observed
	f = lineIn(t, scrape(m))
	f("vllm:num_requests_running" + labels + "0.0")
	f("vllm:kv_cache_usage_perc" + labels + "0.0")
	f("vllm:prefix_cache_queries_total" + labels + "11.0")
	f("vllm:prompt_tokens_total" + labels + "11.0")
	f("vllm:generation_tokens_total" + labels + "2.0")
	f("vllm:iteration_tokens_total_count" + labels + "2.0")
	f("vllm:iteration_tokens_total_sum" + labels + "13.0")
	f("vllm:time_to_first_token_seconds_count" + labels + "1.0")
	f("vllm:inter_token_latency_seconds_count" + labels + "1.0")
	f("vllm:e2e_request_latency_seconds_count" + labels + "0.0")
	f(`vllm:request_success_total{engine="0",finished_reason="abort",model_name="tiny"} 0.0`)
}

// TestPreempted: a preemption is observed twice, by the step and by its request at the end.
func TestPreempted(t *testing.T) {
	m := New(reference())
	m.Step(&engine.Iteration{Outputs: 1, Generated: 1, Preemptions: 2, Finished: []engine.Finished{{Reason: "stop", Prompt: 200,
		Cached: 128, Generated: 3, Preemptions: 2, N: 1, MaxGenerated: 3, EndToEnd: 4 * time.Second, Queue: time.Second, Prefill: time.Second,
		Decode: 2 * time.Second, Inference: 3 * time.Second, PerOutputToken: time.Second}}})
	f := lineIn(t, scrape(m))
	const labels = `{engine="0",model_name="tiny"} `
	f("vllm:num_preemptions_total" + labels + "2.0")
	f("vllm:request_num_preemptions_sum" + labels + "2.0")
	f(`vllm:request_num_preemptions_bucket{engine="0",le="1.0",model_name="tiny"} 0.0`)
	f(`vllm:request_num_preemptions_bucket{engine="0",le="2.0",model_name="tiny"} 1.0`) // the bound belongs to the bucket
	f("vllm:request_prefill_kv_computed_tokens_sum" + labels + "72.0")
	f("vllm:request_params_max_tokens_count" + labels + "0.0") // without max_tokens
	f("vllm:e2e_request_latency_seconds_sum" + labels + "4.0")
	f("vllm:request_queue_time_seconds_sum" + labels + "1.0")
	f("vllm:request_prefill_time_seconds_sum" + labels + "1.0")
	f("vllm:request_decode_time_seconds_sum" + labels + "2.0")
	f("vllm:request_inference_time_seconds_sum" + labels + "3.0")
	f("vllm:request_time_per_output_token_seconds_sum" + labels + "1.0")
}

// TestRepeats: steps that are told of together count as each by itself.
func TestRepeats(t *testing.T) {
	step := engine.Iteration{Running: 2, KVUsage: 0.25, Outputs: 2, Generated: 2, Gaps: []time.Duration{0, 0}}
	one, together := New(reference()), New(reference())
	for range 5 {
		one.Step(&step)
	}
	step.Repeats = 4
	together.Step(&step)
	undated := regexp.MustCompile(`(?m)^(\S+_created|process_|python_).*\n`)
	want, got := undated.ReplaceAllString(scrape(one), ""), undated.ReplaceAllString(scrape(together), "")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
