package metrics

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/metrics/promclient"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/uvicorn"
)

// httpFamilies are what prometheus-fastapi-instrumentator counts, with a label set for each kind of request seen.
type httpFamilies struct {
	requests, in, out, fine, coarse *promclient.Family
	all                             *promclient.Series // of fine, which has no labels
	sets                            map[httpKey]*httpSet

	key  httpKey // of the last request, which most are like
	last *httpSet
}

type httpKey struct {
	handler, method string
	class           int // of the status: 2 for 2xx
}

// httpSet is where one kind of request is counted; nil is nowhere.
type httpSet struct{ requests, in, out, seconds *promclient.Series }

// maxSets bounds what strange methods and paths, or many combinations of adapters, can cost. vLLM has no bound.
const maxSets = 1000

func newHTTP() *httpFamilies {
	const latency = "Made for more accurate percentile calculations. "
	const size = "Only value of header is respected. Otherwise ignored. No percentile calculated. "
	h := &httpFamilies{sets: map[httpKey]*httpSet{},
		requests: &promclient.Family{Name: "http_requests", Help: "Total number of requests by method, status and handler.", Kind: promclient.Counter},
		in:       &promclient.Family{Name: "http_request_size_bytes", Help: "Content length of incoming requests by handler. " + size, Kind: promclient.Summary},
		out:      &promclient.Family{Name: "http_response_size_bytes", Help: "Content length of outgoing responses by handler. " + size, Kind: promclient.Summary},
		fine: &promclient.Family{Name: "http_request_duration_highr_seconds", Help: "Latency with many buckets but no API specific labels. " + latency,
			Kind: promclient.Histogram, Bounds: []float64{.01, .025, .05, .075, .1, .25, .5, .75, 1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5, 5, 7.5, 10, 30, 60}},
		coarse: &promclient.Family{Name: "http_request_duration_seconds",
			Help: "Latency with only few buckets by handler. Made to be only used if aggregation by handler is important. ",
			Kind: promclient.Histogram, Bounds: []float64{.1, .5, 1}},
	}
	h.all = h.fine.With(nil)
	return h
}

func (h *httpFamilies) families() []*promclient.Family {
	return []*promclient.Family{h.requests, h.in, h.out, h.fine, h.coarse}
}

// set finds where a request is counted, or makes the place.
func (h *httpFamilies) set(key httpKey, path string) *httpSet {
	if key.handler == "" {
		if uncounted(path) {
			return nil
		}
		key.handler = "none"
	}
	s, known := h.sets[key]
	if known || uncounted(key.handler) {
		return s
	}
	if len(h.sets) >= maxSets {
		key.handler, key.method = "none", "OTHER"
		if s = h.sets[key]; s != nil {
			return s
		}
	}
	handler := promclient.Labels{"handler": key.handler}
	s = &httpSet{
		requests: h.requests.Of(promclient.Labels{"handler": key.handler, "method": key.method, "status": strconv.Itoa(key.class) + "xx"}),
		in:       h.in.Of(handler),
		out:      h.out.Of(handler),
		seconds:  h.coarse.Of(promclient.Labels{"handler": key.handler, "method": key.method}),
	}
	h.sets[key] = s
	return s
}

// uncounted tells of the handlers that vLLM excludes. It searches for them anywhere in a path, so that they hit
// /v1/load_lora_adapter too.
func uncounted(path string) bool {
	for _, part := range [...]string{"/metrics", "/health", "/load", "/ping", "/version", "/server_info"} {
		if strings.Contains(path, part) {
			return true
		}
	}
	return false
}

// request counts one request. handler is "" for none; sizes are in bytes.
func (m *Metrics) request(key httpKey, path string, in, out int64, took time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.http.last
	if s == nil || key != m.http.key || key.handler == "" { // the path decides then
		if s = m.http.set(key, path); s == nil {
			return
		}
		m.http.key, m.http.last = key, s
	}
	s.requests.Inc()
	s.in.Observe(float64(max(0, in)))
	s.out.Observe(float64(out))
	m.http.all.Observe(took.Seconds())
	s.seconds.Observe(took.Seconds())
}

// HTTP counts the requests that next answers. template names the route of a request that was answered with status, such
// as /v1/responses/{response_id}; it is the path as it came for a redirect to a route that takes the method, and "" where
// no route takes both. Preflights, what a missing key is refused with and WebSockets are not counted, and must not pass here.
func (m *Metrics) HTTP(next http.Handler, template func(r *http.Request, status int) string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec := &recorder{metrics: m, template: template, r: r, path: r.URL.Path, in: r.ContentLength, begun: m.opts.Now()}
		rec.ResponseWriter, rec.Ender = w, rec
		rec.Answer(func() { next.ServeHTTP(rec, r) })
	})
}

// recorder notes the status and the declared length of an answer on its way out, and counts the request in the end.
type recorder struct {
	uvicorn.Whole
	metrics  *Metrics
	template func(r *http.Request, status int) string
	r        *http.Request // nil once the status is known
	path     string
	in       int64 // bytes
	begun    time.Time

	status int // 0: no header yet
	key    httpKey
	size   int64 // 0 for streams, which declare none
}

// Over counts the request.
func (w *recorder) Over(panics bool) {
	switch {
	case w.status != 0:
	case panics:
		w.is(http.StatusInternalServerError)
	case w.r.Context().Err() != nil: // vLLM answers null to a client that has left
		w.is(http.StatusOK)
		w.size = int64(len("null"))
	default:
		w.is(http.StatusOK)
	}
	w.metrics.request(w.key, w.path, w.in, w.size, w.metrics.opts.Now().Sub(w.begun))
}

func (w *recorder) is(status int) {
	w.status, w.key = status, httpKey{w.template(w.r, status), w.r.Method, status / 100}
	w.r = nil // an answer may take long
}

func (w *recorder) WriteHeader(status int) {
	if w.status == 0 && status >= http.StatusOK {
		w.is(status)
		if length := w.Header()["Content-Length"]; length != nil {
			w.size, _ = strconv.ParseInt(length[0], 10, 64)
		}
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *recorder) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	return w.ResponseWriter.Write(p)
}

// FlushError sends the header too.
func (w *recorder) FlushError() error {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	return http.NewResponseController(w.ResponseWriter).Flush()
}
