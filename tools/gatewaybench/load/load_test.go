package load_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/fluidmcp/fluidmcp/tools/gatewaybench/load"
	"github.com/fluidmcp/fluidmcp/tools/gatewaybench/upstream"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// model starts an upstream that ends with the test.
func model(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- new(upstream.Server).Serve(ctx, ln) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return ln.Addr().String()
}

// inTime measures for longer and longer until what was to be asked in that time was asked: a busy machine may not come to it.
func inTime(t *testing.T, first time.Duration, measure func(time.Duration) load.Options, asked func(load.Result) bool) load.Result {
	t.Helper()
	for d := first; ; d *= 2 {
		got, err := load.Run(t.Context(), measure(d))
		if err != nil {
			t.Fatal(err)
		}
		if asked(got) || d > 20*time.Second {
			return got
		}
	}
}

func TestCounts(t *testing.T) {
	for name, stream := range map[string]bool{"plain": false, "streams": true} {
		t.Run(name, func(t *testing.T) {
			got := inTime(t, 100*time.Millisecond, func(d time.Duration) load.Options {
				return load.Options{Addr: model(t), Path: "/v1/chat/completions", Model: "bench", Stream: stream,
					Connections: 4, Duration: d, Ramp: 10 * time.Millisecond, Idle: 30, IdlePath: "/health"}
			}, func(got load.Result) bool { return got.Finished > 0 })
			if got.Finished == 0 || got.Failed() != 0 || got.Latency.Count != got.Finished || got.IdleOpened != 30 || got.IdleLost != 0 {
				t.Errorf("%+v", got)
			}
			if events := got.FirstEvent.Count + got.Gap.Count; stream && (got.Events != got.Finished*upstream.Events || events != got.Events) {
				t.Errorf("%+v", got)
			}
		})
	}
}

// TestPause: the first request is asked at once, the second would come too late.
func TestPause(t *testing.T) {
	got := inTime(t, 500*time.Millisecond, func(d time.Duration) load.Options {
		return load.Options{Addr: model(t), Path: "/v1/chat/completions", Model: "bench", Connections: 2, Duration: d, Pause: d * 6 / 5}
	}, func(got load.Result) bool { return got.Finished >= 2 })
	if got.Finished != 2 {
		t.Errorf("%+v", got)
	}
}

// TestFailures: an answer that is not what it should be is never counted as one that is.
func TestFailures(t *testing.T) {
	f := func(name string, stream bool, want string, h http.HandlerFunc) {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(h)
			defer server.Close()
			got := inTime(t, 20*time.Millisecond, func(d time.Duration) load.Options {
				return load.Options{Addr: strings.TrimPrefix(server.URL, "http://"), Path: "/", Stream: stream, Connections: 1, Duration: d}
			}, func(got load.Result) bool { return got.Finished > 0 || len(got.Failures) > 0 })
			if got.Finished != 0 || got.Failures[want] == 0 {
				t.Errorf("%+v, want %q", got, want)
			}
		})
	}
	f("status", false, "status 503", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) })
	f("empty", false, io.ErrUnexpectedEOF.Error(), func(http.ResponseWriter, *http.Request) {})
	f("cut", false, io.ErrUnexpectedEOF.Error(), func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		_, _ = io.WriteString(w, "short")
	})
	f("error event", true, "error event", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "data: {\"error\":{}}\n\n") })
	f("no end", true, "stream without [DONE]", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "data: {}\n\n") })
	f("cut stream", true, io.ErrUnexpectedEOF.Error(), func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "data: {}\n\n")
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	})
}

func TestNobodyThere(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := ln.Addr().String()
	_ = ln.Close()
	if _, err := load.Run(t.Context(), load.Options{Addr: addr, Idle: 1, IdlePath: "/"}); err == nil {
		t.Error("idle connections to nobody")
	}
}

// TestLostIdleConnections has a server that closes them as soon as the measurement begins.
func TestLostIdleConnections(t *testing.T) {
	var server *httptest.Server
	server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			server.Config.SetKeepAlivesEnabled(false)
		}
		_, _ = io.WriteString(w, "answer")
	}))
	defer server.Close()
	got := inTime(t, 20*time.Millisecond, func(d time.Duration) load.Options {
		return load.Options{Addr: strings.TrimPrefix(server.URL, "http://"), Path: "/", Connections: 1, Duration: d, Idle: 5, IdlePath: "/"}
	}, func(got load.Result) bool { return got.Finished > 0 })
	if got.IdleOpened != 5 || got.IdleLost != 5 {
		t.Errorf("%+v", got)
	}
}
