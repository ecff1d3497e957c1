//go:build linux

package http1_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"sync"
	"testing"
	"time"

	"github.com/fluidmcp/fluidmcp/internal/web/http1"
)

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
