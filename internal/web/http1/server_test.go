//go:build linux

package http1_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
	"weak"

	"github.com/fluidmcp/fluidmcp/internal/web/http1"
)

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
	for deadline := time.Now().Add(patience); last.Value() != nil; runtime.GC() {
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
