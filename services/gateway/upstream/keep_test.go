package upstream_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fluidmcp/fluidmcp/services/gateway/upstream"
)

// TestKeep: the connection is used again exactly when nothing speaks against it.
func TestKeep(t *testing.T) {
	f := func(name, raw string, kept bool) {
		t.Run(name, func(t *testing.T) {
			s := serve(t, func(p *peer) {
				for {
					req, _ := p.request()
					if req == nil {
						return
					}
					if req.URL.Path == "/first" {
						p.say(raw)
						if strings.HasSuffix(name, "to the end") {
							return
						}
						continue
					}
					p.say(plain)
				}
			})
			transport := newTransport(t, upstream.Config{})
			if _, _, err := call(t, transport, "POST", s.URL+"/first", nil); err != nil {
				t.Fatal(err)
			}
			if open, idle := transport.Connections(); open != idle || (idle == 1) != kept {
				t.Errorf("%d connections are open, %d idle", open, idle)
			}
			mustCall(t, transport, s.URL, nil)
			if n := s.accepted.Load(); (n == 1) != kept {
				t.Errorf("%d connections were made", n)
			}
		})
	}
	f("length", plain, true)
	f("no body", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", true)
	f("chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n", true)
	f("204", "HTTP/1.1 204 No Content\r\n\r\n", true)
	f("204 with a length", "HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\n", false)
	f("1.0", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi", false)
	f("1.0 kept", "HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 2\r\n\r\nhi", true)
	f("closing", "HTTP/1.1 200 OK\r\nConnection: x, Close\r\nContent-Length: 2\r\n\r\nhi", false)
	f("to the end", "HTTP/1.1 200 OK\r\n\r\nhi", false)
	f("bytes left over", plain+"H", false)
}

// TestStale: a kept connection that the server has closed meanwhile, or on which it said something, is not used. Bodies
// are the test: one that cannot be sent twice arrives all the same, and nothing that was said before is taken for the answer to one that
// goes out in one piece.
func TestStale(t *testing.T) {
	f := func(name string, spoil func(p *peer)) {
		for kind, body := range map[string]io.Reader{"in one piece": strings.NewReader("x"), "as it comes": unknown("x")} {
			staleWith(t, name+"/"+kind, spoil, body)
		}
	}
	f("closed", func(p *peer) { p.Close() })
	f("half closed", func(p *peer) { _ = p.Conn.(*net.TCPConn).CloseWrite() })
	f("reset", func(p *peer) { _ = p.Conn.(*net.TCPConn).SetLinger(0); p.Close() })
	f("spoken", func(p *peer) { p.say("HTTP/1.1 408 Request Timeout\r\n\r\n") })
}

// staleWith makes a request on a connection that was spoilt after one before.
func staleWith(t *testing.T, name string, spoil func(p *peer), body io.Reader) {
	t.Helper()
	t.Run(name, func(t *testing.T) {
		again, spoilt := make(chan bool), make(chan bool)
		s := serve(t, func(p *peer) {
			if p.n > 0 {
				ok(p)
				return
			}
			p.request()
			p.say(plain)
			<-again
			spoil(p)
			close(spoilt)
			p.gone()
		})
		transport := newTransport(t, upstream.Config{})
		mustCall(t, transport, s.URL, nil)
		close(again)
		await(t, "the server", spoilt)
		mustCall(t, transport, s.URL, body)
		if n := s.accepted.Load(); n != 2 {
			t.Errorf("%d connections", n)
		}
	})
}

// TestRetry: a request is sent again once, if a kept connection broke before the first byte of the answer.
func TestRetry(t *testing.T) {
	big := strings.Repeat("x", 1<<20)
	f := func(name string, body io.Reader, fails func(p *peer), conns int32, err string) {
		t.Run(name, func(t *testing.T) {
			s := serve(t, func(p *peer) {
				for n := 0; ; n++ {
					req, data := p.request()
					if req == nil {
						return
					}
					if len(data) > 2 && data != big {
						t.Errorf("the body came with %d bytes", len(data))
					}
					if p.n == 0 && n == 1 || strings.HasSuffix(name, "always") && p.n+n > 0 {
						fails(p)
						return
					}
					p.say(plain)
				}
			})
			transport := newTransport(t, upstream.Config{})
			mustCall(t, transport, s.URL, nil)
			resp, data, got := call(t, transport, "POST", s.URL, body)
			switch {
			case err == "" && (got != nil || resp.StatusCode != 200 || data != "hi"):
				t.Errorf("got %q, %v", data, got)
			case err != "" && (got == nil || !strings.Contains(got.Error(), err) || upstream.KindOf(t.Context(), got) != upstream.Broken):
				t.Errorf("got %v, want %s", got, err)
			}
			if n := s.accepted.Load(); n != conns {
				t.Errorf("%d connections, want %d", n, conns)
			}
		})
	}
	closed := func(*peer) {}
	reset := func(p *peer) { _ = p.Conn.(*net.TCPConn).SetLinger(0) }
	f("closed", nil, closed, 2, "")
	f("reset", strings.NewReader("{}"), reset, 2, "")
	f("small body of unknown origin", bufio.NewReader(strings.NewReader("{}")), closed, 1, "before the answer began") // of unknown length
	f("big body", strings.NewReader(big), closed, 2, "")
	f("big body of unknown origin", unknown(big), closed, 1, "before the answer began")
	f("always", nil, closed, 2, "before the answer began")
	f("one byte", nil, func(p *peer) { p.say("H") }, 1, "unexpected EOF")
}

// TestRetryIsOnNewConnection: where one kept connection broke, others may.
func TestRetryIsOnNewConnection(t *testing.T) {
	var both sync.WaitGroup
	both.Add(2)
	s := serve(t, func(p *peer) {
		p.request()
		if p.n < 2 {
			both.Done()
			both.Wait()
		}
		p.say(plain)
		p.request()
	})
	transport := newTransport(t, upstream.Config{})
	var all sync.WaitGroup
	for range 2 {
		all.Go(func() { mustCall(t, transport, s.URL, nil) })
	}
	all.Wait()
	mustCall(t, transport, s.URL, nil)
	if n := s.accepted.Load(); n != 3 {
		t.Errorf("%d connections, want 3", n)
	}
}

// deaf is a connection that takes nothing, though the server has answered.
type deaf struct{ *canned }

func (d deaf) Write([]byte) (int, error) { d.asked(); return 0, syscall.EPIPE }

// TestFailedWrite: what was sent in part is not followed by another request.
func TestFailedWrite(t *testing.T) {
	transport := newTransport(t, upstream.Config{DialContext: func(context.Context, string, string) (net.Conn, error) {
		return deaf{newCanned([]byte(plain))}, nil
	}})
	mustCall(t, transport, "http://h", strings.NewReader("{}"))
	if open, _ := transport.Connections(); open != 0 {
		t.Errorf("%d connections are open", open)
	}
}

// TestNoRetryOnNewConnection: what a server does to a fresh connection it would do again.
func TestNoRetryOnNewConnection(t *testing.T) {
	s := serve(t, func(p *peer) { p.request() })
	_, _, err := call(t, newTransport(t, upstream.Config{}), "POST", s.URL, strings.NewReader("{}"))
	if n := s.accepted.Load(); upstream.KindOf(t.Context(), err) != upstream.Broken || n != 1 {
		t.Errorf("%v after %d connections", err, n)
	}
}

func TestIdleTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gone := make(chan time.Time, 9)
		transport := newTransport(t, upstream.Config{DialContext: piped(func(p *peer) { ok(p); gone <- time.Now() })})
		mustCall(t, transport, "http://h", nil)
		for range 3 { // use begins its time anew
			time.Sleep(3999 * time.Millisecond)
			mustCall(t, transport, "http://h", nil)
		}
		mustCall(t, transport, "http://other", nil)
		last := time.Now()
		if open, idle := transport.Connections(); open != 2 || idle != 2 {
			t.Errorf("%d open, %d idle", open, idle)
		}
		for range 2 {
			if left := (<-gone).Sub(last); left != 4*time.Second {
				t.Errorf("closed after %s", left)
			}
		}
	})
}
