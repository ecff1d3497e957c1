package metrics

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// serve lets the middleware count one request that next answers, and returns what http_ families say of its handler.
func serve(t *testing.T, method, path, body string, left bool, next http.HandlerFunc) string {
	t.Helper()
	m := New(reference())
	template := func(r *http.Request, status int) string {
		switch path, slash := strings.CutSuffix(r.URL.Path, "/"); {
		case status == http.StatusTemporaryRedirect && slash:
			return r.URL.Path
		case status == http.StatusMethodNotAllowed || strings.HasPrefix(path, "/nope"):
			return ""
		default:
			return path
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	if left {
		cancel()
	}
	func() {
		defer func() { _ = recover() }()
		m.HTTP(next, template).ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(ctx, method, path, strings.NewReader(body)))
	}()
	var lines []string
	for line := range strings.Lines(scrape(m)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "} ")
		if kind, labels, found := strings.Cut(name, "{"); found && strings.HasPrefix(kind, "http_re") &&
			(kind == "http_requests_total" || strings.HasSuffix(kind, "_bytes_sum") || strings.HasSuffix(kind, "duration_seconds_count")) {
			lines = append(lines, fmt.Sprintf("%s %s", labels, value))
		}
	}
	return strings.Join(lines, "; ")
}

func TestHTTP(t *testing.T) {
	answer := func(status int, length string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			if length != "" {
				w.Header().Set("Content-Length", length)
			}
			w.WriteHeader(http.StatusContinue)
			w.WriteHeader(status)
		}
	}
	f := func(method, path, body string, next http.HandlerFunc, want string) {
		t.Helper()
		if got := serve(t, method, path, body, false, next); got != want {
			t.Errorf("%s %s\n got %s\nwant %s", method, path, got, want)
		}
	}
	counts := func(handler, method string, class, in, out int) string {
		return fmt.Sprintf(`handler="%[1]s",method="%[2]s",status="%[3]dxx" 1.0; handler="%[1]s" %[4]d.0; handler="%[1]s" %[5]d.0; handler="%[1]s",method="%[2]s" 1.0`,
			handler, method, class, in, out)
	}
	f("POST", "/v1/completions", "abc", answer(200, "720"), counts("/v1/completions", "POST", 2, 3, 720))
	f("POST", "/v1/completions", "abc", answer(503, "9"), counts("/v1/completions", "POST", 5, 3, 9))
	f("GET", "/v1/models/", "", answer(307, "0"), counts("/v1/models/", "GET", 3, 0, 0))
	f("GET", "/v1/completions", "", answer(405, "31"), counts("none", "GET", 4, 0, 31))
	f("GET", "/nope", "", answer(404, "22"), counts("none", "GET", 4, 0, 22))
	// A search for a part of the path decides what is left out.
	for _, path := range []string{"/metrics", "/health", "/ping", "/load", "/version", "/server_info", "/v1/load_lora_adapter", "/nope/healthy"} {
		f("GET", path, "", answer(200, "1"), "")
	}
	f("POST", "/v1/unload_lora_adapter", "", answer(200, "5"), counts("/v1/unload_lora_adapter", "POST", 2, 0, 5))

	stream := func(w http.ResponseWriter, _ *http.Request) { // without WriteHeader
		if err := http.NewResponseController(w).Flush(); err != nil {
			t.Error(err)
		}
		_, _ = io.WriteString(w, "data: x\n\n")
	}
	f("POST", "/v1/completions", "abc", stream, counts("/v1/completions", "POST", 2, 3, 0))
	f("POST", "/v1/completions", "abc", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "2")
		_, _ = io.WriteString(w, "ok")
	}, counts("/v1/completions", "POST", 2, 3, 2))
	f("POST", "/v1/completions", "abc", func(http.ResponseWriter, *http.Request) {}, counts("/v1/completions", "POST", 2, 3, 0))
	f("POST", "/v1/completions", "abc", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, counts("/v1/completions", "POST", 5, 3, 0))

	// A client that left: null for a plain answer, nothing for a stream.
	if got, want := serve(t, "POST", "/x", "", true, func(http.ResponseWriter, *http.Request) {}), counts("/x", "POST", 2, 0, 4); got != want {
		t.Errorf("plain, left\n got %s\nwant %s", got, want)
	}
	if got, want := serve(t, "POST", "/x", "", true, stream), counts("/x", "POST", 2, 0, 0); got != want {
		t.Errorf("stream, left\n got %s\nwant %s", got, want)
	}
}

func TestHTTPDuration(t *testing.T) {
	now := time.Unix(0, 0)
	o := reference()
	o.Now = func() time.Time { return now }
	m := New(o)
	h := m.HTTP(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { now = now.Add(400 * time.Millisecond) }),
		func(*http.Request, int) string { return "/x" })
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/x", nil))
	text := scrape(m)
	for _, want := range []string{
		`http_request_duration_seconds_bucket{handler="/x",le="0.1",method="GET"} 0.0`,
		`http_request_duration_seconds_bucket{handler="/x",le="0.5",method="GET"} 1.0`,
		`http_request_duration_seconds_sum{handler="/x",method="GET"} 0.4`,
		`http_request_duration_highr_seconds_bucket{le="0.25"} 0.0`,
		`http_request_duration_highr_seconds_bucket{le="0.5"} 1.0`,
	} {
		if !strings.Contains(text, want+"\n") {
			t.Errorf("no %s", want)
		}
	}
}

// TestStrangeRequests: kinds without number have a bounded number of label sets, and all are counted.
func TestStrangeRequests(t *testing.T) {
	m := New(reference())
	const many = 3 * maxSets
	for i := range many {
		m.request(httpKey{"", fmt.Sprintf("BREW%d", i), 4}, "/nope", 0, 0, 0)
	}
	text := scrape(m)
	if n := strings.Count(text, "http_requests_total{"); n != maxSets+1 {
		t.Errorf("%d label sets, want %d", n, maxSets+1)
	}
	for _, want := range []string{
		fmt.Sprintf(`http_requests_total{handler="none",method="OTHER",status="4xx"} %d.0`, many-maxSets),
		fmt.Sprintf(`http_request_duration_highr_seconds_count %d.0`, many),
	} {
		if !strings.Contains(text, want+"\n") {
			t.Errorf("no %s", want)
		}
	}
}

// TestHijack: what the connection can do stays within reach of handlers.
func TestHijack(t *testing.T) {
	m := New(reference())
	srv := httptest.NewServer(m.HTTP(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		_, _ = io.WriteString(conn, "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
		_ = conn.Close()
	}), func(r *http.Request, _ int) string { return r.URL.Path }))
	defer srv.Close()
	resp, err := http.Get(srv.URL + "/x")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusNoContent {
		t.Errorf("%d, want 204", resp.StatusCode)
	}
}
