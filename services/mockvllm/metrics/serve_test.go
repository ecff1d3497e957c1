package metrics

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/engine"
)

// exchange asks a listening server, so that lengths and chunks are those of the wire.
func exchange(t *testing.T, m *Metrics, method, target, accept, encoding string) (*http.Response, string) {
	t.Helper()
	srv := httptest.NewServer(m)
	defer srv.Close()
	r, err := http.NewRequest(method, srv.URL+target, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Accept", accept)
	if encoding != "" {
		r.Header.Set("Accept-Encoding", encoding)
	}
	client := &http.Client{Transport: &http.Transport{DisableCompression: true, DisableKeepAlives: true}}
	resp, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(body)
}

// TestTwoHandlers: GET /metrics ignores all headers, everything else below /metrics heeds them.
func TestTwoHandlers(t *testing.T) {
	m := New(reference())
	const openMetrics = "application/openmetrics-text"
	f := func(method, target, accept, contentType string, chunked bool, end string) {
		t.Helper()
		resp, body := exchange(t, m, method, target, accept, "")
		if got := resp.Header.Get("Content-Type"); resp.StatusCode != http.StatusOK || got != contentType {
			t.Errorf("%s %s with %s: %d %s, want 200 %s", method, target, accept, resp.StatusCode, got, contentType)
		}
		if got := len(resp.TransferEncoding) > 0; got != chunked || !chunked && method != "HEAD" && resp.ContentLength != int64(len(body)) {
			t.Errorf("%s %s: chunked %t, Content-Length %d of %d", method, target, got, resp.ContentLength, len(body))
		}
		if !strings.HasSuffix(body, end) {
			t.Errorf("%s %s with %s ends in %q, want %q", method, target, accept, body[max(0, len(body)-50):], end)
		}
	}
	const plain, old = "text/plain; version=1.0.0; charset=utf-8", "text/plain; version=0.0.4; charset=utf-8"
	const open = openMetrics + "; version=1.0.0; charset=utf-8"
	const last = "# TYPE http_request_duration_seconds histogram\n"
	f("GET", "/metrics", openMetrics, plain, false, last)
	f("GET", "/metrics?name[]=python_info", "", plain, false, last)
	f("HEAD", "/metrics", "*/*", old, false, "")
	f("HEAD", "/metrics", openMetrics, open, false, "")
	f("HEAD", "/metrics/", "*/*", old, false, "")
	f("POST", "/metrics", "", old, true, last)
	f("GET", "/metrics/", "", old, true, last)
	f("GET", "/metricsfoo", "", old, true, last)
	f("GET", "/metrics/?name[]=python_info", "", old, true, "} 1.0\n")
	f("GET", "/metrics/?name[]=", "", old, true, last)
	f("GET", "/metrics/?name[]=nothing", "", old, true, "")
	f("GET", "/metrics/", openMetrics, open, true, "# EOF\n")
	f("GET", "/metrics/", "text/html, "+openMetrics+";version=1.0.0;escaping=allow-utf-8;q=0.5", open+"; escaping=allow-utf-8", true, "# EOF\n")
	f("GET", "/metrics/", openMetrics+"; version=2.0.0", openMetrics+"; version=2.0.0; charset=utf-8; escaping=underscores", true, "# EOF\n")
	f("GET", "/metrics/", openMetrics+"; version=0.0.1", old, true, last)
	f("GET", "/metrics/", openMetrics+"; version=1.0", old, true, last)
	f("GET", "/metrics/", "text/plain;version=1.0.0;escaping=dots", plain+"; escaping=dots", true, " histogram\n")
	f("GET", "/metrics/", "text/plain;version=0.0.4", old, true, last)
}

func TestGzip(t *testing.T) {
	m := New(reference())
	f := func(header string, zipped bool) {
		t.Helper()
		resp, body := exchange(t, m, "GET", "/metrics/?name[]=python_info", "", header)
		if got := resp.Header.Get("Content-Encoding") == "gzip"; got != zipped {
			t.Fatalf("Accept-Encoding %q: zipped %t, want %t", header, got, zipped)
		}
		if zipped {
			z, err := gzip.NewReader(strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			plain, err := io.ReadAll(z)
			if err != nil {
				t.Fatal(err)
			}
			body = string(plain)
		}
		if !strings.HasPrefix(body, "# HELP python_info ") {
			t.Errorf("Accept-Encoding %q: %q", header, body)
		}
	}
	f("gzip", true)
	f("br, GZIP;q=0.1", true)
	f("identity", false)
	f("", false)
}

// TestForms holds what the real server was heard to answer on /metrics/.
func TestForms(t *testing.T) {
	const names = "?name[]=vllm:num_requests_running&name[]=vllm:request_params_n_sum"
	f := func(target, accept, want string) {
		t.Helper()
		_, got := exchange(t, New(reference()), "GET", "/metrics/"+target, accept, "")
		if diff := cmp.Diff(want, fixed.ReplaceAllString(got, "$1 *")); diff != "" {
			t.Errorf("%s with %s (-vLLM +mock):\n%s", target, accept, diff)
		}
	}
	const running = "vllm:num_requests_running Number of requests in model execution batches.\n# TYPE vllm:num_requests_running gauge\n"
	const n = "# HELP vllm:request_params_n Histogram of the n request parameter.\n# TYPE vllm:request_params_n histogram\n"
	const labels = `{engine="0",model_name="tiny"} `
	f(names, "", "# HELP "+running+"vllm:num_requests_running"+labels+"0.0\n"+n+"vllm:request_params_n_sum"+labels+"0.0\n")
	f("?name[]=vllm:prompt_tokens_created", "", "# HELP vllm:prompt_tokens_total Number of prefill tokens processed.\n# TYPE vllm:prompt_tokens_total counter\n"+
		"# HELP vllm:prompt_tokens_created Number of prefill tokens processed.\n# TYPE vllm:prompt_tokens_created gauge\nvllm:prompt_tokens_created"+labels+"*\n")
	const open = "application/openmetrics-text;version=1.0.0;escaping="
	f(names, open+"allow-utf-8", "# HELP "+running+"vllm:num_requests_running"+labels+"0.0\n"+n+"vllm:request_params_n_sum"+labels+"0.0\n# EOF\n")
	f(names, open+"bogus", "# HELP "+running+"vllm_num_requests_running"+labels+"0.0\n"+n+"vllm_request_params_n_sum"+labels+"0.0\n# EOF\n")
	f(names, open+"values", "# HELP "+running+"U__vllm_3a_num__requests__running"+labels+"0.0\n"+n+"U__vllm_3a_request__params__n__sum"+labels+"0.0\n# EOF\n")
	f("?name[]=vllm:num_requests_running", open+"dots", `# HELP vllm:num__requests__running Number of requests in model execution batches.
# TYPE vllm:num__requests__running gauge
vllm__num__requests__running{engine="0",model__name="tiny"} 0.0
# EOF
`)
	f("?name[]=vllm:num_requests_running", "text/plain;version=1.0.0;escaping=dots", `# HELP vllm:num__requests__running Number of requests in model execution batches.
# TYPE vllm:num__requests__running gauge
vllm:num__requests__running{engine="0",model__name="tiny"} 0.0
`)
	f("?name[]=vllm:estimated_flops_per_gpu_total&name[]=vllm:estimated_flops_per_gpu_created", "application/openmetrics-text",
		`# HELP vllm:estimated_flops_per_gpu Estimated number of floating point operations per GPU (for Model Flops Utilization calculations).
# TYPE vllm:estimated_flops_per_gpu counter
vllm_estimated_flops_per_gpu_total{engine="0",model_name="tiny"} 0.0
vllm_estimated_flops_per_gpu_created{engine="0",model_name="tiny"} *
# EOF
`)
}

// TestConcurrentUse is for the race detector: everything at once, and nothing is lost.
func TestConcurrentUse(t *testing.T) {
	o := reference()
	o.ToolParser, o.MaxLoRAs = true, 2
	m := New(o)
	const workers, rounds = 4, 50
	done := make(chan bool)
	for range workers {
		go func() {
			for range rounds {
				m.Step(&engine.Iteration{LoRAs: []string{"ada"}, Outputs: 1, Generated: 1, Gaps: []time.Duration{time.Second}})
				m.request(httpKey{"/v1/chat/completions", "POST", 2}, "", 1, 1, time.Second)
				m.ParsedTools(ToolCall{API: "other"}, 1)
				m.Rejected(MaxQueuedRequests)
				m.Asleep(1)
				m.Awake()
				scrape(m)
			}
			done <- true
		}()
	}
	for range workers {
		<-done
	}
	text := scrape(m)
	for _, want := range []string{
		`vllm:generation_tokens_total{engine="0",model_name="tiny"} 200.0`,
		`vllm:inter_token_latency_seconds_bucket{engine="0",le="1.0",model_name="tiny"} 200.0`,
		`http_requests_total{handler="/v1/chat/completions",method="POST",status="2xx"} 200.0`,
		`outcome="no_tool_call",request_type="other"} 200.0`,
	} {
		if !strings.Contains(text, want+"\n") {
			t.Errorf("no %s", want)
		}
	}
}

type nowhere struct{ header http.Header }

func (w nowhere) Header() http.Header         { return w.header }
func (w nowhere) Write(p []byte) (int, error) { return len(p), nil }
func (w nowhere) WriteHeader(int)             {}

func BenchmarkScrape(b *testing.B) {
	m := New(reference())
	for _, path := range []string{"/v1/chat/completions", "/v1/completions", "/v1/models", "/tokenize", "none"} {
		m.request(httpKey{path, "POST", 2}, "", 1, 1, 1234567*time.Nanosecond)
	}
	run(m, "length", false, sequence{prompt: 11, generated: 20, maxTokens: 20})
	w, r := nowhere{http.Header{}}, httptest.NewRequest("GET", "/metrics", nil)
	b.ReportAllocs()
	for b.Loop() {
		m.ServeHTTP(w, r)
	}
}

// BenchmarkStep is a step of 64 running sequences, one of which ends.
func BenchmarkStep(b *testing.B) {
	m := New(reference())
	it := &engine.Iteration{Running: 64, Outputs: 64, Generated: 64, Gaps: make([]time.Duration, 63), FirstTokens: make([]time.Duration, 1),
		Finished: []engine.Finished{{Reason: "length", Prompt: 11, Generated: 20, N: 1, MaxGenerated: 20, MaxTokens: 20}}}
	for i := range it.Gaps {
		it.Gaps[i] = 20 * time.Millisecond
	}
	b.ReportAllocs()
	for b.Loop() {
		m.Step(it)
	}
}

func BenchmarkMiddleware(b *testing.B) {
	m := New(reference())
	h := m.HTTP(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) }),
		func(r *http.Request, _ int) string { return r.URL.Path })
	w, r := nowhere{http.Header{"Content-Length": {"720"}}}, httptest.NewRequest("POST", "/v1/chat/completions", nil)
	b.ReportAllocs()
	for b.Loop() {
		h.ServeHTTP(w, r)
	}
}
