//go:build linux

package http1_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

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
