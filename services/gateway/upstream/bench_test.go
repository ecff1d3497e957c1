package upstream_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/fluidmcp/fluidmcp/services/gateway/upstream"
)

// BenchmarkRoundTrip compares the transport with http.Transport: one request after another, and many at once. The server
// runs in the same process, so its share of the CPU is in both. The bare case, which writes and reads bytes on one
// connection, shows how much that is.
func BenchmarkRoundTrip(b *testing.B) {
	answer := []byte(`{"id":"chatcmpl-1","choices":[{"message":{"content":"` + strings.Repeat("word ", 100) + `"}}]}`)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header()["Content-Type"] = []string{"application/json"}
		w.Header()["Content-Length"] = []string{strconv.Itoa(len(answer))}
		_, _ = w.Write(answer)
	}))
	defer server.Close()
	base, err := url.Parse(server.URL)
	if err != nil {
		b.Fatal(err)
	}
	theirs := &http.Transport{MaxIdleConnsPerHost: 1024, DisableCompression: true}
	defer theirs.CloseIdleConnections()
	ours := upstream.NewTransport(upstream.Config{})
	defer ours.CloseIdleConnections()
	in := httptest.NewRequest("POST", "/v1/chat/completions", nil)
	in.Header.Set("Content-Type", "application/json")
	body := []byte(`{"model":"m","messages":[{"role":"user","content":"` + strings.Repeat("word ", 200) + `"}]}`)
	once := func(b *testing.B, transport http.RoundTripper) {
		ctx, patience := new(upstream.Watches).WithPatience(b.Context(), time.Minute, 0)
		defer patience.Stop()
		req := request(b, ctx, "POST", server.URL+in.URL.Path, bytes.NewReader(body))
		req.Header["Content-Type"] = in.Header["Content-Type"]
		resp, err := transport.RoundTrip(req)
		if err != nil {
			b.Error(err)
			return
		}
		if n, err := io.Copy(io.Discard, resp.Body); err != nil || n != int64(len(answer)) {
			b.Errorf("%d bytes, %v", n, err)
		}
		resp.Body.Close()
	}
	b.Run("one/bare", func(b *testing.B) { bare(b, base.Host, in, body) })
	for _, transport := range []struct {
		name string
		http.RoundTripper
	}{{"http", theirs}, {"ours", ours}} {
		b.Run("one/"+transport.name, func(b *testing.B) {
			measured(b, func() {
				for b.Loop() {
					once(b, transport)
				}
			})
		})
		b.Run("many/"+transport.name, func(b *testing.B) {
			b.SetParallelism(16)
			measured(b, func() {
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						once(b, transport)
					}
				})
			})
		})
	}
}

// bare sends the same bytes again and again, and knows how many come back.
func bare(b *testing.B, addr string, in *http.Request, body []byte) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	req := bytes.NewBuffer(nil)
	fmt.Fprintf(req, "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", in.URL.Path, addr, len(body), body)
	answer := make([]byte, 4096)
	measured(b, func() {
		for n := 0; b.Loop(); {
			if _, err := conn.Write(req.Bytes()); err != nil {
				b.Fatal(err)
			}
			if n == 0 {
				if n, err = conn.Read(answer); err != nil {
					b.Fatal(err)
				}
			} else if _, err := io.ReadFull(conn, answer[:n]); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// measured reports allocations and the CPU time of the process.
func measured(b *testing.B, run func()) {
	b.ReportAllocs()
	begin := cpu(b)
	run()
	b.ReportMetric(float64(cpu(b)-begin)/float64(b.N), "cpu-ns/op")
}

func cpu(b *testing.B) int64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return u.Utime.Nano() + u.Stime.Nano()
}
