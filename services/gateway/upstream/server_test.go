package upstream_test

import (
	"bufio"
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fluidmcp/fluidmcp/services/gateway/upstream"
)

// patience bounds every wait of these tests. It is reached only when something is broken.
const patience = time.Minute

// server plays a script on every connection that it gets.
type server struct {
	URL      string
	accepted atomic.Int32
}

// peer is the server's side of a connection.
type peer struct {
	net.Conn
	in *bufio.Reader
	n  int // how many connections came before
}

// request reads one request with its body; nil when there is none.
func (p *peer) request() (*http.Request, string) {
	req, err := http.ReadRequest(p.in)
	if err != nil {
		return nil, ""
	}
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, ""
	}
	return req, string(body)
}

// head reads the head of a request and no byte of its body that has to be waited for.
func (p *peer) head() { _, _ = http.ReadRequest(p.in) }

// say sends bytes as they are. A client that has gone away is for the test to notice.
func (p *peer) say(s string) { _, _ = io.WriteString(p, s) }

// gone waits until the client has closed the connection.
func (p *peer) gone() { _, _ = io.Copy(io.Discard, p.in) }

func serve(t testing.TB, play func(p *peer)) *server {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &server{URL: "http://" + ln.Addr().String()}
	var (
		all   sync.WaitGroup
		mu    sync.Mutex
		conns []net.Conn
	)
	all.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			conns = append(conns, conn)
			mu.Unlock()
			n := int(s.accepted.Add(1)) - 1
			all.Go(func() {
				defer conn.Close()
				play(&peer{Conn: conn, in: bufio.NewReader(conn), n: n})
			})
		}
	})
	t.Cleanup(func() {
		ln.Close()
		mu.Lock()
		for _, c := range conns {
			c.Close()
		}
		mu.Unlock()
		all.Wait()
	})
	return s
}

// ok answers every request of a connection.
func ok(p *peer) {
	for {
		if req, _ := p.request(); req == nil {
			return
		}
		p.say(plain)
	}
}

// quiet swallows what a server of net/http complains about.
var quiet = log.New(io.Discard, "", 0)

const plain = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi"

// newTransport returns a transport that must have lost no connection at the end of the test.
func newTransport(t testing.TB, cfg upstream.Config) *upstream.Transport {
	t.Helper()
	transport := upstream.NewTransport(cfg)
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		if open, idle := transport.Connections(); open != 0 || idle != 0 {
			t.Errorf("%d connections are left open, %d of them idle", open, idle)
		}
	})
	return transport
}

// call sends a request and reads the answer to its end.
func call(t testing.TB, transport http.RoundTripper, method, url string, body io.Reader) (*http.Response, string, error) {
	t.Helper()
	resp, err := transport.RoundTrip(request(t, t.Context(), method, url, body))
	if err != nil {
		return nil, "", err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	return resp, string(data), err
}

// mustCall is a call whose answer is ok's.
func mustCall(t testing.TB, transport http.RoundTripper, url string, body io.Reader) {
	t.Helper()
	if _, data, err := call(t, transport, "POST", url, body); err != nil || data != "hi" {
		t.Fatalf("%q, %v", data, err)
	}
}

func request(t testing.TB, ctx context.Context, method, url string, body io.Reader) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	return req
}

// unknown is a body whose length and origin nobody knows, so that it cannot be sent twice.
func unknown(s string) io.Reader { return io.MultiReader(strings.NewReader(s)) }

// await receives from ch, which a broken test would wait for without end.
func await[T any](t testing.TB, what string, ch <-chan T) T {
	t.Helper()
	select {
	case v := <-ch:
		return v
	case <-time.After(patience):
		t.Fatalf("waited in vain for %s", what)
		panic("not reached")
	}
}

// piped is a dialer whose servers are in the same bubble of fake time.
func piped(play func(p *peer)) func(context.Context, string, string) (net.Conn, error) {
	n := 0
	return func(context.Context, string, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		go play(&peer{Conn: theirs, in: bufio.NewReader(theirs), n: n})
		n++
		return ours, nil
	}
}
