package mockvllm_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/journal"
)

const beams = `,"use_beam_search":true,"n":2`

// TestBeamSearchIsCounted: the numbers are those that vLLM 0.32.0 counts for prompts of these lengths.
func TestBeamSearchIsCounted(t *testing.T) {
	f := func(fields string, prompt, completion, requests, queried, hit int) {
		t.Helper()
		s := start(t)
		if u := s.ask(completionPath, `{"use_beam_search":true,`+fields+`}`).Usage; u.Prompt != prompt || u.Completion != completion {
			t.Errorf("%s: %+v", fields, u)
		}
		for sample, want := range map[string]int{
			success("length"): requests, counter("generation_tokens_total"): requests, counter("time_to_first_token_seconds_count"): requests,
			counter("e2e_request_latency_seconds_count"): requests, counter("request_params_n_sum"): requests,
			counter("request_params_max_tokens_sum"): requests, counter("request_max_num_generation_tokens_sum"): requests,
			counter("inter_token_latency_seconds_count"): 0, counter("iteration_tokens_total_sum"): queried - hit + requests,
			counter("prompt_tokens_total"): queried, counter("prompt_tokens_cached_total"): hit, counter("request_prompt_tokens_sum"): queried,
			counter("prefix_cache_queries_total"): queried, counter("prefix_cache_hits_total"): hit,
		} {
			s.waitMetric(sample, itoa(want))
		}
	}
	long, err := json.Marshal(make([]int, 301))
	if err != nil {
		t.Fatal(err)
	}
	f(`"prompt":[1,2,3,4,5],"n":1,"max_tokens":2`, 5, 2, 2, 11, 0)
	f(`"prompt":[1,2,3,4,5,6],"n":3,"max_tokens":4`, 6, 12, 10, 78, 0)
	f(`"prompt":[[1,2,3,4],[1,2,3,4,5]],"n":2,"max_tokens":3`, 9, 12, 10, 57, 0)
	f(`"prompt":`+string(long)+`,"n":2,"max_tokens":4`, 301, 8, 7, 2119, 1536)
	f(`"prompt":[1,2,3,4,5,6,7,8,9],"n":2,"max_tokens":0`, 9, 0, 0, 0, 0)
}

// TestBeamSearchGoesOn: its steps do not end where the answers do.
func TestBeamSearchGoesOn(t *testing.T) {
	for _, stream := range []string{"", `,"stream":true,"stream_options":{"include_usage":true}`} {
		s := start(t)
		_, text := s.call("POST", chatPath, chatBody("Hi", beams+`,"max_tokens":50`+stream))
		if strings.Count(text, `"finish_reason":"stop"`) != 2 || !strings.Contains(text, `"completion_tokens":32`) {
			t.Error(text)
		}
		s.waitMetric(success("length"), "99")
	}
}

// TestBeamSearchTakesTime: as long as another answer of max_tokens.
func TestBeamSearchTakesTime(t *testing.T) {
	s := start(t, "--mock-clock", "virtual", "--mock-ttft", "5h", "--mock-itl", "1h")
	answered := make(chan answer, 1)
	go func() { answered <- s.chat("Hello", beams+`,"max_tokens":3`) }()
	for _, step := range [][3]string{{"1", "5h", "1"}, {"2", "1h", "3"}, {"2", "1h", "5"}} {
		s.waitMetric(running, step[0])
		s.call("POST", "/mock/clock?advance="+step[1], "")
		s.waitMetric(counter("generation_tokens_total"), step[2])
	}
	if a := <-answered; a.Usage.Completion != 6 {
		t.Errorf("%+v", a)
	}
	s.waitMetric(counter("e2e_request_latency_seconds_sum"), itoa((5+2+2)*3600))
}

// TestBeamSearchInVirtualTime: the clock waits until each step has asked for the next one.
func TestBeamSearchInVirtualTime(t *testing.T) {
	s := start(t, "--mock-clock", "virtual", "--mock-ttft", "5s", "--mock-itl", "normal:1s,100ms")
	answered := make(chan answer, 1)
	go func() { answered <- s.chat("Hello", beams+`,"max_tokens":300`) }()
	s.waitMetric(running, "1")
	s.call("POST", "/mock/clock?advance=10m", "")
	s.waitMetric(success("length"), "599")
	<-answered
	s.waitMetric(running, "0")
	s.call("POST", "/mock/clock?advance=1m", "") // nobody holds it
}

func TestBeamSearchIsBrokenOff(t *testing.T) {
	f := func(breakOff func(s *server, leave func()), want string) {
		t.Helper()
		s := startIn(t, map[string]string{"VLLM_SERVER_DEV_MODE": "1"}, "--mock-itl", "1h")
		ctx, leave := context.WithCancel(t.Context())
		answered := make(chan string, 1)
		go func() {
			resp, err := s.client.Do(s.request(ctx, "POST", chatPath, chatBody("Hello", beams), "X-Request-Id", "left"))
			if err != nil {
				answered <- errors.Unwrap(err).Error()
				return
			}
			body, _ := io.ReadAll(resp.Body)
			_ = resp.Body.Close()
			answered <- string(body)
		}()
		s.waitMetric(running, "2") // the second step
		breakOff(s, leave)
		if got := <-answered; !strings.Contains(got, want) {
			t.Errorf("%s, want %s", got, want)
		}
		leave()
	}
	f(func(s *server, leave func()) {
		leave()
		s.waitMetric(running, "0")
		if all := s.journal(1, "left"); len(all) != 1 || all[0].Outcome != journal.Aborted || all[0].AbortedBy != journal.ByClient || all[0].Status != 0 {
			t.Errorf("%+v", all)
		}
	}, "context canceled")
	f(func(s *server, _ func()) { s.call("POST", "/pause?mode=abort", "") }, `"completion_tokens":2`)
	f(func(s *server, _ func()) { s.call("POST", "/pause?mode=abort", "") }, `"finish_reason":"abort"`)
	f(func(s *server, _ func()) { s.call("PUT", "/mock/faults", `{"rules":[{"do":{"crash":0}}]}`) }, deadMessage)
}
