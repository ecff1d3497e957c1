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
