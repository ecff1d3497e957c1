//go:build linux

package http1_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/fluidmcp/fluidmcp/internal/web/http1"
)

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

// Slow clients are bounded: in the header, between requests, and in a body that the handler does not want. What a client sends has to
// come in time, for which a busy machine may take longer: then it is given twice as long.
func TestSlowClients(t *testing.T) {
	h := func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/read" {
			_, err := io.ReadAll(r.Body)
			fmt.Fprint(w, errors.Is(err, os.ErrDeadlineExceeded))
		}
	}
	f := func(request, begin, end string) {
		t.Helper()
		var got string
		for limit := 50 * time.Millisecond; limit < patience; limit *= 2 {
			s := start(t, h, func(s *http1.Server) { s.ReadHeaderTimeout, s.IdleTimeout, s.Patience = limit, limit, limit })
			if got = s.say(request); strings.HasPrefix(got, begin) && strings.HasSuffix(got, end) && (got == "") == (begin == "") {
				return
			}
		}
		t.Errorf("%q: %q, want %q and %q at its end", request, got, begin, end)
	}
	const ok = "HTTP/1.1 200 OK\r\n"
	f("", "", "")
	f("GET / HT", "HTTP/1.1 408 Request Timeout\r\n", "")
	f("GET / HTTP/1.1\r\nHost: h\r\n\r\n", ok, "")
	f("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\na", ok, "")
	f("POST /read HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\na", ok, "\r\n\r\ntrue") // a body that does not come
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
