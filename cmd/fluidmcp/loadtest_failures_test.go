package main

import (
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fluidmcp/fluidmcp/cmd/fluidmcp/loadtest/result"
)

func TestLoadtestFailures(t *testing.T) {
	f := func(kind, words string, answer http.HandlerFunc, args ...string) {
		t.Helper()
		code, r := loadtestJSON(t, answering(t, answer), args...)
		if code != 1 || r.Requests.Failed != 3 || r.Requests.OK != 0 || r.ErrorRate != 1 || len(r.Latencies) != 0 {
			t.Errorf("%s: exit %d, %+v, error rate %g, latencies %v", kind, code, r.Requests, r.ErrorRate, r.Latencies)
		}
		if len(r.Failures) != 1 || r.Failures[0].Kind != kind || r.Failures[0].Count != 3 || !strings.Contains(r.Failures[0].Example, words) {
			t.Errorf("failures %+v, want 3 of %s with %q", r.Failures, kind, words)
		}
	}
	f("http_500", "Model error", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusInternalServerError)
		_, _ = w.Write([]byte(`{"error":{"message":"Model error"}}`))
	})
	f("http_429", "slow down", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "slow down", http.StatusTooManyRequests) })
	f("http_302", "Found", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) })
	f("interrupted", "without [DONE]", streaming(contentChunk+usageChunk))
	f("interrupted", "out of memory", streaming(contentChunk+`data: {"error":{"message":"out of memory"}}`+"\n\n"+doneChunk))
	f("interrupted", "out of order", streaming(`data: {"object":"error","message":"out of order"}`+"\n\n"+doneChunk))
	f("bad_answer", "no choices", streaming(`data: {"x":1}`+"\n\n"+doneChunk))
	f("bad_answer", "broke down", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"error":{"message":"broke down"}}`))
	})
	f("http_503", "a [2J b", func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "a \x1b[2J\nb", http.StatusServiceUnavailable)
	})
	f("interrupted", "unexpected EOF", func(w http.ResponseWriter, r *http.Request) {
		streaming(contentChunk)(w, r)
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	})
	f("bad_answer", "text/html", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) })
	f("bad_answer", "no JSON", streaming("data: {\n\n"+doneChunk))
	f("bad_answer", "no completion", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) }, "--no-stream")
	f("bad_answer", "no choices", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("{}")) }, "--no-stream")
	f("disconnected", "EOF", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	silent := func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	f("timeout", "within 20ms", silent, "--timeout", "20ms")
	f("timeout", "within 20ms", func(w http.ResponseWriter, r *http.Request) {
		streaming(contentChunk)(w, r)
		_ = http.NewResponseController(w).Flush()
		silent(w, r)
	}, "--timeout", "20ms")
}

func TestLoadtestOfNothing(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	url := "http://" + ln.Addr().String()
	ln.Close()
	code, r := loadtestJSON(t, url)
	if code != 1 || len(r.Failures) != 1 || r.Failures[0].Kind != "connect" || r.Failures[0].Count != 3 {
		t.Errorf("exit %d, %+v", code, r.Failures)
	}
	if code, out, failed := fluidmcp(t, "loadtest", "--url", url); code != 1 || out != "" || !strings.Contains(failed, "is a server running there?") {
		t.Errorf("exit %d, %q, %q", code, out, failed)
	}
}

// A server that speaks no TLS was not reached, and a frame without an end does not fill the memory.
func TestLoadtestFailuresOfTheWay(t *testing.T) {
	url := answering(t, streaming("data: "+strings.Repeat("x", 2<<20)))
	if _, r := loadtestJSON(t, url); len(r.Failures) != 1 || r.Failures[0].Kind != "interrupted" || !strings.Contains(r.Failures[0].Example, "over the limit") {
		t.Errorf("%+v", r.Failures)
	}
	if _, r := loadtestJSON(t, strings.Replace(url, "http:", "https:", 1)); len(r.Failures) != 1 || r.Failures[0].Kind != "connect" {
		t.Errorf("%+v", r.Failures)
	}
}

// Each third answer fails, so of those that are measured the first does.
func TestLoadtestKeepsFailuresOutOfLatencies(t *testing.T) {
	n := 0
	url := answering(t, func(w http.ResponseWriter, r *http.Request) {
		if n++; n%3 == 0 {
			http.Error(w, "no", http.StatusServiceUnavailable)
			return
		}
		streaming(contentChunk+usageChunk+doneChunk)(w, r)
	})
	code, r := loadtestJSON(t, url, "--warmup", "2", "--fail-if", "error_rate > 33%", "--fail-if", "ttft_p99 > 3600s", "--fail-if", "requests < 1")
	want := result.Requests{Sent: 3, OK: 2, Failed: 1, Warmup: 2}
	if diff := cmp.Diff(want, r.Requests); diff != "" || code != conditionMet {
		t.Errorf("exit %d, %s", code, diff)
	}
	if ttft, e2e := r.Latencies[result.TTFT].Count, r.Latencies[result.E2E].Count; ttft != 2 || e2e != 2 {
		t.Errorf("%d and %d latencies of two answers", ttft, e2e)
	}
	var failed []bool
	for _, v := range r.Conditions {
		failed = append(failed, v.Failed)
	}
	if diff := cmp.Diff([]bool{true, false, false}, failed); diff != "" {
		t.Error(diff)
	}
	if r.Tokens != (result.Tokens{Input: 10, Output: 2}) {
		t.Errorf("%+v", r.Tokens)
	}
}

func TestLoadtestWithoutAKey(t *testing.T) {
	url := answering(t, func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "No key", http.StatusUnauthorized) })
	code, _, failed := fluidmcp(t, "loadtest", "--url", url, "--model", "m", "-n", "2")
	if code != 1 || !strings.Contains(failed, "no request succeeded: 2 http_401; --api-key sends a key") {
		t.Errorf("exit %d: %s", code, failed)
	}
}
