package mockvllm_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"runtime"
	"strings"
	"sync"
	"testing"
)

const (
	running = `vllm:num_requests_running{engine="0",model_name="mock-model"}`
	waiting = `vllm:num_requests_waiting{engine="0",model_name="mock-model"}`
	cache   = `vllm:kv_cache_usage_perc{engine="0",model_name="mock-model"}`
)

func counter(name string) string { return "vllm:" + name + `{engine="0",model_name="mock-model"}` }

func success(reason string) string {
	return `vllm:request_success_total{engine="0",finished_reason="` + reason + `",model_name="mock-model"}`
}

// endless asks for an answer that does not end while a test runs.
func endless(fields string) string { return chatBody("x", `,"ignore_eos":true`+fields) }

func TestClientsThatLeaveFreeTheirSlot(t *testing.T) {
	s := start(t, "--max-num-seqs", "2", "--mock-itl", "1h")
	ctx, leave := context.WithCancel(t.Context())
	var clients sync.WaitGroup
	for _, fields := range []string{"", `,"stream":true`, ""} { // two run, one waits
		clients.Go(func() {
			resp, err := s.client.Do(s.request(ctx, "POST", chatPath, endless(fields)))
			if err == nil { // the stream's head came; its end must not
				_, err = io.ReadAll(resp.Body)
				_ = resp.Body.Close()
			}
			if !errors.Is(err, context.Canceled) {
				t.Errorf("%s: %v, want a request that does not end", fields, err)
			}
		})
	}
	s.waitMetric(running, "2")
	s.waitMetric(waiting, "1")
	s.waitMetric(cache, "0.00024417043096081065") // two blocks of 8191
	leave()
	clients.Wait()
	s.waitMetric(running, "0")
	s.waitMetric(waiting, "0")
	s.waitMetric(cache, "0")
	for _, sample := range []string{success("stop"), success("length"), success("abort"), counter("e2e_request_latency_seconds_count")} {
		if got := s.metric(sample); got != "0" {
			t.Errorf("%s = %s: a client that left is no success", sample, got)
		}
	}
}

func TestRequestsBeyondTheLimitWait(t *testing.T) {
	s := start(t, "--max-num-seqs", "1", "--mock-itl", "1h")
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	first := s.doContext(ctx, "POST", chatPath, endless(`,"stream":true`))
	if _, err := bufio.NewReader(first.Body).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	second := make(chan answer, 1)
	go func() { second <- s.chat("waits", `,"max_tokens":1`) }()
	s.waitMetric(waiting, "1")
	select {
	case a := <-second:
		t.Fatalf("answered while another ran: %+v", a)
	default:
	}
	leave()
	if a := <-second; a.Choices[0].Message.Content != "M" {
		t.Errorf("answer %+v", a)
	}
}

func TestMetricsAddUp(t *testing.T) {
	s := start(t)
	const n = 20
	answers := make(chan answer, n)
	for i := range n {
		go func() { answers <- s.chat("Hello", map[bool]string{true: `,"max_tokens":3`}[i%2 == 0]) }()
	}
	prompt, generated := 0, 0
	for range n {
		a := <-answers
		prompt, generated = prompt+a.Usage.Prompt, generated+a.Usage.Completion
	}
	s.stream(chatPath, chatBody("Hello", `,"max_tokens":3,"stream":true`))
	prompt, generated = prompt+prompt/n, generated+3
	for sample, want := range map[string]int{
		counter("prompt_tokens_total"):                  prompt,
		counter("generation_tokens_total"):              generated,
		counter("request_prompt_tokens_sum"):            prompt,
		counter("request_generation_tokens_sum"):        generated,
		counter("request_inference_time_seconds_count"): n + 1,
		counter("request_prefill_time_seconds_count"):   n + 1,
		counter("request_decode_time_seconds_count"):    n + 1,
		counter("prefix_cache_queries_total"):           prompt,
		counter("prefix_cache_hits_total"):              0, // shorter than a block
		counter("num_preemptions_total"):                0,
		success("stop"):                                 n / 2,
		success("length"):                               n/2 + 1,
		success("abort"):                                0,
		success("error"):                                0,
		success("repetition"):                           0,
		counter("time_to_first_token_seconds_count"):    n + 1,
		counter("e2e_request_latency_seconds_count"):    n + 1,
		counter("request_queue_time_seconds_count"):     n + 1,
		counter("inter_token_latency_seconds_count"):    generated - n - 1,
		running: 0,
		`http_requests_total{handler="/v1/chat/completions",method="POST",status="2xx"}`: n + 1,
	} {
		s.waitMetric(sample, itoa(want)) // the HTTP counter moves after the answer is out
	}
}

func TestHTTPMetricsByRoute(t *testing.T) {
	s := start(t)
	for _, ask := range [][2]string{{"GET", "/health"}, {"GET", "/v1/models"}, {"GET", "/v1/models/"}, {"GET", "/nope"},
		{"PUT", "/v1/models"}, {"POST", chatPath}, {"GET", "/version"}, {"PROPFIND", "/nope"}, {"POST", "/v1/models/"}} {
		s.call(ask[0], ask[1], "")
	}
	_, text := s.call("GET", "/metrics", "")
	var got []string
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "http_requests_total{") {
			got = append(got, strings.TrimPrefix(strings.TrimSpace(line), "http_requests_total"))
		}
	}
	want := []string{ // in the order of the first request of each kind
		`{handler="/v1/models",method="GET",status="2xx"} 1.0`,
		`{handler="/v1/models/",method="GET",status="3xx"} 1.0`,
		`{handler="none",method="GET",status="4xx"} 1.0`,
		`{handler="none",method="PUT",status="4xx"} 1.0`,
		`{handler="/v1/chat/completions",method="POST",status="4xx"} 1.0`,
		`{handler="none",method="PROPFIND",status="4xx"} 1.0`,
		`{handler="none",method="POST",status="3xx"} 1.0`, // as the real server was heard to count it
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestMetricsHeader(t *testing.T) {
	resp := start(t).do("GET", "/metrics", "")
	if got := resp.Header.Get("Content-Type"); got != "text/plain; version=1.0.0; charset=utf-8" {
		t.Errorf("content type %q", got)
	}
}

// TestStreamsWaitOnSmallStacks: what leads to a handler is not on the stack of a stream that waits, whatever middlewares there are.
func TestStreamsWaitOnSmallStacks(t *testing.T) {
	s := start(t, "--mock-itl", "1h", "--enable-server-load-tracking", "--enable-request-id-headers", "--api-key", "k")
	ctx, leave := context.WithCancel(t.Context())
	r := s.request(ctx, "POST", chatPath, endless(`,"stream":true`), "Authorization", "Bearer k")
	resp, err := s.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	defer leave()
	if _, err := bufio.NewReader(resp.Body).ReadString('\n'); err != nil { // the first token
		t.Fatal(err)
	}
	stacks := make([]byte, 1<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	waits := 0
	for stack := range strings.SplitSeq(string(stacks), "\n\n") {
		if !strings.Contains(stack, "answers.(*Answers).deliver") {
			continue
		}
		if waits++; strings.Contains(stack, "starlette.(*Router).ServeHTTP") {
			t.Error(stack)
		}
	}
	if waits != 1 {
		t.Errorf("%d streams wait, want 1:\n%s", waits, stacks)
	}
	if _, load := s.call("GET", "/load", ""); load != `{"server_load":1}` {
		t.Errorf("load %s", load)
	}
	leave()
	for load := ""; load != `{"server_load":0}`; _, load = s.call("GET", "/load", "") {
	}
}
