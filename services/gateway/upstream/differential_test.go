package upstream_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fluidmcp/fluidmcp/services/gateway/upstream"
	"github.com/fluidmcp/fluidmcp/services/gateway/upstream/wire"
)

const chunkedHead = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

// responses are what a server may send. Where strict is empty both transports must understand it in the same way; otherwise
// ours refuses, with strict as part of its error, what http.Transport takes.
var responses = []struct{ name, method, raw, strict string }{
	{"length", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-A: 1\r\nx-a: 2\r\nx-b:\t3 \r\n\r\nhi", ""},
	{"no text", "GET", "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", ""},
	{"bare line feeds", "GET", "HTTP/1.1 404 Not Found\nContent-Length: 2\n\nhi", ""},
	{"chunked", "GET", "HTTP/1.1 200 OK\r\ntransfer-encoding: Chunked\r\n\r\n2;x=y\r\nhi\r\n003\r\n you\r\n0\r\n\r\n", ""},
	{"chunks with blanks and extensions", "GET", chunkedHead + "2 \t\r\nhi\r\n1;\r\n!\r\n0000000000000002;a=\"b;c\" \r\nyo\r\n00;x\r\n\r\n", ""},
	{"hex of both cases", "GET", chunkedHead + "a\r\n0123456789\r\nB\r\n0123456789a\r\n0\r\n\r\n", ""},
	{"the longest head of a chunk", "GET", chunkedHead + "2;" + strings.Repeat("x", 4092) + "\r\nhi\r\n0\r\n\r\n", ""},
	{"trailers", "GET", "HTTP/1.1 200 OK\r\nTrailer: X-T\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nX-T: v\r\n\r\n", ""},
	{"to the end", "GET", "HTTP/1.1 200 OK\r\n\r\nall of it", ""},
	{"1.0", "GET", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi", ""},
	{"1.0 to the end", "GET", "HTTP/1.0 200 OK\r\n\r\nhi", ""},
	{"head", "HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", ""},
	{"head chunked", "HEAD", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", ""},
	{"204", "POST", "HTTP/1.1 204 No Content\r\n\r\n", ""},
	{"204 with a length", "POST", "HTTP/1.1 204 No Content\r\nContent-Length: 3\r\n\r\nabc", ""},
	{"304", "GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", ""},
	{"interim", "POST", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", ""},
	{"garbage after", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhiHTTP/1.1 200 OK\r\n\r\n", ""},
	{"latin", "GET", "HTTP/1.1 200 OK\r\nX-A: caf\xe9\r\nContent-Length: 0\r\n\r\n", ""},

	{"nothing", "GET", "", ""},
	{"torn status", "GET", "HTTP/1.1 20", ""},
	{"torn header", "GET", "HTTP/1.1 200 OK\r\nContent-Le", ""},
	{"torn body", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhi", ""},
	{"torn chunk", "GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhi", ""},
	{"no last chunk", "GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n", ""},
	{"torn trailer", "GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nX-T: v\r\n", ""},
	{"bad chunk size", "GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhi\r\n0\r\n\r\n", ""},
	{"bare line feed after a chunk size", "GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\nhi\r\n0\r\n\r\n", ""},
	{"bare line feed after the last chunk", "GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\n", ""},
	{"bare line feed after a chunk", "GET", chunkedHead + "2\r\nhi\n0\r\n\r\n", ""},
	{"chunk longer than it says", "GET", chunkedHead + "2\r\nhi!!0\r\n\r\n", ""},
	{"chunk without a size", "GET", chunkedHead + "\r\n\r\n", ""},
	{"chunk with an extension and no size", "GET", chunkedHead + ";x\r\n\r\n", ""},
	{"blank before an extension", "GET", chunkedHead + "2 ;x\r\nhi\r\n0\r\n\r\n", ""},
	{"blank before a size", "GET", chunkedHead + " 2\r\nhi\r\n0\r\n\r\n", ""},
	{"signed chunk size", "GET", chunkedHead + "+2\r\nhi\r\n0\r\n\r\n", ""},
	{"CR in an extension", "GET", chunkedHead + "2;\rx\r\nhi\r\n0\r\n\r\n", ""},
	{"head of a chunk too long", "GET", chunkedHead + "2;" + strings.Repeat("x", 4093) + "\r\nhi\r\n0\r\n\r\n", ""},
	{"seventeen digits", "GET", chunkedHead + "00000000000000002\r\nhi\r\n0\r\n\r\n", ""},
	{"long extensions", "GET", chunkedHead + strings.Repeat("1;"+strings.Repeat("x", 99)+"\r\n!\r\n", 250) + "0\r\n\r\n", ""},
	{"extensions just short enough", "GET", chunkedHead + strings.Repeat("1;"+strings.Repeat("x", 99)+"\r\n!\r\n", 180) + "0\r\n\r\n", ""},
	{"not HTTP", "GET", "220 smtp ready\r\n", ""},
	{"status of words", "GET", "HTTP/1.1 abc OK\r\n\r\n", ""},
	{"status of four digits", "GET", "HTTP/1.1 2000 OK\r\n\r\n", ""},
	{"interim and no more", "GET", "HTTP/1.1 100 Continue\r\n\r\n", ""},
	{"no colon", "GET", "HTTP/1.1 200 OK\r\nwhat\r\n\r\n", ""},
	{"no name", "GET", "HTTP/1.1 200 OK\r\n: v\r\n\r\n", ""},
	{"bad name", "GET", "HTTP/1.1 200 OK\r\nX(A): v\r\n\r\n", ""},
	{"NUL in a value", "GET", "HTTP/1.1 200 OK\r\nX-A: a\x00b\r\n\r\n", ""},
	{"CR in a value", "GET", "HTTP/1.1 200 OK\r\nX-A: a\rb\r\n\r\n", ""},
	{"first line folded", "GET", "HTTP/1.1 200 OK\r\n X-A: a\r\n\r\n", ""},
	{"two lengths", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nhi!", ""},
	{"list of lengths", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\nhi", ""},
	{"negative length", "GET", "HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nhi", ""},
	{"signed length", "GET", "HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nhi", ""},
	{"empty length", "GET", "HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\nhi", ""},
	{"huge length", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\nhi", ""},
	{"unknown coding", "GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nhi", ""},
	{"two codings", "GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", ""},
	{"chunked twice", "GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", ""},

	{"101", "GET", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", "changes the protocol"},
	{"HTTP/2.0", "GET", "HTTP/2.0 200 OK\r\nContent-Length: 2\r\n\r\nhi", "not with HTTP/1.1"},
	{"signed status", "GET", "HTTP/1.1 +20 OK\r\nContent-Length: 2\r\n\r\nhi", "status"},
	{"status below 100", "GET", "HTTP/1.1 042 OK\r\nContent-Length: 2\r\n\r\nhi", "status"},
	{"control in the status line", "GET", "HTTP/1.1 200 O\x00K\r\nContent-Length: 2\r\n\r\nhi", "control characters in its status line"},
	{"folded", "GET", "HTTP/1.1 200 OK\r\nX-A: a\r\n b: c\r\nContent-Length: 2\r\n\r\nhi", "folded"},
	{"folded without a colon", "GET", "HTTP/1.1 200 OK\r\nX-A:\r\n b\r\n\r\n", "folded"},
	{"two CR", "GET", "HTTP/1.1 200 OK\r\r\nContent-Length: 2\r\n\r\nhi", "control characters in its status line"},
	{"space before the colon", "GET", "HTTP/1.1 200 OK\r\nContent-Length : 2\r\nContent-Length: 2\r\n\r\nhi", "characters that none may have"},
	{"one length twice", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nhi", "2 Content-Length headers"},
	{"length and chunked", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "both Content-Length and Transfer-Encoding"},
	{"chunk larger than any", "GET", chunkedHead + "F000000000000000\r\nhi\r\n0\r\n\r\n", "a chunk larger than any"},
	{"chunked 1.0", "GET", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "HTTP/1.0 does not know"},
}

// outcome is what a transport makes of an answer.
type outcome struct {
	Err, BodyErr    bool
	Status          int
	Text, Body      string
	Length          int64
	Chunked, Close  bool
	Header, Trailer http.Header

	err error
}

// outcomeOf asks for url. Left out are the differences by intent: http.Transport moves the announcement of trailers to
// resp.Trailer, and adds a Cache-Control to Pragma; ours does not trust a connection after a 204 that speaks of a body.
func outcomeOf(transport http.RoundTripper, method, url string) outcome {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, url, nil)
	if err != nil {
		return outcome{err: err}
	}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return outcome{Err: true, err: err}
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	o := outcome{Status: resp.StatusCode, Text: resp.Status, Body: string(data), BodyErr: err != nil, Length: resp.ContentLength,
		Chunked: len(resp.TransferEncoding) > 0, Close: resp.Close, Header: resp.Header, err: err}
	o.Header.Del("Trailer")
	o.Close = o.Close && o.Status != http.StatusNoContent
	if o.Header.Get("Pragma") != "" {
		o.Header.Del("Cache-Control")
	}
	if err == nil && len(resp.Trailer) > 0 {
		o.Trailer = make(http.Header)
		for name, values := range resp.Trailer {
			if values != nil { // announced and not sent
				o.Trailer[name] = values
			}
		}
	}
	return o
}

func compare(theirs, ours outcome) string {
	theirs.err, ours.err = nil, nil
	if theirs.Trailer != nil && len(theirs.Trailer) == 0 {
		theirs.Trailer = nil
	}
	return cmp.Diff(theirs, ours, cmp.AllowUnexported(outcome{}))
}

// TestLikeNetHTTP: every answer is understood as http.Transport does, whether it comes at once or byte by byte.
func TestLikeNetHTTP(t *testing.T) {
	for _, a := range responses {
		for _, pieces := range []string{"whole", "bytes"} {
			t.Run(a.name+"/"+pieces, func(t *testing.T) {
				s := serve(t, func(p *peer) {
					p.request()
					if pieces == "whole" {
						p.say(a.raw)
						return
					}
					for i := range len(a.raw) {
						p.say(a.raw[i : i+1])
					}
				})
				http1 := &http.Transport{DisableCompression: true, DisableKeepAlives: false}
				defer http1.CloseIdleConnections()
				theirs, ours := outcomeOf(http1, a.method, s.URL), outcomeOf(newTransport(t, upstream.Config{}), a.method, s.URL)
				if a.strict == "" {
					if diff := compare(theirs, ours); diff != "" {
						t.Errorf("errors %v and %v, -http.Transport +ours:\n%s", theirs.err, ours.err, diff)
					}
					return
				}
				if theirs.Err || !refused(ours.err, a.strict) {
					t.Errorf("http.Transport: %v, ours: %v, want %q", theirs.err, ours.err, a.strict)
				}
			})
		}
	}
}

// refused tells whether err is a typed refusal that says why.
func refused(err error, why string) bool {
	m, ok := errors.AsType[*wire.MalformedError](err)
	return ok && strings.Contains(m.What, why)
}

// TestRequestsLikeNetHTTP: servers get the same request from both.
func TestRequestsLikeNetHTTP(t *testing.T) {
	big := strings.Repeat("0123456789abcdef", 32<<10) // 512 KiB
	f := func(name, method, path string, body func() io.Reader, change func(*http.Request)) {
		t.Run(name, func(t *testing.T) {
			got := make(chan string, 2)
			s := serve(t, func(p *peer) {
				req, data := p.request()
				if req == nil {
					return
				}
				req.Header.Del("User-Agent")
				got <- fmt.Sprintf("%s %s %s %v %d %v %v %d %t", req.Method, req.RequestURI, req.Host, req.Header, req.ContentLength, req.TransferEncoding, req.Close, len(data), data == big)
				p.say(plain)
			})
			http1 := &http.Transport{DisableCompression: true}
			defer http1.CloseIdleConnections()
			for _, transport := range []http.RoundTripper{http1, newTransport(t, upstream.Config{})} {
				req := request(t, t.Context(), method, s.URL+path, nil)
				if body != nil {
					req = request(t, t.Context(), method, s.URL+path, body())
				}
				if change != nil {
					change(req)
				}
				resp, err := transport.RoundTrip(req)
				if err != nil {
					t.Fatal(err)
				}
				_, _ = io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
			}
			theirs, ours := await(t, "a request", got), await(t, "a request", got)
			if theirs != ours {
				t.Errorf("http.Transport sent %s\nours %s", theirs, ours)
			}
		})
	}
	f("get", "GET", "/a%20b/%2F?q=1&q=2", nil, func(r *http.Request) { r.Header.Set("X-A", "1"); r.Header.Add("X-A", "2") })
	f("no path", "GET", "?q", nil, func(r *http.Request) { r.Host = "other.example" })
	f("post without a body", "POST", "/", nil, nil)
	f("delete", "DELETE", "/x", nil, func(r *http.Request) { r.Close = true })
	f("small", "POST", "/", func() io.Reader { return strings.NewReader("{}") }, func(r *http.Request) { r.Header.Set("Content-Length", "99") })
	f("big", "POST", "/", func() io.Reader { return strings.NewReader(big) }, nil)
	f("unknown length", "PUT", "/", func() io.Reader { return unknown(big) }, nil)
	f("unknown and empty", "PUT", "/", func() io.Reader { return unknown("") }, func(r *http.Request) { r.ContentLength = -1 })
	f("big of known length", "POST", "/", func() io.Reader { return unknown(big) }, func(r *http.Request) { r.ContentLength = int64(len(big)) })
	f("small of known length", "POST", "/", func() io.Reader { return bufio.NewReader(strings.NewReader("abc")) }, func(r *http.Request) { r.ContentLength = 3 })
}
