package uvicorn_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/uvicorn"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// server is one under test.
type server struct {
	*uvicorn.Server
	t    testing.TB
	addr string
	log  log
}

// log collects lines.
type log struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *log) add(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	fmt.Fprintf(&l.text, format+"\n", args...)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// opaque hides that its connections have file descriptors, so that they are watched as on other systems than Linux.
type opaque struct{ net.Listener }

func (l opaque) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return struct{ net.Conn }{c}, nil
}

func start(t testing.TB, h http.HandlerFunc) *server {
	t.Helper()
	return startOn(t, h, func(ln net.Listener) net.Listener { return ln })
}

func startOn(t testing.TB, h http.HandlerFunc, wrap func(net.Listener) net.Listener) *server {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &server{t: t, addr: ln.Addr().String()}
	s.Server = &uvicorn.Server{Handler: h, Log: s.log.add}
	served := make(chan error, 1)
	go func() { served <- s.Serve(wrap(ln)) }()
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
	return s
}

// bothWays runs a test with connections that are watched by the kernel, and by readers.
func bothWays(t *testing.T, f func(t *testing.T, start func(http.HandlerFunc) *server)) {
	t.Run("kernel", func(t *testing.T) { f(t, func(h http.HandlerFunc) *server { return start(t, h) }) })
	t.Run("reader", func(t *testing.T) {
		f(t, func(h http.HandlerFunc) *server {
			return startOn(t, h, func(ln net.Listener) net.Listener { return opaque{ln} })
		})
	})
}

// client is one connection.
type client struct {
	conn *net.TCPConn
	in   *bufio.Reader
	t    testing.TB
}

func (s *server) dial() *client {
	s.t.Helper()
	nc, err := net.Dial("tcp", s.addr)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = nc.Close() })
	_ = nc.SetReadDeadline(time.Now().Add(time.Minute)) // a test that hangs says where
	return &client{nc.(*net.TCPConn), bufio.NewReader(nc), s.t}
}

// ask sends text on a connection of its own.
func (s *server) ask(text string) *client {
	s.t.Helper()
	c := s.dial()
	c.send(text)
	return c
}

func (c *client) send(text string) {
	c.t.Helper()
	if _, err := io.WriteString(c.conn, text); err != nil {
		c.t.Fatal(err)
	}
}

func (c *client) halfClose() {
	c.t.Helper()
	if err := c.conn.CloseWrite(); err != nil {
		c.t.Fatal(err)
	}
}

// reset leaves without a goodbye.
func (c *client) reset() {
	_ = c.conn.SetLinger(0)
	_ = c.conn.Close()
}

// expect reads exactly this.
func (c *client) expect(want string) {
	c.t.Helper()
	got := make([]byte, len(want))
	n, err := io.ReadFull(c.in, got)
	if text := masked(string(got[:n])); text != want {
		c.t.Fatalf("got %q (%v), want %q", text, err, want)
	}
}

// closed reads what the server sends until it closes.
func (c *client) closed(want string) {
	c.t.Helper()
	got, err := io.ReadAll(c.in)
	if err != nil {
		c.t.Fatalf("%v behind %q", err, got)
	}
	if text := masked(string(got)); text != want {
		c.t.Errorf("got %q, want %q", text, want)
	}
}

var dates = regexp.MustCompile(`([dD]ate): \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT`)

func masked(text string) string {
	return dates.ReplaceAllString(text, "$1: Mon, 23 Nov 2026 02:12:46 GMT")
}

const (
	now     = "date: Mon, 23 Nov 2026 02:12:46 GMT\r\n"
	ok      = "HTTP/1.1 200 OK\r\n" + now + "server: uvicorn\r\n"
	plainly = now + "server: uvicorn\r\ncontent-type: text/plain; charset=utf-8\r\n"
	refusal = "HTTP/1.1 400 Bad Request\r\n" + plainly + "content-length: 30\r\nconnection: close\r\n\r\nInvalid HTTP request received."
	goOn    = "HTTP/1.1 100 Continue\r\n\r\n"
)

// echo tells what it got, a long body by its length. It reads the body of all but GET.
func echo(w http.ResponseWriter, r *http.Request) {
	var body []byte
	if r.Method != http.MethodGet {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return
		}
	}
	if len(body) > 1000 {
		body = fmt.Appendf(nil, "%d bytes", len(body))
	}
	text := fmt.Sprintf("%s %s %s %s", r.Method, r.URL.Path, r.URL.RawQuery, body)
	w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	_, _ = io.WriteString(w, text)
}

// told is the answer of echo.
func told(text string) string {
	return ok + fmt.Sprintf("content-length: %d\r\n\r\n%s", len(text), text)
}

func get(path string) string { return "GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n" }

func post(path, body string) string {
	return fmt.Sprintf("POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", path, len(body), body)
}
