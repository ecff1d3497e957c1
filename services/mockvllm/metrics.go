package mockvllm

import (
	"bytes"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"

	"github.com/fluidmcp/fluidmcp/internal/telemetry"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/engine"
)

// Buckets of vLLM's histograms, in seconds.
var (
	ttftBuckets = []float64{.001, .005, .01, .02, .04, .06, .08, .1, .25, .5, .75, 1, 2.5, 5, 7.5, 10, 20, 40, 80, 160, 640, 2560}
	itlBuckets  = []float64{.01, .025, .05, .075, .1, .15, .2, .3, .4, .5, .75, 1, 2.5, 5, 7.5, 10, 20, 40, 80}
	lifeBuckets = []float64{.3, .5, .8, 1, 1.5, 2, 2.5, 5, 10, 15, 20, 30, 40, 50, 60, 120, 240, 480, 960, 1920, 7680}
)

// metrics has vLLM's names, help texts, buckets and labels. It is the engine's observer.
type metrics struct {
	reg               *prometheus.Registry
	queries, hits     prometheus.Counter
	prompt, generated prometheus.Counter
	success           map[string]prometheus.Counter // by finish reason
	ttft, itl         prometheus.Histogram
	sizes             struct{ prompt, answer prometheus.Histogram }
	phases            struct{ queue, prefill, decode, inference, all prometheus.Histogram }
	http              *prometheus.CounterVec
}

func newMetrics(cfg Config, load func() engine.Load) *metrics {
	m := &metrics{reg: telemetry.NewRegistry(), success: map[string]prometheus.Counter{}}
	f := family{m.reg, prometheus.Labels{"model_name": cfg.ServedNames[0], "engine": "0"}}
	m.reg.MustRegister(cacheConfig(cfg))
	f.gauge("num_requests_running", "Number of requests in model execution batches.",
		func() float64 { return float64(load().Running) })
	f.gauge("num_requests_waiting", "Number of requests waiting to be processed.",
		func() float64 { return float64(load().Waiting) })
	f.gauge("kv_cache_usage_perc", "KV-cache usage. 1 means 100 percent usage.",
		func() float64 { return load().CacheUsage })
	m.queries = f.counter("prefix_cache_queries_total", "Prefix cache queries, in terms of number of queried tokens.")
	m.hits = f.counter("prefix_cache_hits_total", "Prefix cache hits, in terms of number of cached tokens.")
	f.counter("num_preemptions_total", "Cumulative number of preemption from the engine.") // there is always room
	m.prompt = f.counter("prompt_tokens_total", "Number of prefill tokens processed.")
	m.generated = f.counter("generation_tokens_total", "Number of generation tokens processed.")
	success := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "vllm:request_success_total",
		Help: "Count of successfully processed requests.", ConstLabels: f.labels}, []string{"finished_reason"})
	m.reg.MustRegister(success)
	for _, reason := range []string{"stop", "length", "abort", "error", "repetition"} {
		m.success[reason] = success.WithLabelValues(reason)
	}
	m.ttft = f.histogram("time_to_first_token_seconds", "Histogram of time to first token in seconds.", ttftBuckets)
	m.itl = f.histogram("inter_token_latency_seconds", "Histogram of inter-token latency in seconds.", itlBuckets)
	m.perRequest(f, cfg.MaxModelLen)
	m.http = prometheus.NewCounterVec(prometheus.CounterOpts{Name: "http_requests_total",
		Help: "Total number of requests by method, status and handler."}, []string{"handler", "method", "status"})
	m.reg.MustRegister(m.http)
	return m
}

// perRequest makes what is observed once for each request, at its end.
func (m *metrics) perRequest(f family, maxLen int) {
	m.sizes.prompt = f.histogram("request_prompt_tokens", "Number of prefill tokens processed.", sizeBuckets(maxLen))
	m.sizes.answer = f.histogram("request_generation_tokens", "Number of generation tokens processed.", sizeBuckets(maxLen))
	p := &m.phases
	p.all = f.histogram("e2e_request_latency_seconds", "Histogram of e2e request latency in seconds.", lifeBuckets)
	p.queue = f.histogram("request_queue_time_seconds", "Histogram of time spent in WAITING phase for request.", lifeBuckets)
	p.inference = f.histogram("request_inference_time_seconds", "Histogram of time spent in RUNNING phase for request.", lifeBuckets)
	p.prefill = f.histogram("request_prefill_time_seconds", "Histogram of time spent in PREFILL phase for request.", lifeBuckets)
	p.decode = f.histogram("request_decode_time_seconds", "Histogram of time spent in DECODE phase for request.", lifeBuckets)
}

// sizeBuckets are 1, 2, 5, 10 and so on, in tokens, up to the context's length.
func sizeBuckets(maxLen int) []float64 {
	var bounds []float64
	for decade := 1; ; decade *= 10 {
		for _, step := range []int{1, 2, 5} {
			if step*decade > maxLen {
				return bounds
			}
			bounds = append(bounds, float64(step*decade))
		}
	}
}

// family makes vLLM's metrics, all with the same labels.
type family struct {
	reg    *prometheus.Registry
	labels prometheus.Labels
}

func (f family) gauge(name, help string, value func() float64) {
	f.reg.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "vllm:" + name, Help: help, ConstLabels: f.labels}, value))
}

func (f family) counter(name, help string) prometheus.Counter {
	c := prometheus.NewCounter(prometheus.CounterOpts{Name: "vllm:" + name, Help: help, ConstLabels: f.labels})
	f.reg.MustRegister(c)
	return c
}

func (f family) histogram(name, help string, buckets []float64) prometheus.Histogram {
	h := prometheus.NewHistogram(prometheus.HistogramOpts{Name: "vllm:" + name, Help: help, ConstLabels: f.labels, Buckets: buckets})
	f.reg.MustRegister(h)
	return h
}

// LookedUp counts the tokens that were looked up in the prefix cache.
func (m *metrics) LookedUp(s *engine.Sequence, cached int) {
	m.queries.Add(float64(s.Prompt))
	m.hits.Add(float64(cached))
}

// Token counts a delivered token, and with the first one the prompt that was read for it.
func (m *metrics) Token(s *engine.Sequence, first bool, gap time.Duration) {
	m.generated.Inc()
	if first {
		m.prompt.Add(float64(s.Prompt))
		m.ttft.Observe(gap.Seconds())
		return
	}
	m.itl.Observe(gap.Seconds())
}

// Finished counts a request that was answered to its end.
func (m *metrics) Finished(s *engine.Sequence, reason string, took engine.Durations) {
	m.success[reason].Inc()
	m.sizes.prompt.Observe(float64(s.Prompt))
	m.sizes.answer.Observe(float64(s.Delivered()))
	m.phases.all.Observe(took.EndToEnd.Seconds())
	m.phases.queue.Observe(took.Queue.Seconds())
	m.phases.inference.Observe((took.Prefill + took.Decode).Seconds())
	m.phases.prefill.Observe(took.Prefill.Seconds())
	m.phases.decode.Observe(took.Decode.Seconds())
}

func (m *metrics) serve(w http.ResponseWriter, _ *http.Request) {
	families, err := m.reg.Gather()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	var b bytes.Buffer
	enc := expfmt.NewEncoder(&b, expfmt.NewFormat(expfmt.TypeTextPlain))
	for _, f := range families {
		if err := enc.Encode(f); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
	}
	w.Header().Set("Content-Type", "text/plain; version=1.0.0; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(b.Len()))
	_, _ = w.Write(b.Bytes()) // the client may have left
}

// uncounted are the paths that vLLM leaves out of its HTTP metrics.
var uncounted = []string{"/metrics", "/health", "/load", "/ping", "/version"}

func isUncounted(path string) bool {
	return slices.Contains(uncounted, path) || strings.HasPrefix(path, ownPaths)
}

// counted counts requests by the path of their route, or none for what no route takes.
func (m *metrics) counted(known map[string]string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if isUncounted(r.URL.Path) {
			next.ServeHTTP(w, r)
			return
		}
		rec := &recorder{ResponseWriter: w, status: http.StatusOK}
		next.ServeHTTP(rec, r)
		m.http.WithLabelValues(handlerLabel(known, r.URL.Path, rec.status), method(r.Method), strconv.Itoa(rec.status/100)+"xx").Inc()
	})
}

// handlerLabel is a path of the route table, none for any other; redirects to one keep their slash.
func handlerLabel(known map[string]string, path string, status int) string {
	route := path
	if status == http.StatusTemporaryRedirect {
		route = strings.TrimSuffix(path, "/")
	}
	if known[route] == "" || status == http.StatusMethodNotAllowed {
		return "none"
	}
	return path
}

// method keeps strange ones out of the labels.
func method(m string) string {
	switch m {
	case "GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH":
		return m
	}
	return "OTHER"
}
