package web_test

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/fluidmcp/fluidmcp/internal/telemetry"
	"github.com/fluidmcp/fluidmcp/internal/web"
)

// BenchmarkLogged is what the record and the log line of a request cost. What the recorder of the answer costs is in "bare".
func BenchmarkLogged(b *testing.B) {
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		web.RecordOf(r.Context()).Add(zap.String("model", "m"), zap.String("endpoint", "chat"), zap.String("backend", "b"), zap.Int("attempts", 1))
		w.WriteHeader(http.StatusOK)
	})
	log, err := telemetry.NewLogger(io.Discard, "info")
	if err != nil {
		b.Fatal(err)
	}
	f := func(name string, h http.Handler) {
		b.Run(name, func(b *testing.B) {
			r := httptest.NewRequest(http.MethodPost, "/v1/chat/completions", nil)
			b.ReportAllocs()
			for b.Loop() {
				r.Header.Del(web.RequestIDHeader)
				h.ServeHTTP(httptest.NewRecorder(), r)
			}
		})
	}
	f("bare", handler)
	f("logged", web.Logged(log, handler))
}

// BenchmarkServer is an exchange over a kept connection: many small pieces, each flushed. "net/http" is a server without a watch
// over its clients.
func BenchmarkServer(b *testing.B) {
	event := []byte("data: {}\n\n")
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		for range 100 {
			_, _ = w.Write(event)
			_ = http.NewResponseController(w).Flush()
		}
	})
	bare := httptest.NewUnstartedServer(handler)
	bare.Config.Protocols = new(http.Protocols)
	bare.Config.Protocols.SetHTTP1(true)
	bare.Config.Protocols.SetUnencryptedHTTP2(true)
	bare.Start()
	defer bare.Close()
	url, _ := serve(b, web.Server{Handler: handler})
	for _, c := range []struct {
		name    string
		version int
		url     string
	}{{"HTTP/1.1 net/http", 1, bare.URL}, {"HTTP/1.1 watched", 1, url}, {"HTTP/2 net/http", 2, bare.URL}, {"HTTP/2 watched", 2, url}} {
		b.Run(c.name, func(b *testing.B) {
			client := client(b, c.version)
			b.ReportAllocs()
			for b.Loop() {
				resp, err := client.Post(c.url, "text/plain", strings.NewReader("hello"))
				if err != nil {
					b.Fatal(err)
				}
				_, _ = io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
			}
		})
	}
}

// BenchmarkIdleConnections is what a connection costs that a client keeps open after an answer, in heap and stacks. The client's end of it
// is in this process, too.
func BenchmarkIdleConnections(b *testing.B) {
	url, _ := serve(b, web.Server{Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})})
	const kept = 5000 // both ends are in this process, and a process has 20,000 files in many places
	memory := func() uint64 {
		runtime.GC()
		runtime.GC() // what was in pools
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc + m.StackInuse
	}
	for b.Loop() {
		before := memory()
		conns := make([]net.Conn, kept)
		buf := make([]byte, 1<<10)
		for i := range conns {
			conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
			if err != nil {
				b.Fatal(err)
			}
			conns[i] = conn
			_, _ = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
			if _, err := conn.Read(buf); err != nil {
				b.Fatal(err)
			}
		}
		time.Sleep(2 * time.Second) // until they rest
		b.ReportMetric(float64(memory()-before)/kept, "B/connection")
		for _, conn := range conns {
			conn.Close()
		}
	}
}
