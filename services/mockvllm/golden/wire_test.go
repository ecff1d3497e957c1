package golden

import (
	"bufio"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// serve answers connections with answers in turn, and returns its address and what it got.
func serve(t *testing.T, requestEnd string, answers ...string) (string, <-chan string) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	got := make(chan string, len(answers))
	done := make(chan struct{})
	go func() {
		defer close(done)
		for _, answer := range answers {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			var request strings.Builder
			for in := bufio.NewReader(conn); !strings.HasSuffix(request.String(), requestEnd); {
				b, err := in.ReadByte()
				if err != nil {
					break
				}
				request.WriteByte(b)
			}
			got <- request.String()
			_, _ = io.WriteString(conn, answer)
			_ = conn.Close()
		}
	}()
	t.Cleanup(func() { _ = ln.Close(); <-done })
	return ln.Addr().String(), got
}

func TestPlaySendsTheBytesOfEachRequest(t *testing.T) {
	const none = "HTTP/1.1 204 No Content\r\n\r\n"
	addr, got := serve(t, "END", none, "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi", none)
	step := func(path string) []Request { return []Request{{Method: "POST", Path: path, Body: "END"}} }
	c := Case{Before: step("/before"), After: step("/after"), Request: Request{Method: "GET", Path: "/x?y",
		Headers: []Header{{"Host", "h"}, {"X-a", "é"}, {"x-A", "c"}}, Binary: []byte("\xffEND")}}
	a, err := c.Play(t.Context(), addr)
	if err != nil || a.Body != "hi" {
		t.Errorf("answer %+v, error %v", a, err)
	}
	for _, want := range []string{"POST /before HTTP/1.1\r\n\r\nEND",
		"GET /x?y HTTP/1.1\r\nHost: h\r\nX-a: \xe9\r\nx-A: c\r\n\r\n\xffEND", "POST /after HTTP/1.1\r\n\r\nEND"} {
		if diff := cmp.Diff(want, <-got); diff != "" {
			t.Error(diff)
		}
	}
}

func TestReadAnswer(t *testing.T) {
	f := func(method, raw string, want Answer) {
		t.Helper()
		got, err := readAnswer(bufio.NewReader(strings.NewReader(raw)), method)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%q: %v\n%s", raw, err, diff)
		}
	}
	const ok = "HTTP/1.1 200 OK"
	length := []Header{{"Content-Length", "2"}}
	f("GET", ok+"\r\nContent-Length:  2 \r\n\r\nhi and more", Answer{StatusLine: ok, Headers: length, Body: "hi"})
	f("GET", ok+"\r\na: \xe9\r\nContent-Length: 2\r\n\r\n\xc3\xa9", Answer{StatusLine: ok, Headers: []Header{{"a", "é"}, {"Content-Length", "2"}}, Body: "é"})
	f("HEAD", ok+"\r\nContent-Length: 2\r\n\r\n", Answer{StatusLine: ok, Headers: length})
	f("GET", "HTTP/1.1 204 No Content\r\n\r\n", Answer{StatusLine: "HTTP/1.1 204 No Content"})
	f("GET", ok+"\r\n\r\nuntil the end", Answer{StatusLine: ok, Body: "until the end"})
	f("GET", ok+"\r\ntransfer-encoding: chunked\r\n\r\n3;x=y\r\na\n\n\r\nC\r\nb\n\nc\n\nd\n\nefg\r\n0\r\n\r\n",
		Answer{StatusLine: ok, Headers: []Header{{"transfer-encoding", "chunked"}}, Body: "a\n\nb\n\nc\n\nd\n\nefg", FramesPerChunk: []int{1, 3}})
}

func TestReadAnswerTellsWhatIsWrong(t *testing.T) {
	f := func(raw, want string) {
		t.Helper()
		if _, err := readAnswer(bufio.NewReader(strings.NewReader(raw)), "GET"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want one with %q", raw, err, want)
		}
	}
	f("", "unexpected EOF")
	f("SSH-2.0\r\n", "no status line")
	f("HTTP/1.1 200 OK\n", "without CR")
	f("HTTP/1.1 200 OK\r\nserver\r\n\r\n", "no header")
	f("HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nhi", "2 of 3 bytes")
	f("HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n", "content-length")
	f("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n", "unexpected EOF")
	f("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nx\r\n", "chunk size")
	f("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi!\r\n", "chunk ends")
}

// FuzzAnswer feeds any bytes to all that reads an answer: nothing panics, and an answer does not differ from itself.
func FuzzAnswer(f *testing.F) {
	f.Add("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 26\r\n\r\n{\"error\":{\"a\":[1,\"\\u00e9\"]}}", `{"stop":"a"}`)
	f.Add("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n6\r\ndata: \r\n6\r\n{\"choices\":[{\"index\":0}]}\n\n\r\n0\r\n\r\n", "{}")
	f.Add("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\nevent: a\r\ndata: {\"choices\":[{\"index\":{}}],\"usage\":{\"a\":[[]]}}\r\n\r\n: keep-alive\n\n", "[]")
	f.Add("HTTP/1.1 200 OK\r\n\r\n# HELP a\n# TYPE vllm:a gauge\n", "")
	f.Fuzz(func(t *testing.T, raw, request string) {
		a, err := readAnswer(bufio.NewReader(strings.NewReader(raw)), "GET")
		c := Case{Request: Request{Body: Body(request)}, Answer: &a}
		if diff := c.Difference(a) + c.HeadDifference(a); diff != "" {
			t.Errorf("%q (%v) differs from itself: %s", raw, err, diff)
		}
	})
}
