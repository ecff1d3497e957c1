//go:build linux

package http1_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
	"weak"

	"go.uber.org/goleak"

	"github.com/fluidmcp/fluidmcp/internal/web/http1"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds every wait. It is reached only when something is broken.
const patience = time.Minute

// server is a running one.
type server struct {
	*http1.Server
	t    testing.TB
	addr string
	ln   net.Listener
	stop func() // shuts down and waits until the last connection is gone
}

func start(t testing.TB, h http.HandlerFunc, change func(*http1.Server)) *server {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &server{t: t, addr: ln.Addr().String(), ln: ln, Server: &http1.Server{Handler: h, BaseContext: context.Background(),
		ReadHeaderTimeout: patience, IdleTimeout: patience, Patience: patience, MaxHeaderBytes: 64 << 10, Logf: t.Logf}}
	if change != nil {
		change(s.Server)
	}
	s.stop = sync.OnceFunc(s.shutdown)
	served := make(chan error, 1)
	go func() { served <- s.Serve(ln) }()
	t.Cleanup(func() {
		s.stop()
		if err := <-served; !errors.Is(err, http1.ErrClosed) {
			t.Errorf("Serve returned %v", err)
		}
	})
	return s
}

func (s *server) shutdown() {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := s.Shutdown(ctx); err != nil {
		s.t.Errorf("Shutdown: %v", err)
	}
	s.ln.Close()
}

func (s *server) dial() net.Conn {
	s.t.Helper()
	c, err := net.Dial("tcp", s.addr)
	if err != nil {
		s.t.Fatal(err)
	}
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { c.Close() })
	return c
}

// say sends bytes and returns everything that comes until the server closes.
func (s *server) say(request string) string {
	s.t.Helper()
	c := s.dial()
	go func() { _, _ = io.WriteString(c, request) }() // the server may close before it has read all
	all, err := io.ReadAll(c)
	if err != nil {
		s.t.Errorf("%.80q: %v", request, err)
	}
	return dates.ReplaceAllString(string(all), "Date: now\r\n")
}

var dates = regexp.MustCompile(`Date: [A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT\r\n`)

// echo answers with what it was asked.
func echo(w http.ResponseWriter, r *http.Request) {
	b, err := io.ReadAll(r.Body)
	fmt.Fprintf(w, "%s %s %s %s %d %q %v", r.Method, r.URL, r.Host, r.Proto, r.ContentLength, b, err)
}

const last = "Host: h\r\nConnection: close\r\n\r\n"

func TestRequests(t *testing.T) {
	s := start(t, echo, nil)
	f := func(name, request string, bodies ...string) {
		t.Run(name, func(t *testing.T) {
			in := bufio.NewReader(strings.NewReader(s.say(request)))
			for _, want := range bodies {
				resp, err := http.ReadResponse(in, nil)
				if err != nil {
					t.Fatal(err)
				}
				got, err := io.ReadAll(resp.Body)
				if err != nil || resp.StatusCode != 200 || string(got) != want {
					t.Errorf("%s %q %v, want %q", resp.Status, got, err, want)
				}
			}
			if rest, _ := io.ReadAll(in); len(rest) > 0 {
				t.Errorf("after the answers: %q", rest)
			}
		})
	}
	f("plain", "GET /a?b=c HTTP/1.1\r\n"+last, `GET /a?b=c h HTTP/1.1 0 "" <nil>`)
	f("escaped", "GET /a%2Fb%20c HTTP/1.1\r\n"+last, `GET /a%2Fb%20c h HTTP/1.1 0 "" <nil>`)
	f("double slash", "GET //health HTTP/1.1\r\n"+last, `GET //health h HTTP/1.1 0 "" <nil>`)
	f("absolute", "GET http://other/x HTTP/1.1\r\n"+last, `GET http://other/x other HTTP/1.1 0 "" <nil>`)
	f("asterisk", "OPTIONS * HTTP/1.1\r\n"+last, `OPTIONS * h HTTP/1.1 0 "" <nil>`)
	f("HTTP/1.0", "GET / HTTP/1.0\r\n\r\n", `GET /  HTTP/1.0 0 "" <nil>`)
	f("length", "POST / HTTP/1.1\r\nContent-Length: 3\r\n"+last+"abc", `POST / h HTTP/1.1 3 "abc" <nil>`)
	f("chunks", "POST / HTTP/1.1\r\nTransfer-Encoding: Chunked\r\n"+last+"2;x=y\r\nab\r\n0a \r\n0123456789\r\n0\r\nX: y\r\n\r\n", `POST / h HTTP/1.1 -1 "ab0123456789" <nil>`)
	f("two requests in one piece", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\naGET /2 HTTP/1.1\r\n"+last,
		`POST / h HTTP/1.1 1 "a" <nil>`, `GET /2 h HTTP/1.1 0 "" <nil>`)
	f("blank lines before", "\r\n\r\nGET / HTTP/1.1\r\n"+last, `GET / h HTTP/1.1 0 "" <nil>`)
	f("large header", "GET / HTTP/1.1\r\nX: "+strings.Repeat("x", 60000)+"\r\n"+last, `GET / h HTTP/1.1 0 "" <nil>`)
	f("large header and a body", "POST / HTTP/1.1\r\nContent-Length: 3\r\nX: "+strings.Repeat("x", 9000)+"\r\nHost: h\r\n\r\nabcGET /2 HTTP/1.1\r\n"+last,
		`POST / h HTTP/1.1 3 "abc" <nil>`, `GET /2 h HTTP/1.1 0 "" <nil>`)
	f("malformed chunk", "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n"+last+"zz\r\n", `POST / h HTTP/1.1 -1 "" malformed chunk`)
	f("chunk without its end", "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n"+last+"1\r\nabc\r\n0\r\n\r\n", `POST / h HTTP/1.1 -1 "a" malformed chunk`)
}

// TestRefused has what could mean one thing here and another elsewhere, and what is no request at all.
func TestRefused(t *testing.T) {
	asked := make(chan string, 100)
	s := start(t, func(_ http.ResponseWriter, r *http.Request) { asked <- r.URL.String() }, nil)
	f := func(status int, request string) {
		t.Helper()
		got := s.say(request)
		want := fmt.Sprintf("HTTP/1.1 %d %s\r\n", status, http.StatusText(status))
		if !strings.HasPrefix(got, want) || !strings.Contains(got, "Connection: close\r\n") || !strings.Contains(got, `{"error":{"message":`) ||
			strings.Count(got, "HTTP/1.1") != 1+strings.Count(got, "speaks HTTP/1.1") {
			t.Errorf("%.80q: got %q, want %q", request, got, want)
		}
	}
	post := "POST / HTTP/1.1\r\nHost: h\r\n"
	f(400, post+"Content-Length: 1\r\nContent-Length: 1\r\n\r\na")
	f(400, post+"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab")
	f(400, post+"Content-Length: 1, 1\r\n\r\na")
	f(400, post+"Content-Length: +1\r\n\r\na")
	f(400, post+"Content-Length: -1\r\n\r\na")
	f(400, post+"Content-Length: 0x1\r\n\r\na")
	f(400, post+"Content-Length: 99999999999999999999\r\n\r\na")
	f(400, post+"Content-Length:\r\n\r\na")
	f(400, post+"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
	f(400, "POST / HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
	f(501, post+"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n")
	f(501, post+"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
	f(501, post+"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n")
	f(400, post+"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n")
	f(400, post+"X: y\r\n folded\r\n\r\n")
	f(400, post+" X: y\r\n\r\n")
	f(400, post+"X\r\n\r\n")
	f(400, post+": y\r\n\r\n")
	f(400, post+"X: a\x00b\r\n\r\n")
	f(400, post+"X: a\rb\r\n\r\n")
	f(400, "GET / HTTP/1.1\nHost: h\n\n")
	f(400, "GET / HTTP/1.1\r\nHost: h\nX: y\r\n\r\n")
	f(400, "GET / HTTP/1.1\r\n\r\n")
	f(400, "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n")
	f(400, "GET / HTTP/1.1\r\nHost: a b\r\n\r\n")
	f(400, "GET /a b HTTP/1.1\r\nHost: h\r\n\r\n")
	f(400, "GET /\x01 HTTP/1.1\r\nHost: h\r\n\r\n")
	f(400, "GET /%zz HTTP/1.1\r\nHost: h\r\n\r\n")
	f(400, "GET ftp://h/ HTTP/1.1\r\nHost: h\r\n\r\n")
	f(400, "GET a HTTP/1.1\r\nHost: h\r\n\r\n")
	f(400, "G@T / HTTP/1.1\r\nHost: h\r\n\r\n")
	f(400, "GET\r\n\r\n")
	f(405, "CONNECT h:1 HTTP/1.1\r\nHost: h\r\n\r\n")
	f(505, "GET / HTTP/2.0\r\nHost: h\r\n\r\n")
	f(505, "GET / HTTP/1.2\r\nHost: h\r\n\r\n")
	f(417, post+"Expect: something\r\n\r\n")
	f(431, "GET / HTTP/1.1\r\nHost: h\r\nX: "+strings.Repeat("x", 70000)+"\r\n\r\n")
	f(431, "GET / HTTP/1.1\r\nHost: h\r\n"+strings.Repeat("X: y\r\n", 20000))
	select {
	case path := <-asked:
		t.Errorf("%s reached the handler", path)
	default:
	}
}

// TestBlankLinesInPieces: of the blank lines before a request each byte may come by itself.
func TestBlankLinesInPieces(t *testing.T) {
	s := start(t, echo, nil)
	client, c := net.Pipe() // a write ends when it was read
	s.ServeConn(c)
	go func() {
		for _, b := range []byte("\r\n\r\nGET / HTTP/1.1\r\n" + last) {
			_, _ = client.Write([]byte{b})
		}
	}()
	if got, err := io.ReadAll(client); err != nil || !strings.HasPrefix(string(got), "HTTP/1.1 200 OK\r\n") {
		t.Errorf("%q, %v", got, err)
	}
}

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

// TestClientLeaves: the request's context ends when its client closes, also if only its sending side, and not before.
func TestClientLeaves(t *testing.T) {
	began, ended := make(chan struct{}), make(chan error, 1)
	s := start(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/short" {
			return
		}
		if _, err := io.ReadAll(r.Body); err != nil || r.Context().Err() != nil {
			t.Errorf("%v, %v", err, r.Context().Err())
		}
		began <- struct{}{}
		<-r.Context().Done()
		ended <- r.Context().Err()
	}, nil)
	f := func(name, before string, leave func(c *net.TCPConn) error) {
		t.Run(name, func(t *testing.T) {
			c := s.dial().(*net.TCPConn)
			_, _ = io.WriteString(c, before+"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nab")
			<-began
			select {
			case err := <-ended:
				t.Fatalf("ended by %v while the client waits", err)
			default:
			}
			if err := leave(c); err != nil {
				t.Fatal(err)
			}
			select {
			case err := <-ended:
				if !errors.Is(err, context.Canceled) {
					t.Error(err)
				}
			case <-time.After(patience):
				t.Fatal("nobody noticed")
			}
		})
	}
	f("close", "", (*net.TCPConn).Close)
	f("half close", "", (*net.TCPConn).CloseWrite)
	f("reset", "", func(c *net.TCPConn) error { return errors.Join(c.SetLinger(0), c.Close()) })
	f("second request", "GET /short HTTP/1.1\r\nHost: h\r\n\r\n", (*net.TCPConn).Close)
	f("with more in the pipe", "", func(c *net.TCPConn) error {
		_, err := io.WriteString(c, "GET /short HTTP/1.1\r\nHost: h\r\n\r\n")
		return errors.Join(err, c.CloseWrite())
	})
}

// TestBaseContextEnds: with it end the requests that it was the base of, for its reason, also those that begin later.
func TestBaseContextEnds(t *testing.T) {
	errOver := errors.New("all requests are over")
	base, end := context.WithCancelCause(t.Context())
	began := make(chan struct{}, 1)
	s := start(t, func(w http.ResponseWriter, r *http.Request) {
		began <- struct{}{}
		<-r.Context().Done()
		fmt.Fprint(w, context.Cause(r.Context()))
	}, func(s *http1.Server) { s.BaseContext = base })
	answers := make(chan string)
	ask := func() { answers <- s.say("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n") }
	go ask()
	<-began
	end(errOver)
	go ask() // it begins after the end
	for range 2 {
		if got := <-answers; !strings.HasSuffix(got, errOver.Error()) {
			t.Errorf("%q", got)
		}
	}
}

// TestUnreadBodies: a handler that does not want a body costs the client its connection only when the body is large.
func TestUnreadBodies(t *testing.T) {
	s := start(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(404) }, nil)
	f := func(name string, size int, answers int) {
		t.Run(name, func(t *testing.T) {
			head := fmt.Sprintf("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n", size)
			got := s.say(head + strings.Repeat("x", size) + "GET / HTTP/1.1\r\n" + last)
			if n := strings.Count(got, "HTTP/1.1 404"); n != answers || strings.Count(got, "Connection: close") != 1 {
				t.Errorf("%d answers, want %d: %q", n, answers, got)
			}
		})
	}
	f("small", 1000, 2)
	f("large", 1<<20, 1)
	chunked := s.say("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\nGET / HTTP/1.1\r\n" + last)
	if strings.Count(chunked, "HTTP/1.1 404") != 2 {
		t.Errorf("chunks: %q", chunked)
	}
}

// An answer that ends the connection says so, also when its length is told or it is flushed before the body was read: a client would
// send its next request into the closing connection.
func TestUnreadBodiesEndTheConnectionAloud(t *testing.T) {
	f := func(name string, answer func(w http.ResponseWriter), head string, size int, closes bool) {
		t.Run(name, func(t *testing.T) {
			s := start(t, func(w http.ResponseWriter, _ *http.Request) { answer(w) }, nil)
			c := s.dial()
			go func() { // the server may close before it has read all
				_, _ = io.WriteString(c, "POST / HTTP/1.1\r\nHost: h\r\n"+head+"\r\n\r\n")
				for sent := 0; sent < size; sent += 1 << 10 {
					if _, err := fmt.Fprintf(c, "%s", strings.Repeat("x", 1<<10)); err != nil {
						return
					}
				}
			}()
			resp, err := http.ReadResponse(bufio.NewReader(c), nil)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			if text, err := io.ReadAll(resp.Body); err != nil || string(text) != "no" || resp.Close != closes {
				t.Errorf("%q, %v, close %t", text, err, resp.Close)
			}
		})
	}
	short := func(w http.ResponseWriter) { _, _ = io.WriteString(w, "no") }
	told := func(w http.ResponseWriter) { w.Header().Set("Content-Length", "2"); short(w) }
	flushed := func(w http.ResponseWriter) { short(w); _ = http.NewResponseController(w).Flush() }
	for name, answer := range map[string]func(http.ResponseWriter){"short": short, "length told": told, "flushed": flushed} {
		f(name+", large", answer, fmt.Sprintf("Content-Length: %d", 1<<20), 1<<20, true)
		f(name+", large chunk", answer, "Transfer-Encoding: chunked\r\n\r\n100000", 1<<20, true)
		f(name+", small", answer, "Content-Length: 1024", 1<<10, false)
	}
}

func TestContinue(t *testing.T) {
	s := start(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/read":
			echo(w, r)
		case "/flushed":
			_ = http.NewResponseController(w).Flush()
		}
	}, nil)
	ask := func(path string) (net.Conn, *bufio.Reader) {
		c := s.dial()
		_, _ = io.WriteString(c, "POST "+path+" HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-Continue\r\n\r\n")
		return c, bufio.NewReader(c)
	}
	c, in := ask("/read")
	if line, err := in.ReadString('\n'); err != nil || line != "HTTP/1.1 100 Continue\r\n" {
		t.Fatalf("%q, %v", line, err)
	}
	_, _ = io.WriteString(c, "ab")
	_, _ = in.ReadString('\n')
	if resp, err := http.ReadResponse(in, nil); err != nil || resp.StatusCode != 200 || resp.Close {
		t.Errorf("%+v, %v", resp, err)
	}
	for _, path := range []string{"/unread", "/flushed"} {
		_, in = ask(path)
		if resp, err := http.ReadResponse(in, nil); err != nil || resp.StatusCode != 200 || !resp.Close {
			t.Errorf("%s: %+v, %v: nobody knows whether the body will come", path, resp, err)
		}
	}
}

// TestBodyOutlivesItsHandler: somebody who keeps a body, such as the goroutine that sends it to another server, has nothing from it
// once the handler has returned, neither of its rest nor of the next request.
func TestBodyOutlivesItsHandler(t *testing.T) {
	bodies := make(chan io.Reader, 1)
	failed := make(chan error, 1)
	s := start(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/keep":
			bodies <- r.Body
		case "/next":
			n, err := (<-bodies).Read(make([]byte, 3))
			body, _ := io.ReadAll(r.Body)
			fmt.Fprintf(w, "%d %v; %s", n, err, body)
		case "/reading":
			begun := make(chan struct{})
			go func() {
				_, _ = r.Body.Read(make([]byte, 1))
				close(begun)
				_, err := io.ReadAll(r.Body)
				failed <- err
			}()
			<-begun
		}
	}, nil)
	post := "POST %s HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\n%s"
	got := s.say(fmt.Sprintf(post+post, "/keep", "abc", "/next", "def") + "GET / HTTP/1.1\r\n" + last)
	if !strings.Contains(got, "0 the request's body was closed; def") || strings.Count(got, "HTTP/1.1 200") != 3 {
		t.Errorf("got %q", got)
	}
	if got := s.say(fmt.Sprintf(post, "/reading", "a")); !strings.Contains(got, "Connection: close") {
		t.Errorf("the rest of the body did not come: %q", got)
	}
	if err := <-failed; err == nil {
		t.Error("what was read looks complete")
	}
}

// full is a listener of a process that has no descriptor left at first.
type full struct {
	net.Listener
	left atomic.Int32
}

func (l *full) Accept() (net.Conn, error) {
	if l.left.Add(-1) >= 0 {
		return nil, &net.OpError{Op: "accept", Net: "tcp", Err: os.NewSyscallError("accept4", syscall.EMFILE)}
	}
	return l.Listener.Accept()
}

func TestNoDescriptorLeft(t *testing.T) {
	s := start(t, echo, nil)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &full{Listener: ln}
	l.left.Store(3)
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	s.addr = ln.Addr().String()
	if got := s.say("GET / HTTP/1.1\r\n" + last); !strings.HasPrefix(got, "HTTP/1.1 200 OK\r\n") {
		t.Errorf("got %q", got)
	}
	s.stop()
	ln.Close()
	if err := <-served; !errors.Is(err, http1.ErrClosed) {
		t.Errorf("Serve returned %v", err)
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

// TestShutdown: idle connections close, a running request is answered with the news that its connection closes.
func TestShutdown(t *testing.T) {
	began, finish := make(chan struct{}), make(chan struct{})
	s := start(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			close(began)
			<-finish
		}
	}, nil)
	idle, busy, fresh := s.dial(), s.dial(), s.dial() // fresh has not sent anything
	in := bufio.NewReader(idle)
	_, _ = io.WriteString(idle, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")
	if resp, err := http.ReadResponse(in, nil); err != nil || resp.Close {
		t.Fatalf("%+v, %v", resp, err)
	}
	_, _ = io.WriteString(busy, "GET /slow HTTP/1.1\r\nHost: h\r\n\r\n")
	<-began
	stopped := make(chan struct{})
	go func() { defer close(stopped); s.stop() }()
	for _, c := range []io.Reader{in, fresh} {
		if rest, err := io.ReadAll(c); err != nil || len(rest) > 0 {
			t.Errorf("the idle connection: %q, %v", rest, err)
		}
	}
	close(finish)
	if resp, err := http.ReadResponse(bufio.NewReader(busy), nil); err != nil || resp.StatusCode != 200 || !resp.Close {
		t.Errorf("%+v, %v", resp, err)
	}
	<-stopped
}

// A client that stops reading is given up at the deadline that the handler sets.
func TestWriteDeadline(t *testing.T) {
	failed := make(chan error, 1)
	s := start(t, func(w http.ResponseWriter, _ *http.Request) {
		out := http.NewResponseController(w)
		for {
			if err := out.SetWriteDeadline(time.Now().Add(50 * time.Millisecond)); err != nil {
				t.Error(err)
			}
			if _, err := w.Write(make([]byte, 1<<20)); err != nil {
				failed <- err
				return
			}
		}
	}, nil)
	_, _ = io.WriteString(s.dial(), "GET / HTTP/1.1\r\nHost: h\r\n\r\n")
	if err := <-failed; !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error(err)
	}
}

// TestRests: a connection that had no request for a while goes on in another goroutine, and is otherwise as before.
func TestRests(t *testing.T) {
	left := make(chan bool)
	s := start(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/wait" {
			<-r.Context().Done()
			close(left)
			return
		}
		goroutine, _, _ := strings.Cut(string(debug.Stack()), "[")
		fmt.Fprint(w, goroutine)
	}, nil)
	c := s.dial()
	in := bufio.NewReader(c)
	ask := func() string {
		_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")
		resp, err := http.ReadResponse(in, nil)
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(resp.Body)
		return string(text)
	}
	for first := ask(); ask() == first; { // at once it is the same one
		time.Sleep(2 * time.Second)
	}
	_, _ = io.WriteString(c, "GET /wait HTTP/1.1\r\nHost: h\r\n\r\n")
	_ = c.Close()
	<-left
}

// TestIdleKeepsNoRequest: what the last request of an idle connection was made of can be collected.
func TestIdleKeepsNoRequest(t *testing.T) {
	var last weak.Pointer[http.Request]
	s := start(t, func(_ http.ResponseWriter, r *http.Request) { last = weak.Make(r) }, nil)
	c := s.dial()
	_, _ = io.WriteString(c, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi")
	if _, err := http.ReadResponse(bufio.NewReader(c), nil); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(10 * time.Second); last.Value() != nil; runtime.GC() {
		if time.Now().After(deadline) {
			t.Fatal("the request is still there")
		}
	}
}

// TestIdle: a connection that rests is closed when its time is over.
func TestIdle(t *testing.T) {
	s := start(t, func(http.ResponseWriter, *http.Request) {}, func(s *http1.Server) { s.IdleTimeout = 1100 * time.Millisecond })
	if got := s.say("GET / HTTP/1.1\r\nHost: h\r\n\r\n"); !strings.HasPrefix(got, "HTTP/1.1 200 OK") {
		t.Errorf("%q", got)
	}
}

// Slow clients are bounded: in the header, between requests, and in a body that the handler does not want.
func TestSlowClients(t *testing.T) {
	s := start(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/read" {
			_, err := io.ReadAll(r.Body)
			fmt.Fprint(w, errors.Is(err, os.ErrDeadlineExceeded))
		}
	}, func(s *http1.Server) {
		s.ReadHeaderTimeout, s.IdleTimeout, s.Patience = 50*time.Millisecond, 50*time.Millisecond, 50*time.Millisecond
	})
	f := func(request, want string) {
		t.Helper()
		if got := s.say(request); !strings.HasPrefix(got, want) || want == "" && got != "" {
			t.Errorf("%q: %q, want %q", request, got, want)
		}
	}
	f("", "")
	f("GET / HT", "HTTP/1.1 408 Request Timeout\r\n")
	f("GET / HTTP/1.1\r\nHost: h\r\n\r\n", "HTTP/1.1 200 OK\r\n")
	f("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\na", "HTTP/1.1 200 OK\r\n")
	if got := s.say("POST /read HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\na"); !strings.HasSuffix(got, "\r\n\r\ntrue") {
		t.Errorf("a body that does not come: %q", got)
	}
}

// A client that stops reading is given up, also by a handler that sets no deadline.
func TestClientThatDoesNotRead(t *testing.T) {
	failed := make(chan error, 1)
	s := start(t, func(w http.ResponseWriter, r *http.Request) {
		for {
			if _, err := w.Write(make([]byte, 1<<20)); err != nil {
				<-r.Context().Done() // it ends with the connection
				failed <- err
				return
			}
		}
	}, func(s *http1.Server) { s.Patience = 50 * time.Millisecond })
	_, _ = io.WriteString(s.dial(), "GET / HTTP/1.1\r\nHost: h\r\n\r\n")
	if err := <-failed; !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error(err)
	}
}

// TestHandOver: a connection that begins with HTTP/2's preface goes to who speaks it, with all of its bytes.
func TestHandOver(t *testing.T) {
	handed := make(chan net.Conn, 1)
	s := start(t, echo, func(s *http1.Server) { s.HTTP2 = func(c net.Conn) { handed <- c } })
	c := s.dial()
	const begin = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nframes"
	_, _ = io.WriteString(c, begin)
	theirs := <-handed
	defer theirs.Close()
	_, _ = io.WriteString(c, "more")
	got := make([]byte, len(begin)+4)
	if _, err := io.ReadFull(theirs, got); err != nil || string(got) != begin+"more" {
		t.Errorf("%q, %v", got, err)
	}
	s.stop() // which has one connection less to wait for
	if _, err := theirs.Write([]byte("x")); err != nil {
		t.Error(err)
	}
}

// FuzzRequest holds the server against net/http: a request that is answered here is answered there, and means the same.
func FuzzRequest(f *testing.F) {
	f.Add([]byte("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabcGET / HTTP/1.1\r\nHost: h\r\n\r\n"))
	f.Add([]byte("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n"))
	f.Add([]byte("GET http://h/ HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"))
	h := func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %s %s %s %d %q %v", r.Method, r.URL, r.Host, r.Proto, r.ContentLength, b, err == nil)
	}
	ours := start(f, h, nil)
	theirs := httptest.NewServer(http.HandlerFunc(h))
	f.Cleanup(theirs.Close)
	f.Fuzz(func(t *testing.T, request []byte) {
		if bytes.Contains(request, []byte("\r\n\r\n\r\n")) || bytes.HasPrefix(request, []byte("\r\n")) {
			return // blank lines before a request, which RFC 9112 lets pass and net/http does not
		}
		got, want := exchange(t, ours.addr, request), exchange(t, theirs.Listener.Addr().String(), request)
		for i, a := range got {
			if a.status == 200 && (i >= len(want) || want[i] != a) {
				t.Fatalf("%q\nanswer %d is %v\nnet/http has %v", request, i, a, want)
			}
		}
	})
}

type result struct {
	status int
	body   string
}

// exchange sends bytes and reads the answers to them.
func exchange(t *testing.T, addr string, request []byte) (results []result) {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(patience))
	_, _ = c.Write(request)
	_ = c.(*net.TCPConn).CloseWrite()
	in := bufio.NewReader(c)
	for {
		resp, err := http.ReadResponse(in, nil)
		if err != nil {
			return results
		}
		if resp.StatusCode == http.StatusContinue {
			continue
		}
		b, err := io.ReadAll(resp.Body)
		if err != nil {
			return results
		}
		results = append(results, result{resp.StatusCode, string(b)})
	}
}
