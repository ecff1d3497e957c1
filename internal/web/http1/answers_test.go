//go:build linux

package http1_test

import (
	"bufio"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/fluidmcp/fluidmcp/internal/web/http1"
)

func TestAnswers(t *testing.T) {
	f := func(name, request, want string, h http.HandlerFunc) {
		t.Run(name, func(t *testing.T) {
			if got := start(t, h, nil).say(request); sorted(got) != sorted(want) {
				t.Errorf("\n got %q\nwant %q", got, want)
			}
		})
	}
	get := "GET / HTTP/1.1\r\n" + last
	const ok = "HTTP/1.1 200 OK\r\n"
	write := func(parts ...string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["Date"] = nil
			for _, p := range parts {
				if p == "flush" {
					w.(http.Flusher).Flush()
				} else {
					_, _ = io.WriteString(w, p)
				}
			}
		}
	}
	set := func(name, value string, then http.HandlerFunc) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) { w.Header()[name] = []string{value}; then(w, r) }
	}
	f("nothing", "GET / HTTP/1.0\r\n\r\n", ok+"Content-Length: 0\r\nConnection: close\r\n\r\n", write())
	f("chunks", get, ok+"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n", write("ab", "flush", "c"))
	f("no chunks in HTTP/1.0", "GET / HTTP/1.0\r\n\r\n", ok+"Connection: close\r\n\r\nabc", write("ab", "flush", "c"))
	f("HEAD", "HEAD / HTTP/1.1\r\n"+last, ok+"Connection: close\r\n\r\n", write("abc"))
	f("injection", get, ok+"X: a  Y: b\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", set("X", "a\r\nY: b", write()))
	f("injection by name", get, ok+"Content-Length: 0\r\nConnection: close\r\n\r\n", set("X: y\r\nZ", "b", write()))
	f("early hints", get, "HTTP/1.1 103 Early Hints\r\n\r\n"+ok+"Content-Length: 0\r\nConnection: close\r\n\r\n",
		(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(103); write()(w, r) }))
	f("not modified", get, "HTTP/1.1 304 Not Modified\r\nConnection: close\r\n\r\n",
		(func(w http.ResponseWriter, r *http.Request) {
			w.Header()["Date"] = nil
			w.WriteHeader(304)
			w.WriteHeader(200)
		}))
	f("a length without a body", get, "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n", set("Content-Length", "5",
		func(w http.ResponseWriter, _ *http.Request) { w.Header()["Date"] = nil; w.WriteHeader(204) }))
	f("wrong length", get, ok+"Content-Length: 5\r\nConnection: close\r\n\r\nabc", set("Content-Length", "5", write("abc")))
	f("too long", get, ok+"Content-Length: 2\r\nConnection: close\r\n\r\nab", set("Content-Length", "2", write("ab", "c")))
}

// sorted orders the fields of the last header, which a map does not.
func sorted(answer string) string {
	head, body, _ := strings.Cut(answer, "\r\n\r\n")
	if rest, ok := strings.CutPrefix(head, "HTTP/1.1 103 Early Hints"); ok {
		return "103 " + rest + sorted(body)
	}
	lines := strings.Split(head, "\r\n")
	slices.Sort(lines[1:])
	return strings.Join(lines, "\r\n") + "\r\n\r\n" + body
}

// TestStream: what is flushed arrives before the handler goes on.
func TestStream(t *testing.T) {
	next := make(chan string)
	s := start(t, func(w http.ResponseWriter, _ *http.Request) {
		for part := range next {
			_, _ = io.WriteString(w, part)
			_ = http.NewResponseController(w).Flush()
		}
	}, nil)
	c := s.dial()
	_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")
	next <- "first"
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"first", strings.Repeat("large", 10000), "last"} {
		if i > 0 {
			next <- want
		}
		got := make([]byte, len(want))
		if _, err := io.ReadFull(resp.Body, got); err != nil || string(got) != want {
			t.Fatalf("read %.20q, %v", got, err)
		}
	}
	close(next)
	if rest, err := io.ReadAll(resp.Body); err != nil || len(rest) > 0 {
		t.Errorf("rest %q, %v", rest, err)
	}
}

func TestPanics(t *testing.T) {
	var logged atomic.Int32
	s := start(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "partial")
		w.(http.Flusher).Flush()
		if r.URL.Path == "/abort" {
			panic(http.ErrAbortHandler)
		}
		panic("a defect")
	}, func(s *http1.Server) { s.Logf = func(string, ...any) { logged.Add(1) } })
	for want, path := range []string{"/abort", "/defect"} {
		got := s.say("GET " + path + " HTTP/1.1\r\nHost: h\r\n\r\n")
		if !strings.HasSuffix(got, "\r\n\r\n7\r\npartial\r\n") || logged.Load() != int32(want) {
			t.Errorf("%s: %q, logged %d", path, got, logged.Load())
		}
	}
	c := s.dial()
	_, _ = io.WriteString(c, "GET /abort HTTP/1.0\r\n\r\n")
	if got, err := io.ReadAll(c); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("without chunks: %q, %v, which looks complete", got, err)
	}
}

// TestAbortedWithoutLength: what HTTP/1.0 gets has no end but that of the connection, and a part must not look like the whole.
func TestAbortedWithoutLength(t *testing.T) {
	s := start(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "partial")
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}, nil)
	c := s.dial()
	_, _ = io.WriteString(c, "GET / HTTP/1.0\r\n\r\n")
	if got, err := io.ReadAll(c); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("%q, %v", got, err)
	}
}
