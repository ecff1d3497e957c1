package uvicorn_test

import (
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestHeaderOrder: the orders of the captured answers of vLLM 0.32.
func TestHeaderOrder(t *testing.T) {
	var h http.Header
	s := start(t, func(w http.ResponseWriter, r *http.Request) {
		for name, values := range h {
			w.Header()[name] = values
		}
		w.WriteHeader(http.StatusBadRequest)
	})
	f := func(more, order string) {
		t.Helper()
		names := strings.Split(order, ", ")
		h = http.Header{}
		for _, name := range names {
			switch name {
			case "transfer-encoding", "connection", "date", "server":
			case "content-length":
				h.Set(name, "0")
			default:
				h.Set(name, "x")
			}
		}
		if strings.Contains(order, "vary, access-control-allow-origin, access-control-allow-methods") {
			h.Set("Access-Control-Allow-Origin", "*")
		}
		c := s.ask("GET / HTTP/1.1\r\n" + more + "\r\n")
		c.expect("HTTP/1.1 400 Bad Request\r\n")
		var got []string
		for {
			line, err := c.in.ReadString('\n')
			if err != nil {
				t.Fatal(err)
			}
			name, _, found := strings.Cut(line, ":")
			if !found {
				break
			}
			got = append(got, name)
		}
		if !slices.Equal(got, names) {
			t.Errorf("%q, want %q", got, names)
		}
	}
	f("", "date, server, content-length, content-type, vary")
	f("", "date, server, content-length, vary")
	f("", "date, server, content-type, vary, transfer-encoding")
	f("", "date, server, endpoint-load-metrics, content-length, content-type, vary")
	f("", "date, server, allow, content-length, content-type, vary")
	f("", "date, server, content-length, location, vary")
	f("", "date, server, content-length, content-type, access-control-allow-origin, vary, x-request-id")
	f("", "date, server, content-type, vary, x-request-id, transfer-encoding")
	f("Connection: close\r\n", "date, server, content-length, vary, x-request-id, connection")
	f("Connection: close\r\n", "date, server, content-type, vary, connection, transfer-encoding")
	f("", "date, server, vary, access-control-allow-methods, access-control-max-age, access-control-allow-headers, content-length, content-type")
	f("", "date, server, vary, access-control-allow-origin, access-control-allow-methods, access-control-max-age, access-control-allow-headers, content-length, content-type")
	f("", "date, server, vary, access-control-allow-methods, access-control-max-age, access-control-allow-origin, content-length, content-type, x-request-id")
}

// TestAnswers: what handlers do, and all that the client gets.
func TestAnswers(t *testing.T) {
	handlers := map[string]http.HandlerFunc{
		"/nothing": func(http.ResponseWriter, *http.Request) {},
		"/text":    func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>") },
		"/204":     func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) },
		"/299":     func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(299) },
		"/418":     func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) },
		"/split": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-A", "b\r\nC: d")
			w.Header().Set("Content-Length", "0")
		},
		"/short": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "9")
			_, _ = io.WriteString(w, "abc")
		},
		"/long": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "3")
			if _, err := io.WriteString(w, "abcdef"); !errors.Is(err, http.ErrContentLength) {
				t.Error(err)
			}
		},
		"/close": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Connection", "close")
			w.Header().Set("Content-Length", "0")
		},
		"/panic": func(http.ResponseWriter, *http.Request) { panic("oh") },
		"/late": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "abc")
			_ = http.NewResponseController(w).Flush()
			panic("oh")
		},
		"/abort": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	}
	s := start(t, func(w http.ResponseWriter, r *http.Request) { handlers[r.URL.Path](w, r) })
	const chunked = "transfer-encoding: chunked\r\n\r\n"
	f := func(request, want string) {
		t.Helper()
		c := s.ask(request)
		c.expect(want)
		c.halfClose()
		c.closed("")
	}
	f(get("/nothing"), ok+chunked+"0\r\n\r\n")
	f(get("/text")+get("/text"), strings.Repeat(ok+chunked+"6\r\n<html>\r\n0\r\n\r\n", 2))
	f("HEAD /text HTTP/1.1\r\n\r\n"+get("/nothing"), ok+"\r\n"+ok+chunked+"0\r\n\r\n")
	f("HEAD /short HTTP/1.1\r\n\r\n"+get("/nothing"), ok+"content-length: 9\r\n\r\n"+ok+chunked+"0\r\n\r\n")
	f(get("/204")+get("/204"), strings.Repeat("HTTP/1.1 204 No Content\r\n"+now+"server: uvicorn\r\n\r\n", 2))
	f(get("/299"), "HTTP/1.1 299 \r\n"+now+"server: uvicorn\r\n"+chunked+"0\r\n\r\n")
	f(get("/418"), "HTTP/1.1 418 I'm a Teapot\r\n"+now+"server: uvicorn\r\n"+chunked+"0\r\n\r\n")
	f(get("/split"), ok+"x-a: b  C: d\r\ncontent-length: 0\r\n\r\n")
	f("GET /text HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", ok+"connection: close\r\n"+chunked+"6\r\n<html>\r\n0\r\n\r\n")
	f("GET /text HTTP/1.1\r\nConnection: close\r\n\r\n"+get("/no"), ok+"connection: close\r\n"+chunked+"6\r\n<html>\r\n0\r\n\r\n")
	f(get("/close")+get("/no"), ok+"content-length: 0\r\nconnection: close\r\n\r\n")
	f(get("/short")+get("/no"), ok+"content-length: 9\r\n\r\nabc")
	f(get("/long")+get("/no"), ok+"content-length: 3\r\n\r\n")
	failed := "HTTP/1.1 500 Internal Server Error\r\n" + plainly + "content-length: 21\r\nconnection: close\r\n\r\n"
	f(get("/panic")+get("/no"), failed+"Internal Server Error")
	f("HEAD /panic HTTP/1.1\r\n\r\n", failed)
	f(get("/late")+get("/no"), ok+chunked+"3\r\nabc\r\n")
	f(get("/abort")+get("/no"), "")
	if text := s.log.String(); strings.Count(text, "ERROR:    Exception in ASGI application\noh\n") != 3 || strings.Contains(text, "abort") {
		t.Errorf("log: %s", text)
	}
}

// counting notes each write of a server's connections.
type counting struct {
	net.Listener
	mu     sync.Mutex
	writes []string
}

type countingConn struct {
	net.Conn
	l *counting
}

func (l *counting) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	return countingConn{c, l}, err
}

func (c countingConn) Write(b []byte) (int, error) {
	c.l.mu.Lock()
	defer c.l.mu.Unlock()
	c.l.writes = append(c.l.writes, masked(string(b)))
	return c.Conn.Write(b)
}

// TestEachFlushIsOneWrite: the head of a stream goes alone, then each chunk; a plain answer is one piece.
func TestEachFlushIsOneWrite(t *testing.T) {
	l := &counting{}
	s := startOn(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/stream" {
			echo(w, r)
			return
		}
		rc := http.NewResponseController(w)
		_ = rc.Flush()
		for _, frame := range []string{"data: a\n\n", strings.Repeat("x", 70_000), "data: b"} {
			_, _ = io.WriteString(w, frame)
			_ = rc.Flush()
		}
		_, _ = io.WriteString(w, "one ")
		_, _ = io.WriteString(w, "piece")
	}, func(ln net.Listener) net.Listener { l.Listener = ln; return l })
	c := s.ask("GET /stream HTTP/1.1\r\n\r\n")
	want := []string{ok + "transfer-encoding: chunked\r\n\r\n", "9\r\ndata: a\n\n\r\n", "11170\r\n" + strings.Repeat("x", 70_000) + "\r\n",
		"7\r\ndata: b\r\n", "9\r\none piece\r\n0\r\n\r\n", told("GET /a  ")}
	c.expect(strings.Join(want[:5], ""))
	c.send(get("/a"))
	c.expect(want[5])
	l.mu.Lock()
	defer l.mu.Unlock()
	if !slices.Equal(l.writes, want) {
		t.Errorf("writes %.300q", l.writes)
	}
}

func TestHijack(t *testing.T) {
	begun := make(chan struct{})
	s := start(t, func(w http.ResponseWriter, r *http.Request) {
		_ = r.Context().Done() // the connection is watched
		begun <- struct{}{}
		conn, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		if _, err := w.Write([]byte("x")); !errors.Is(err, http.ErrHijacked) {
			t.Errorf("Write: %v", err)
		}
		line, _ := rw.ReadString('\n')
		_, _ = io.WriteString(conn, "raw "+line)
		if tcp, is := conn.(*net.TCPConn); is && r.URL.Path == "/reset" {
			_ = tcp.SetLinger(0)
		}
		_ = conn.Close()
	})
	c := s.ask(get("/") + "GET")
	<-begun
	c.send(" line\n")
	c.closed("raw GET line\n")
	c = s.ask(get("/reset"))
	<-begun
	c.send("\n")
	if _, err := io.ReadAll(c.in); err == nil || !strings.Contains(err.Error(), "reset") {
		t.Errorf("after a reset: %v", err)
	}
}

// A reader that is slow blocks its own connection, and a deadline frees the handler.
func TestSlowReader(t *testing.T) {
	blocked := make(chan error, 1)
	s := start(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/other" {
			echo(w, r)
			return
		}
		rc := http.NewResponseController(w)
		for {
			if _, err := w.Write(make([]byte, 100_000)); err != nil {
				blocked <- err
				return
			}
			_ = rc.SetWriteDeadline(time.Now().Add(100 * time.Millisecond))
		}
	})
	s.ask(get("/"))
	s.ask(get("/other")).expect(told("GET /other  "))
	if err := <-blocked; err == nil {
		t.Error("no error")
	}
}

// TestHeadersOfTheNextAnswer: an answer has its own headers alone, whatever the one before it on the connection had.
func TestHeadersOfTheNextAnswer(t *testing.T) {
	s := start(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/first" {
			w.Header().Set("X-First", "1")
		}
		w.Header().Set("Content-Length", "2")
		_, _ = io.WriteString(w, "ok")
		w.Header().Set("X-Late", "1")
	})
	const rest = "content-length: 2\r\n\r\nok"
	c := s.ask(get("/first"))
	c.expect(ok + "x-first: 1\r\n" + rest)
	for range 2 {
		c.send(get("/next"))
		c.expect(ok + rest)
	}
}
