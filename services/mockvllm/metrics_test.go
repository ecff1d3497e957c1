package mockvllm_test

import (
	"strings"
	"testing"
)

// longPrompt has several blocks of the prefix cache.
var longPrompt = strings.Repeat("The same words again. ", 80)

func TestPrefixCacheIsCounted(t *testing.T) {
	s := start(t)
	queried := s.chat(longPrompt, "").Usage.Prompt
	s.waitMetric(counter("prefix_cache_queries_total"), itoa(queried))
	s.waitMetric(counter("prefix_cache_hits_total"), "0")
	s.chat(longPrompt, `,"n":2`)
	blocks := (queried - 1) / 128 // vLLM computes the last token in any case
	s.waitMetric(counter("prefix_cache_queries_total"), itoa(3*queried))
	s.waitMetric(counter("prefix_cache_hits_total"), itoa(2*blocks*128))
	s.chat(longPrompt, `,"cache_salt":"of another"`)
	s.waitMetric(counter("prefix_cache_queries_total"), itoa(4*queried))
	s.waitMetric(counter("prefix_cache_hits_total"), itoa(2*blocks*128))
	two := s.ask(completionPath, `{"prompt":["one `+longPrompt+`","two `+longPrompt+`"],"n":2}`).Usage.Prompt
	other := (two/2 - 1) / 128
	s.waitMetric(counter("prefix_cache_queries_total"), itoa(4*queried+2*two))
	s.waitMetric(counter("prefix_cache_hits_total"), itoa(2*blocks*128+2*other*128)) // of the second choice of each
	if blocks < 2 {
		t.Errorf("%d blocks of %d tokens: the prompt is too short to show anything", blocks, queried)
	}
}

func TestWithoutPrefixCache(t *testing.T) {
	s := start(t, "--no-enable-prefix-caching")
	s.chat(longPrompt, "")
	s.chat(longPrompt, "")
	s.waitMetric(success("stop"), "2")
	s.waitMetric(counter("prefix_cache_queries_total"), "0")
	_, text := s.call("GET", "/metrics", "")
	if !strings.Contains(text, `enable_prefix_caching="False"`) {
		t.Error("vllm:cache_config_info does not tell it")
	}
}

// TestMetricsOfVLLM: names, types, help texts and buckets are those that were recorded from vLLM 0.32.0.
func TestMetricsOfVLLM(t *testing.T) {
	_, got := start(t, "--max-model-len", "2048").call("GET", "/metrics", "")
	for _, want := range []string{
		"# HELP vllm:prefix_cache_queries_total Prefix cache queries, in terms of number of queried tokens.\n# TYPE vllm:prefix_cache_queries_total counter\n",
		"# HELP vllm:prefix_cache_hits_total Prefix cache hits, in terms of number of cached tokens.\n# TYPE vllm:prefix_cache_hits_total counter\n",
		"# HELP vllm:num_preemptions_total Cumulative number of preemption from the engine.\n# TYPE vllm:num_preemptions_total counter\n",
		"# HELP vllm:request_prompt_tokens Number of prefill tokens processed.\n# TYPE vllm:request_prompt_tokens histogram\n",
		"# HELP vllm:request_inference_time_seconds Histogram of time spent in RUNNING phase for request.\n# TYPE vllm:request_inference_time_seconds histogram\n",
		"# HELP vllm:cache_config_info Information of the LLMEngine CacheConfig\n# TYPE vllm:cache_config_info gauge\n",
		`vllm:request_generation_tokens_bucket{engine="0",le="2000.0",model_name="mock-model"} 0.0`,
		`block_size="128",cache_dtype="auto",cache_hit_alignment_tokens="None",effective_attention_block_size="128"`,
		`kv_cache_max_concurrency="512.0",kv_cache_memory_bytes="1073741824",kv_cache_size_tokens="1048576"`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s", want)
		}
	}
	if strings.Contains(got, `le="5000.0"`) {
		t.Error("buckets beyond the context's length")
	}
	if _, got := start(t, "--max-model-len", "1").call("GET", "/metrics", ""); !strings.Contains(got, `kv_cache_max_concurrency="8192.0"`) {
		t.Error("each request does not have whole blocks")
	}
}

// TestMetricsBelow: what begins with /metrics but is not GET /metrics meets another handler, and none of it is counted.
func TestMetricsBelow(t *testing.T) {
	s := start(t)
	for _, ask := range [][2]string{{"HEAD", "/metrics"}, {"POST", "/metrics"}, {"GET", "/metrics/"}, {"GET", "/metricsfoo"}} {
		resp := s.do(ask[0], ask[1], "")
		if got := resp.Header.Get("Content-Type"); resp.StatusCode != 200 || got != "text/plain; version=0.0.4; charset=utf-8" {
			t.Errorf("%s %s: %d %s", ask[0], ask[1], resp.StatusCode, got)
		}
	}
	if _, text := s.call("GET", "/metrics", ""); strings.Contains(text, "http_requests_total{") {
		t.Error("scrapes are counted")
	}
}
