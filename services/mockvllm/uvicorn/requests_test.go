package uvicorn_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/uvicorn"
)

// TestRequests: sent in one piece, the answer, and then nothing until the client closes.
func TestRequests(t *testing.T) {
	s := start(t, echo)
	f := func(sent, want string) {
		t.Helper()
		c := s.ask(sent)
		c.expect(want)
		c.halfClose()
		c.closed("")
	}
	f(get("/a?b=c#d"), told("GET /a b=c "))
	f("GET http://t/version HTTP/1.1\r\n\r\n", told("GET /version  "))
	f("OPTIONS * HTTP/1.1\r\n\r\n", told("OPTIONS *  "))
	f(get("/v1/%6Dodels%ff"), told("GET /v1/models\ufffd  "))
	f("\r\n\r\n"+get("/"), told("GET /  "))
	f(post("/a", "abc"), told("POST /a  abc"))
	f("POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3;x=\"y\"\r\nabc\r\n1\r\nd\r\n0\r\nA: b\r\n\r\n", told("POST /a  abcd"))
	f(get("/1")+post("/2", "x")+get("/3"), told("GET /1  ")+told("POST /2  x")+told("GET /3  "))
	f("GET / HTTP/1.1\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n"+get("/dropped"), told("GET /  "))
	f("POST / HTTP/1.1\r\nUpgrade: h2c\r\nConnection: Upgrade\r\nContent-Length: 3\r\n\r\nabc", told("POST /  "))

	// What vLLM was sent to see where it gives up (behaviours.md, section 3).
	f("GET / HTTP/1.1\r\nA: "+strings.Repeat("x", 200_000)+"\r\n\r\n", told("GET /  "))
	var many strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&many, "Header-%d: x\r\n", i)
	}
	f("GET / HTTP/1.1\r\n"+many.String()+"\r\n", told("GET /  "))
	long := "/" + strings.Repeat("a", 59_999)
	f(get(long), told("GET "+long+"  "))
	f(get("/")+get("/"+strings.Repeat("a", 66_000)), told("GET /  ")+refusal) // no packet holds both
	f(post("/", strings.Repeat("b", 10_000_000)), told("POST /  10000000 bytes"))
	f("GET / HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}", told("GET /  "))
	f("GET / HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}"+get("/next"), told("GET /  ")+told("GET /next  "))
}

// TestPieces: what a request is does not depend on how it arrives.
func TestPieces(t *testing.T) {
	s := start(t, echo)
	sent := post("/1", "abc") + get("/2") + "PUT /3 HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1;x\r\nc\r\n0\r\nA: b\r\n\r\n" +
		"GET /4 HTTP/1.1\r\nContent-Length: 16\r\n\r\nGET /5 HTTP/1.1\r\r\n" + post("/6", get("/no"))
	want := told("POST /1  abc") + told("GET /2  ") + told("PUT /3  abc") + told("GET /4  ") + told("POST /6  "+get("/no"))
	for size := 1; size < 40; size++ {
		c := s.dial()
		for rest := sent; rest != ""; rest = rest[min(size, len(rest)):] {
			c.send(rest[:min(size, len(rest))])
		}
		c.expect(want)
		c.halfClose()
		c.closed("")
	}
}

// TestRefusals: the 400 of uvicorn, and the end of the connection.
func TestRefusals(t *testing.T) {
	s := start(t, echo)
	f := func(sent string) {
		t.Helper()
		s.ask(sent).closed(refusal)
	}
	f("garbage")
	f("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03") // a TLS hello
	f("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
	f("get /version HTTP/1.1\r\n\r\n")
	f("BREW /health HTTP/1.1\r\n\r\n")
	f("POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n")
	f("POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
	f("POST / HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd")
	f("GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n")
	f("GET / HTTP/1.1\r\nA: b\rC: d\r\n\r\n")
	f("GET / HTTP/1.1\nA: b\n\n")
	f(get("/" + strings.Repeat("a", 66_000)))
	f("GET / HTTP/1.1\r\nA: " + strings.Repeat("x", 2<<20)) // more than anything reasonable

	// What follows a good request takes its answer along, as long as it came in the same packet.
	f(get("/") + "garbage")
	f("POST / HTTP/1.1\r\nContent-Length: 1\r\n\r\nabc")
	f("GET / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabcxx")
	f("GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n")
	f("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n")
	if line := "WARNING:  Invalid HTTP request received.\n"; s.log.String() != strings.Repeat(line, 18) {
		t.Errorf("log: %s", s.log.String())
	}
}

// A bad chunk may also come when the handler is already reading.
func TestRefusalWhileReading(t *testing.T) {
	reading := make(chan error, 2)
	s := start(t, func(_ http.ResponseWriter, r *http.Request) {
		_, err := r.Body.Read(make([]byte, 3))
		reading <- err
		_, err = r.Body.Read(make([]byte, 3))
		reading <- err
	})
	c := s.ask("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc")
	if err := <-reading; err != nil {
		t.Error(err)
	}
	c.send("d")
	c.closed(refusal)
	if err := <-reading; err == nil {
		t.Error("the body seems whole")
	}
}

func TestExpectContinue(t *testing.T) {
	s := start(t, echo)
	const head = "%s / HTTP/1.1\r\nExpect: 100-Continue\r\nContent-Length: %d\r\n\r\n"
	c := s.ask(fmt.Sprintf(head, "POST", 3))
	c.expect(goOn)
	c.send("abc")
	c.expect(told("POST /  abc"))
	c.send(fmt.Sprintf(head, "GET", 0))
	c.expect(told("GET /  "))
	c.send(fmt.Sprintf(head, "POST", 0))
	c.expect(goOn + told("POST /  "))
	c.send(strings.Replace(fmt.Sprintf(head, "POST", 3), "100-", "200-", 1) + "abc")
	c.expect(told("POST /  abc"))
}

func TestRequestAsHandlersSeeIt(t *testing.T) {
	got := make(chan *http.Request, 1)
	s := start(t, func(_ http.ResponseWriter, r *http.Request) { got <- r })
	f := func(sent string, check func(*http.Request) bool) {
		t.Helper()
		s.ask(sent)
		if r := <-got; !check(r) {
			t.Errorf("%q: %+v", sent, r)
		}
	}
	f("GET /a%2fb?c HTTP/1.1\r\nhOST: x\r\nx-a: 1 \r\nX-A: 2\r\n\r\n", func(r *http.Request) bool {
		return r.Host == "x" && r.Header.Get("Host") == "" && strings.Join(r.Header["X-A"], "|") == "1 |2" && r.URL.Path == "/a/b" &&
			r.URL.RequestURI() == "/a%2fb?c" && r.RequestURI == "/a%2fb?c" && r.Proto == "HTTP/1.1" && r.Body == http.NoBody && r.RemoteAddr != ""
	})
	f("GET / HTTP/1.0\r\n\r\n", func(r *http.Request) bool {
		local, _ := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
		return r.Host == "" && local != nil && local.String() == s.addr && r.ProtoMinor == 0
	})
	f("GET /\r\n\r\n", func(r *http.Request) bool { return r.Proto == "HTTP/0.9" })
	f("GET http://other/ HTTP/1.1\r\nHost: x\r\n\r\n", func(r *http.Request) bool { return r.Host == "x" && r.URL.Host == "" })
	f("POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\n", func(r *http.Request) bool { return r.ContentLength == 5 })
	f("POST / HTTP/1.1\r\nContent-Length: 18446744073709551615\r\n\r\n", func(r *http.Request) bool { return r.ContentLength == 1<<63-1 })
	f("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", func(r *http.Request) bool { return r.ContentLength == -1 })
}

// A body that ends early is an error to whoever reads it, and nobody is answered.
func TestHalfABody(t *testing.T) {
	failed := make(chan error, 1)
	s := start(t, func(_ http.ResponseWriter, r *http.Request) {
		_, err := io.ReadAll(r.Body)
		failed <- err
	})
	f := func(sent string) {
		t.Helper()
		c := s.ask(sent)
		c.halfClose()
		c.closed("")
		if err := <-failed; err != io.ErrUnexpectedEOF {
			t.Errorf("%q: %v", sent, err)
		}
	}
	f("POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nab")
	f("POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\n")
	f("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nab")
	f("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n")
}

func TestWebsockets(t *testing.T) {
	s := start(t, echo)
	const handshake = "GET /v1/realtime HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
	f := func(old, replacement, status, text, more string) {
		t.Helper()
		if text != "" {
			text = "Failed to open a WebSocket connection: " + text + "\n"
		}
		s.ask(strings.Replace(handshake, old, replacement, 1)).closed("HTTP/1.1 " + status + "\r\nD" + now[1:] + "Connection: close\r\n" +
			fmt.Sprintf("Content-Length: %d\r\n", len(text)) + "Content-Type: text/plain; charset=utf-8\r\n" + more + "\r\n" + text)
	}
	f("", "", "403 Forbidden", "", "")
	if log := s.log.String(); !strings.HasPrefix(log, "INFO:     127.0.0.1:") || !strings.HasSuffix(log, " - \"WebSocket /v1/realtime\" 403\nINFO:     connection rejected (403 Forbidden)\n") {
		t.Errorf("log: %q", log)
	}
	f("websocket", "WebSocket", "403 Forbidden", "", "")
	f("1.1", "1.0", "403 Forbidden", "", "")
	f("13", "12", "400 Bad Request", "invalid Sec-WebSocket-Version header: 12.", "")
	const twice = "Sec-WebSocket-Version: 13\r\n"
	f(twice, twice+twice, "400 Bad Request", "invalid Sec-WebSocket-Version header: multiple values.", "")
	f("Sec-WebSocket-Key", "Sec-WebSocket-Key: x\r\nSec-WebSocket-Key", "400 Bad Request", "invalid Sec-WebSocket-Key header: multiple values.", "")
	f("Sec-WebSocket-Version: 13\r\n", "", "400 Bad Request", "missing Sec-WebSocket-Version header.", "")
	f("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", "", "400 Bad Request", "missing Sec-WebSocket-Key header.", "")
	f("dGhlIHNhbXBsZSBub25jZQ==", "abc", "400 Bad Request", "invalid Sec-WebSocket-Key header: abc; Incorrect padding.", "")
	f("GET", "POST", "405 Method Not Allowed", "unsupported HTTP method: POST.", "Allow: GET\r\n")
	log := s.log.String()
	if !strings.HasSuffix(log, "(400 Bad Request)\nINFO:     connection rejected (405 Method Not Allowed)\n") || strings.Count(log, "WebSocket") != 3 {
		t.Errorf("log: %q", log)
	}
}

// A handshake that uvicorn's library does not take, as one with a body, hangs until the client leaves.
func TestWebsocketsWithoutAnAnswer(t *testing.T) {
	s := start(t, echo)
	f := func(fields, body string, answered bool) {
		t.Helper()
		c := s.ask("GET /v1/realtime HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" + fields + "\r\n" + body)
		if answered {
			c.expect("HTTP/1.1 400 Bad Request\r\nD" + now[1:] + "Connection: close\r\nContent-Length: 73\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n" +
				"Failed to open a WebSocket connection: missing Sec-WebSocket-Key header.\n")
			return
		}
		c.halfClose()
		c.closed("")
	}
	f("Content-Length: 0\r\n", "", true)
	f("Content-Length: 2\r\n", "{}", false)
	f("Content-Length: 5\r\n", "{}", false)
	f("Content-Length: 00\r\n", "", false)
	f("Transfer-Encoding: chunked\r\n", "2\r\n{}\r\n0\r\n\r\n", false)
	f("X: "+strings.Repeat("a", 8192-5)+"\r\n", "", true)
	f("X: "+strings.Repeat("a", 8192-4)+"\r\n", "", false)
	f(strings.Repeat("X: a\r\n", 128-3), "", true)
	f(strings.Repeat("X: a\r\n", 129-3), "", false)
	if log := s.log.String(); strings.Count(log, "rejected") != 3 {
		t.Errorf("log: %q", log)
	}
}

// TestWith: the first value of a request's context lies in the request itself, others lie around it.
func TestWith(t *testing.T) {
	type key int
	var got []any
	s := start(t, func(w http.ResponseWriter, r *http.Request) {
		one := uvicorn.With(r, key(1), "one")
		two := uvicorn.With(one, key(2), "two")
		again := uvicorn.With(two, key(1), "other")
		within, cancel := context.WithCancel(two.Context())
		defer cancel()
		for _, ctx := range []context.Context{one.Context(), two.Context(), again.Context(), within} {
			got = append(got, ctx.Value(key(1)), ctx.Value(key(2)))
		}
		got = append(got, one == r, two == one)
		echo(w, r)
	})
	s.ask(get("/")).expect(told("GET /  "))
	want := []any{"one", nil, "one", "two", "other", "two", "one", "two", true, false}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	plain := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
	if r := uvicorn.With(plain, key(1), "one"); r == plain || r.Context().Value(key(1)) != "one" || plain.Context().Value(key(1)) != nil {
		t.Error("a request of another server was changed, or has no value")
	}
}
