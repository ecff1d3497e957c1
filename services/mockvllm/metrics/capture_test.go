package metrics

import (
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/engine"
)

// reference are the options of the captured servers.
func reference() Options {
	return Options{ModelName: "tiny", MaxModelLen: 2048, Cache: CacheConfig{BlockSize: 128, Blocks: 8192, PrefixCaching: true}}
}

func scrape(m *Metrics) string {
	rec := httptest.NewRecorder()
	m.ServeHTTP(rec, httptest.NewRequest("GET", "/metrics", nil))
	return rec.Body.String()
}

func capture(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// fixed are the values that no request changes and that differ from run to run all the same: times of creation and
// facts of the process. varying are these and what time decides: garbage collections, durations, the last use of adapters.
var (
	fixed   = regexp.MustCompile(`(?m)^(\S+_created(?:\{.*\})?|process_\S+) \S+$`)
	varying = regexp.MustCompile(`(?m)^(\S+_created(?:\{.*\})?|process_\S+|python_gc_\S+|\S+_seconds_(?:bucket|sum)(?:\{.*\})?) \S+$`)
)

var anyValue = regexp.MustCompile(`(?m)^([^#].*) \S+$`)

func compare(t *testing.T, mask *regexp.Regexp, want, got string) {
	t.Helper()
	want, got = mask.ReplaceAllString(want, "$1 *"), mask.ReplaceAllString(got, "$1 *")
	if diff := cmp.Diff(strings.Split(want, "\n"), strings.Split(got, "\n")); diff != "" {
		t.Errorf("differs from the capture (-vLLM +mock):\n%s", diff)
	}
}

func TestIdle(t *testing.T) {
	compare(t, fixed, capture(t, "idle.txt"), scrape(New(reference())))
}

func TestIdleWithFlags(t *testing.T) {
	o := reference()
	o.MaxModelLen, o.ToolParser, o.MaxLoRAs = 1000, true, 2
	o.Cache = CacheConfig{BlockSize: 64, Blocks: 100, Other: map[string]string{"num_gpu_blocks_override": "100", "user_specified_block_size": "True"}}
	m := New(o)
	compare(t, varying, capture(t, "tools.txt"), scrape(m))
	o.APIServers = 2 // the parser's is in front of what requests bring
	if got := counters.FindAllString(scrape(New(o)), -1); got[len(got)-1] != "# TYPE vllm:tool_call_parser_invocations_total counter" {
		t.Errorf("merged: the last counter of an idle server is %s", got[len(got)-1])
	}
}

var counters = regexp.MustCompile(`(?m)^# TYPE .* counter$`)

// TestFamiliesAndLabels: whatever the server, the text is the captured one but for its values.
func TestFamiliesAndLabels(t *testing.T) {
	f := func(file string, change func(*Options), use func(*Metrics)) {
		t.Helper()
		o := reference()
		if change != nil {
			change(&o)
		}
		m := New(o)
		want := capture(t, file)
		seen(m, want)
		if use != nil {
			use(m)
		}
		compare(t, anyValue, want, scrape(m))
	}
	f("idle.txt", nil, nil)
	f("after.txt", nil, nil)
	f("pooling.txt", nil, nil)
	f("disable-log-stats.txt", func(o *Options) { o.DisableLogStats = true }, nil)
	f("api-server-count-2.txt", func(o *Options) { o.APIServers = 2 }, nil)
	f("lora.txt", func(o *Options) { o.MaxLoRAs = 2 }, func(m *Metrics) {
		m.Step(&engine.Iteration{LoRAs: []string{"ada"}})
		m.Step(&engine.Iteration{})
		m.Step(&engine.Iteration{LoRAs: []string{"ada"}})
	})
}

var counted = regexp.MustCompile(`(?m)^http_requests_total\{handler="(.*)",method="(.*)",status="(.)xx"\}`)

// seen counts one request of each kind that a capture has, in its order.
func seen(m *Metrics, text string) {
	for _, kind := range counted.FindAllStringSubmatch(text, -1) {
		m.request(httpKey{strings.Replace(kind[1], "none", "", 1), kind[2], int(kind[3][0] - '0')}, "/nope", 0, 0, 0)
	}
}

func TestDisabledLogStats(t *testing.T) {
	o := reference()
	o.DisableLogStats = true
	m := New(o)
	m.request(httpKey{"/v1/chat/completions", "POST", 2}, "", 92, 699, 68416936*time.Nanosecond)
	m.Step(&engine.Iteration{Outputs: 1, Finished: []engine.Finished{{Reason: "stop"}}}) // the engine does not know of it
	compare(t, regexp.MustCompile(`(?m)^(\S+_created(?:\{.*\})?|process_\S+|python_gc_\S+|\S+_seconds_sum(?:\{.*\})?) \S+$`),
		capture(t, "disable-log-stats.txt"), scrape(m))
}

func TestMergedProcesses(t *testing.T) {
	o := reference()
	o.APIServers = 2
	m := New(o)
	for i := range 6 {
		run(m, "length", false, sequence{prompt: 11, generated: 5, maxTokens: 5})
		m.request(httpKey{"/v1/chat/completions", "POST", 2}, "", 92, []int64{696, 697}[i%2], 0)
	}
	compare(t, varying, capture(t, "api-server-count-2.txt"), scrape(m))
}

func TestTextIsParsed(t *testing.T) {
	o := reference()
	o.MaxLoRAs, o.ToolParser, o.Ranks, o.ModelName = 2, true, 2, "a \"quoted\\\" name\nof two lines"
	m := New(o)
	m.Step(&engine.Iteration{LoRAs: []string{"ada"}})
	seen(m, capture(t, "after.txt"))
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(scrape(m)))
	if err != nil {
		t.Fatal(err)
	}
	if n := len(families["vllm:prompt_tokens_total"].GetMetric()); n != 2 {
		t.Errorf("%d series, want one for each rank", n)
	}
	for _, l := range families["vllm:prompt_tokens_total"].GetMetric()[1].GetLabel() {
		if want := map[string]string{"engine": "1", "model_name": o.ModelName}[l.GetName()]; l.GetValue() != want {
			t.Errorf("label %s is %q, want %q", l.GetName(), l.GetValue(), want)
		}
	}
}

func TestRanks(t *testing.T) {
	o := reference()
	o.Ranks = 2
	m := New(o)
	m.Step(&engine.Iteration{Running: 3})
	m.Asleep(1)
	text := scrape(m)
	f := func(want string) {
		t.Helper()
		if !strings.Contains(text, want) {
			t.Errorf("no %s", want)
		}
	}
	f("vllm:num_requests_running{engine=\"0\",model_name=\"tiny\"} 3.0\nvllm:num_requests_running{engine=\"1\",model_name=\"tiny\"} 0.0\n")
	f(`vllm:request_success_total{engine="0",finished_reason="stop",model_name="tiny"} 0.0
vllm:request_success_total{engine="1",finished_reason="stop",model_name="tiny"} 0.0
vllm:request_success_total{engine="0",finished_reason="length",model_name="tiny"} 0.0
`)
	f(`vllm:engine_sleep_state{engine="0",model_name="tiny",sleep_state="awake"} 0.0
vllm:engine_sleep_state{engine="1",model_name="tiny",sleep_state="awake"} 0.0
vllm:engine_sleep_state{engine="0",model_name="tiny",sleep_state="weights_offloaded"} 1.0
vllm:engine_sleep_state{engine="1",model_name="tiny",sleep_state="weights_offloaded"} 1.0
`)
	f(`engine="1",gpu_memory_utilization="0.92"`)
}

func TestAPIServerCounts(t *testing.T) {
	o := reference()
	o.ToolParser = true
	m := New(o)
	m.Rejected(MaxQueuedTokens)
	m.ParsedTools(ToolCall{Streaming: true, Called: true, API: "chat_completions"}, 3)
	m.ParsedTools(ToolCall{API: "responses"}, 1)
	text := scrape(m)
	f := func(want string) {
		t.Helper()
		if !strings.Contains(text, want+"\n") {
			t.Errorf("no %s", want)
		}
	}
	f(`vllm:admission_rejections_total{model_name="tiny",reason="max_num_queued_reqs"} 0.0`)
	f(`vllm:admission_rejections_total{model_name="tiny",reason="max_num_queued_tokens"} 1.0`)
	f(`vllm:tool_call_parser_invocations_total{mode="streaming",model_name="tiny",outcome="tool_call",request_type="chat_completions"} 3.0`)
	f(`vllm:tool_call_parser_invocations_total{mode="non_streaming",model_name="tiny",outcome="no_tool_call",request_type="responses"} 1.0`)
	f(`vllm:tool_call_parser_invocations_total{mode="non_streaming",model_name="tiny",outcome="no_tool_call",request_type="other"} 0.0`)
	f(`# TYPE vllm:tool_call_parser_invocations_created gauge`)
	New(reference()).ParsedTools(ToolCall{API: "other"}, 1) // without a parser: nothing
}

func TestCacheConfig(t *testing.T) {
	f := func(c CacheConfig, maxLen int, want string) {
		t.Helper()
		o := reference()
		o.Cache, o.MaxModelLen = c, maxLen
		if text := scrape(New(o)); !strings.Contains(text, want) {
			t.Errorf("no %s", want)
		}
	}
	c := reference().Cache
	f(c, 1, `kv_cache_max_concurrency="8192.0",kv_cache_memory_bytes="1073741824",kv_cache_size_tokens="8192"`)
	f(c, 1000, `kv_cache_max_concurrency="1024.0",kv_cache_memory_bytes="1073741824",kv_cache_size_tokens="1024000"`)
	f(c, 40960, `kv_cache_max_concurrency="25.6",kv_cache_memory_bytes="1073741824",kv_cache_size_tokens="1048576"`)
	c.PrefixCaching = false
	f(c, 2048, `enable_prefix_caching="False"`)
	f(CacheConfig{BlockSize: 16, Blocks: 100, Other: map[string]string{"user_specified_block_size": "True"}}, 2048,
		`user_specified_block_size="True"`)
	f(CacheConfig{}, 2048, `block_size="0"`)
}

// The text is that of a real vLLM 0.32 in development mode, which was woken and then put to sleep.
func TestOperations(t *testing.T) {
	now := time.Unix(0, 0)
	o := reference()
	o.Now = func() time.Time { return now }
	m := New(o)
	before := scrape(m)
	wake, sleep := m.Operation(SleepMode, "wake"), m.Operation(SleepMode, "sleep")
	now = now.Add(50 * time.Millisecond)
	wake()
	const name = "vllm:sleep_mode_operation_duration_seconds"
	want := "# HELP " + name + " Duration of one sleep-mode operation.\n# TYPE " + name + " histogram\n" +
		name + `_bucket{le="0.01",operation="wake"} 0.0` + "\n"
	for _, le := range []string{"0.1", "1.0", "10.0", "30.0", "60.0", "120.0", "300.0", "600.0", "+Inf"} {
		want += name + `_bucket{le="` + le + `",operation="wake"} 1.0` + "\n"
	}
	want += name + `_count{operation="wake"} 1.0` + "\n" + name + `_sum{operation="wake"} 0.05` + "\n# HELP " + name +
		"_created Duration of one sleep-mode operation.\n# TYPE " + name + "_created gauge\n" + name + `_created{operation="wake"} *` + "\n" +
		"# HELP vllm:sleep_mode_operations_in_flight Sleep-mode operations currently awaited.\n# TYPE vllm:sleep_mode_operations_in_flight gauge\n" +
		`vllm:sleep_mode_operations_in_flight{operation="wake"} 0.0` + "\n" + `vllm:sleep_mode_operations_in_flight{operation="sleep"} 1.0` + "\n"
	compare(t, fixed, before+want, scrape(m))
	sleep()
	if text := scrape(m); !strings.Contains(text, `in_flight{operation="sleep"} 0.0`) || !strings.Contains(text, `_count{operation="sleep"} 1.0`) {
		t.Error(text)
	}
}
