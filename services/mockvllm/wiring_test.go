package mockvllm_test

import (
	"bufio"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestKeepAliveComments(t *testing.T) {
	s := start(t, "--sse-keep-alive-interval", "1", "--mock-clock", "virtual", "--mock-ttft", "1h")
	lines := bufio.NewScanner(s.do("POST", chatPath, chatBody("Hello", `,"stream":true,"max_tokens":1`)).Body)
	if !lines.Scan() || lines.Text() != ": keep-alive" {
		t.Fatalf("first line %q", lines.Text())
	}
	s.call("POST", "/mock/clock?advance=1h", "")
	last := ""
	for lines.Scan() {
		if lines.Text() != "" {
			last = lines.Text()
		}
	}
	if last != "data: [DONE]" {
		t.Errorf("last line %q", last)
	}
}

func TestPauseKeepsAnswers(t *testing.T) {
	s := startIn(t, map[string]string{"VLLM_SERVER_DEV_MODE": "1"}, "--mock-clock", "virtual", "--mock-ttft", "1h", "--mock-itl", "1h")
	answered := make(chan answer, 1)
	go func() { answered <- s.chat("Hello", `,"max_tokens":2`) }()
	s.waitMetric(running, "1")
	if status, text := s.call("POST", "/pause?mode=keep&clear_cache=false", ""); status != http.StatusOK {
		t.Fatalf("%d %s", status, text)
	}
	s.call("POST", "/mock/clock?advance=5h", "")
	select {
	case a := <-answered:
		t.Fatalf("answered in a pause: %+v", a)
	default:
	}
	s.call("POST", "/resume", "")
	s.call("POST", "/mock/clock?advance=5h", "")
	if a := <-answered; a.Usage.Completion != 2 {
		t.Errorf("%d tokens", a.Usage.Completion)
	}
}

func TestPauseAbortsAnswers(t *testing.T) {
	s := startIn(t, map[string]string{"VLLM_SERVER_DEV_MODE": "1"}, "--mock-ttft", "1h")
	answered := make(chan answer, 1)
	go func() { answered <- s.chat("Hello", "") }()
	s.waitMetric(running, "1")
	s.call("POST", "/sleep?level=2", "")
	if a := <-answered; a.Choices[0].FinishReason != "abort" {
		t.Errorf("finish reason %q", a.Choices[0].FinishReason)
	}
	s.waitMetric(`vllm:engine_sleep_state{engine="0",model_name="mock-model",sleep_state="discard_all"}`, "1")
	s.call("POST", "/wake_up", "")
	s.waitMetric(`vllm:engine_sleep_state{engine="0",model_name="mock-model",sleep_state="awake"}`, "1")
}

func TestToolParserRunsAreCounted(t *testing.T) {
	s := start(t, "--enable-auto-tool-choice", "--tool-call-parser", "hermes")
	const tools = `,"tools":[{"type":"function","function":{"name":"get_weather"}}]`
	runs := func(mode, outcome string) string {
		return `vllm:tool_call_parser_invocations_total{mode="` + mode + `",model_name="mock-model",outcome="` + outcome + `",request_type="chat_completions"}`
	}
	s.chat("What is the weather?", tools)
	s.chat("Hello", tools)
	s.waitMetric(runs("non_streaming", "tool_call"), "1")
	s.waitMetric(runs("non_streaming", "no_tool_call"), "1")
	s.stream(chatPath, chatBody("Hi", tools+`,"stream":true,"max_tokens":3`))
	s.waitMetric(runs("streaming", "no_tool_call"), "3")
}

func TestStatisticsInTheLog(t *testing.T) {
	s := start(t, "--mock-clock", "virtual", "--mock-ttft", "3s", "--mock-itl", "3s")
	pass := func(by string) { s.call("POST", "/mock/clock?advance="+by, "") }
	pass("1h") // idle
	answered := make(chan answer, 1)
	go func() { answered <- s.ask(completionPath, `{"prompt":[5,5,5,5,5],"max_tokens":4,"ignore_eos":true}`) }()
	s.waitMetric(running, "1")
	pass("10s")
	pass("10s")
	<-answered
	pass("10s")
	pass("10h")
	want := []string{
		"Engine 000: Avg prompt throughput: 0.5 tokens/s, Avg generation throughput: 0.3 tokens/s, " +
			"Running: 1 reqs, Waiting: 0 reqs, GPU KV cache usage: 0.0%, Prefix cache hit rate: 0.0%",
		"Engine 000: Avg prompt throughput: 0.0 tokens/s, Avg generation throughput: 0.1 tokens/s, " +
			"Running: 0 reqs, Waiting: 0 reqs, GPU KV cache usage: 0.0%, Prefix cache hit rate: 0.0%",
		"Engine 000: Avg prompt throughput: 0.0 tokens/s, Avg generation throughput: 0.0 tokens/s, " +
			"Running: 0 reqs, Waiting: 0 reqs, GPU KV cache usage: 0.0%, Prefix cache hit rate: 0.0%",
	}
	var got []string
	for line := range strings.Lines(s.log.String()) {
		if _, said, ok := strings.Cut(line, " [loggers.py:335] "); ok {
			got = append(got, strings.TrimSpace(said))
		}
	}
	require.Equal(t, want, got)
}

func TestStatisticsOutliveTheEngine(t *testing.T) {
	s := startIn(t, map[string]string{"VLLM_KEEP_ALIVE_ON_ENGINE_DEATH": "1", "VLLM_LOG_STATS_INTERVAL": "0.5"}, "--mock-clock", "virtual")
	status, _ := s.call("POST", chatPath, chatBody("Hello", `,"stream":true`), "X-Mock-Fault", "crash=3")
	require.Equal(t, http.StatusOK, status)
	s.call("POST", "/mock/clock?advance=500ms", "")
	s.log.waitFor(t, "Avg generation throughput: ")
}

func TestNoStats(t *testing.T) {
	s := start(t, "--disable-log-stats", "--mock-clock", "virtual")
	s.chat("Hello", "")
	s.call("POST", "/mock/clock?advance=1h", "")
	require.NotContains(t, s.log.String(), "throughput")
	if _, text := s.call("GET", "/metrics", ""); strings.Contains(text, "vllm:") || !strings.Contains(text, "http_requests_total") {
		t.Errorf("metrics:\n%s", text)
	}
}
