//go:build linux

package http1_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

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
