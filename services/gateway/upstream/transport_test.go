package upstream_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fluidmcp/fluidmcp/services/gateway/upstream"
	"github.com/fluidmcp/fluidmcp/services/gateway/upstream/pool"
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
// are the test: one that cannot be sent twice arrives all the same.
func TestStale(t *testing.T) {
	f := func(name string, spoil func(p *peer)) {
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
			mustCall(t, transport, s.URL, unknown("x"))
			if n := s.accepted.Load(); n != 2 {
				t.Errorf("%d connections", n)
			}
		})
	}
	f("closed", func(p *peer) { p.Close() })
	f("half closed", func(p *peer) { _ = p.Conn.(*net.TCPConn).CloseWrite() })
	f("reset", func(p *peer) { _ = p.Conn.(*net.TCPConn).SetLinger(0); p.Close() })
	f("spoken", func(p *peer) { p.say("HTTP/1.1 408 Request Timeout\r\n\r\n") })
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

// TestNoRetryOnNewConnection: what a server does to a fresh connection it would do again.
func TestNoRetryOnNewConnection(t *testing.T) {
	s := serve(t, func(p *peer) { p.request() })
	_, _, err := call(t, newTransport(t, upstream.Config{}), "POST", s.URL, strings.NewReader("{}"))
	if n := s.accepted.Load(); upstream.KindOf(t.Context(), err) != upstream.Broken || n != 1 {
		t.Errorf("%v after %d connections", err, n)
	}
}

// TestEarlyAnswer: a server refuses a body of which it has read nothing, and its answer comes through.
func TestEarlyAnswer(t *testing.T) {
	const refusal = "HTTP/1.1 413 Content Too Large\r\nContent-Length: 7\r\n\r\ntoo big"
	big := strings.Repeat("x", 32<<20)
	endless, end := io.Pipe()
	t.Cleanup(func() { end.Close() })
	f := func(name string, body io.Reader, after func(p *peer, answered <-chan bool)) {
		t.Run(name, func(t *testing.T) {
			answered := make(chan bool)
			defer close(answered)
			s := serve(t, func(p *peer) {
				p.head()
				p.say(refusal)
				after(p, answered)
			})
			resp, data, err := call(t, newTransport(t, upstream.Config{}), "POST", s.URL, body)
			if err != nil || resp.StatusCode != 413 || data != "too big" {
				t.Errorf("%q, %v", data, err)
			}
		})
	}
	waits := func(p *peer, _ <-chan bool) { p.gone() }
	f("small", strings.NewReader("{}"), waits)
	f("big, read on", strings.NewReader(big), waits)
	f("big, not read", strings.NewReader(big), func(_ *peer, answered <-chan bool) { <-answered })
	f("big, closed for writing", strings.NewReader(big), func(p *peer, _ <-chan bool) { _ = p.Conn.(*net.TCPConn).CloseWrite(); p.gone() })
	f("endless", endless, waits)
}

// TestCancel: in every phase the server sees the connection closed as soon as nobody wants the answer.
func TestCancel(t *testing.T) {
	f := func(name string, body io.Reader, play func(p *peer)) {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(t.Context())
			reached, gone := make(chan bool, 1), make(chan bool, 1)
			s := serve(t, func(p *peer) {
				play(p)
				reached <- true
				p.gone()
				gone <- true
			})
			transport := newTransport(t, upstream.Config{})
			go func() {
				<-reached
				cancel(context.Canceled)
			}()
			resp, err := transport.RoundTrip(request(t, ctx, "POST", s.URL, body))
			if err == nil {
				_, err = io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
			}
			if !errors.Is(err, context.Canceled) || upstream.KindOf(ctx, err) != upstream.Canceled {
				t.Errorf("got %v", err)
			}
			await(t, "the end of the connection", gone)
		})
	}
	f("write", strings.NewReader(strings.Repeat("x", 64<<20)), func(p *peer) { p.head() })
	f("first byte", strings.NewReader("{}"), func(p *peer) { p.request() })
	f("head", nil, func(p *peer) { p.request(); p.say("HTTP/1.1 200 OK\r\nX-A:") })
	f("body", nil, func(p *peer) { p.request(); p.say("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf") })
	f("stream", nil, func(p *peer) {
		p.request()
		p.say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n")
	})
}

// TestCancelWhileConnecting: neither a dial nor a handshake outlives the request.
func TestCancelWhileConnecting(t *testing.T) {
	f := func(name, scheme string, dial func(ctx context.Context, begun func()) (net.Conn, error)) {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			transport := newTransport(t, upstream.Config{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx, cancel) }})
			_, err := transport.RoundTrip(request(t, ctx, "GET", scheme+"://h", nil))
			if !errors.Is(err, context.Canceled) || upstream.KindOf(ctx, err) != upstream.Canceled {
				t.Errorf("got %v", err)
			}
		})
	}
	f("dial", "http", func(ctx context.Context, begun func()) (net.Conn, error) {
		begun()
		<-ctx.Done()
		return nil, ctx.Err()
	})
	f("handshake", "https", func(_ context.Context, begun func()) (net.Conn, error) {
		ours, theirs := net.Pipe()
		go func() {
			_, _ = theirs.Read(make([]byte, 1))
			begun()
			_, _ = io.Copy(io.Discard, theirs)
		}()
		return ours, nil
	})
}

// TestCancelBefore: nothing is connected for a request that is over.
func TestCancelBefore(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("why")
	cancel(why)
	s := serve(t, ok)
	if _, err := newTransport(t, upstream.Config{}).RoundTrip(request(t, ctx, "GET", s.URL, nil)); err != why || s.accepted.Load() != 0 {
		t.Errorf("got %v", err)
	}
}

// TestCloseEarly: an answer that is not read to its end costs the connection, at once.
func TestCloseEarly(t *testing.T) {
	gone := make(chan bool, 1)
	s := serve(t, func(p *peer) {
		p.request()
		p.say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n")
		p.gone()
		gone <- true
	})
	resp, err := newTransport(t, upstream.Config{}).RoundTrip(request(t, t.Context(), "GET", s.URL, nil))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	await(t, "the end of the connection", gone)
	if _, err := resp.Body.Read(make([]byte, 1)); err != http.ErrBodyReadAfterClose {
		t.Errorf("reading after closing: %v", err)
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

func TestConnectTimeout(t *testing.T) {
	f := func(own, want time.Duration) {
		synctest.Test(t, func(t *testing.T) {
			transport := newTransport(t, upstream.Config{ConnectTimeout: 3 * time.Second, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				<-ctx.Done()
				return nil, ctx.Err()
			}})
			ctx := t.Context()
			if own > 0 {
				ctx = upstream.WithConnectTimeout(ctx, own)
			}
			begin := time.Now()
			_, err := transport.RoundTrip(request(t, ctx, "GET", "http://h", nil))
			if took := time.Since(begin); took != want || upstream.KindOf(ctx, err) != upstream.Connect {
				t.Errorf("%v after %s, want %s", err, took, want)
			}
		})
	}
	f(0, 3*time.Second)
	f(time.Second, time.Second)
	f(9*time.Second, 9*time.Second)
}

// TestPatienceOfTransport: silence in any phase ends the request, with the timeout as the error.
func TestPatienceOfTransport(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		transport := newTransport(t, upstream.Config{DialContext: piped(func(p *peer) {
			p.request()
			time.Sleep(time.Second)
			p.say("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf")
			p.gone()
		})})
		ctx, patience := upstream.WithPatience(t.Context(), 2*time.Second, 0)
		defer patience.Stop()
		begin := time.Now()
		resp, err := transport.RoundTrip(request(t, ctx, "GET", "http://h", nil))
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		patience.Expect(5 * time.Second)
		data, err := io.ReadAll(resp.Body)
		if _, late := errors.AsType[*upstream.TimeoutError](err); !late || string(data) != "half" || time.Since(begin) != 6*time.Second {
			t.Errorf("%q, %v after %s", data, err, time.Since(begin))
		}
	})
}

func TestLimits(t *testing.T) {
	release := make(chan bool)
	s := serve(t, func(p *peer) {
		for {
			if req, _ := p.request(); req == nil {
				return
			}
			<-release
			p.say(plain)
		}
	})
	transport := newTransport(t, upstream.Config{MaxConnsPerHost: 3, MaxIdlePerHost: 2})
	var all sync.WaitGroup
	for range 3 {
		all.Go(func() { mustCall(t, transport, s.URL, nil) })
	}
	for s.accepted.Load() < 3 {
		time.Sleep(time.Millisecond)
	}
	_, _, err := call(t, transport, "GET", s.URL, nil)
	if !errors.Is(err, pool.ErrLimit) || upstream.KindOf(t.Context(), err) != upstream.Connect {
		t.Errorf("the fourth: %v", err)
	}
	close(release)
	all.Wait()
	if open, idle := transport.Connections(); open != 2 || idle != 2 {
		t.Errorf("%d open, %d idle", open, idle)
	}
}

func TestHeaderLimit(t *testing.T) {
	f := func(name, raw string, want string) {
		t.Run(name, func(t *testing.T) {
			s := serve(t, func(p *peer) { p.request(); p.say(raw); p.gone() })
			_, _, err := call(t, newTransport(t, upstream.Config{MaxHeaderBytes: 8192}), "GET", s.URL, nil)
			if want == "" && err != nil || want != "" && !refused(err, want) {
				t.Errorf("got %v", err)
			}
		})
	}
	long := strings.Repeat("x", 8000) // more than is read at once
	f("below", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-A: "+long+"\r\n\r\n", "")
	f("above", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-A: "+long+long+"\r\n\r\n", "over the limit")
	f("endless line", "HTTP/1.1 200 "+long+long, "over the limit")
	f("many interim", strings.Repeat("HTTP/1.1 100 Continue\r\n\r\n", 400), "over the limit")
	f("trailers", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-A: "+long+long+"\r\n\r\n", "over the limit")
}

func TestTLS(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(w, io.MultiReader(strings.NewReader(r.Proto+" "+r.TLS.NegotiatedProtocol+" "), r.Body))
	}))
	server.EnableHTTP2 = true
	server.TLS = &tls.Config{NextProtos: []string{"h2", "http/1.1"}, MinVersion: tls.VersionTLS12}
	server.Config.ErrorLog = quiet
	server.StartTLS()
	defer server.Close()
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	transport := newTransport(t, upstream.Config{TLS: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}})
	for range 2 {
		if _, data, err := call(t, transport, "POST", server.URL, unknown("hi")); err != nil || data != "HTTP/1.1 http/1.1 hi" {
			t.Errorf("%q, %v", data, err)
		}
	}
	if open, idle := transport.Connections(); open != 1 || idle != 1 {
		t.Errorf("%d open, %d idle", open, idle)
	}
	_, _, err := call(t, newTransport(t, upstream.Config{}), "GET", server.URL, nil)
	if !errors.As(err, new(*tls.CertificateVerificationError)) || upstream.KindOf(t.Context(), err) != upstream.Connect {
		t.Errorf("a stranger: %v", err)
	}
}

// TestUpload: a body of unknown length passes piece by piece, and one that breaks off breaks the request off.
func TestUpload(t *testing.T) {
	t.Run("pieces", func(t *testing.T) {
		pieces := make(chan string)
		s := serve(t, func(p *peer) {
			req, err := http.ReadRequest(p.in)
			if err != nil {
				return
			}
			buf := make([]byte, 9)
			for {
				n, err := req.Body.Read(buf)
				if err != nil {
					break
				}
				pieces <- string(buf[:n])
			}
			p.say(plain)
		})
		body, in := io.Pipe()
		go func() {
			for _, piece := range []string{"one", "two"} {
				_, _ = io.WriteString(in, piece)
				if got := <-pieces; got != piece {
					t.Errorf("got %q, want %q", got, piece)
				}
			}
			in.Close()
		}()
		transport := newTransport(t, upstream.Config{})
		mustCall(t, transport, s.URL, body)
		if _, idle := transport.Connections(); idle > 1 {
			t.Errorf("%d idle", idle)
		}
	})
	broken := errors.New("broken")
	f := func(name string, body io.Reader, length int64, want error) {
		t.Run(name, func(t *testing.T) {
			s := serve(t, func(p *peer) { p.request(); p.gone() })
			req := request(t, t.Context(), "POST", s.URL, body)
			req.ContentLength = length
			_, err := newTransport(t, upstream.Config{}).RoundTrip(req)
			if _, ok := errors.AsType[*upstream.BodyError](err); !ok || want != nil && !errors.Is(err, want) || upstream.KindOf(t.Context(), err) != upstream.Canceled {
				t.Errorf("got %v", err)
			}
		})
	}
	breaks := func(s string) io.Reader { return io.MultiReader(strings.NewReader(s), failing{broken}) }
	f("breaks", breaks("x"), -1, broken)
	f("breaks, small", breaks("x"), 9, broken)
	f("breaks, big", breaks("x"), 1<<20, broken)
	f("short, small", unknown("x"), 9, io.ErrUnexpectedEOF)
	f("short, big", unknown("x"), 1<<20, io.ErrUnexpectedEOF)
	f("long, small", unknown("xy"), 1, nil)
	f("long, big", unknown(strings.Repeat("x", 1<<20)), 1<<20-1, nil)
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// closing notes whether a body was closed.
type closing struct {
	io.Reader
	closed chan bool
}

func (c closing) Close() error { close(c.closed); return nil }

// TestBodyClosed: a RoundTripper closes the request's body, whatever happens.
func TestBodyClosed(t *testing.T) {
	s := serve(t, ok)
	f := func(name, url string, length int64, header string) {
		t.Run(name, func(t *testing.T) {
			body := closing{strings.NewReader("hi"), make(chan bool)}
			req := request(t, t.Context(), "POST", url, body)
			req.ContentLength = length
			req.Header["X"] = []string{header}
			if resp, err := newTransport(t, upstream.Config{}).RoundTrip(req); err == nil {
				_, _ = io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
			}
			await(t, "closing", body.closed)
		})
	}
	f("small", s.URL, 2, "")
	f("unknown length", s.URL, -1, "")
	f("wrong length", s.URL, 3, "")
	f("bad header", s.URL, 2, "a\r\nb: c")
	f("bad scheme", "ftp://h", 2, "")
	f("no server", "http://name.invalid", -1, "")
}

// TestRefusedRequests: what could be understood as another request is not sent, and no value is printed.
func TestRefusedRequests(t *testing.T) {
	s := serve(t, ok)
	f := func(name, want string, change func(r *http.Request)) {
		t.Run(name, func(t *testing.T) {
			req := request(t, t.Context(), "GET", s.URL, nil)
			change(req)
			_, err := newTransport(t, upstream.Config{}).RoundTrip(req)
			if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") || s.accepted.Load() != 0 {
				t.Errorf("got %v", err)
			}
		})
	}
	f("method", "the method", func(r *http.Request) { r.Method = "GET /" })
	f("query", "the URL", func(r *http.Request) { r.URL.RawQuery = "a b" })
	f("host", "the host", func(r *http.Request) { r.Host = "a\r\nb" })
	f("name", "the header", func(r *http.Request) { r.Header["X Y"] = []string{"secret"} })
	f("value", "the header", func(r *http.Request) { r.Header["X"] = []string{"secret\nY: z"} })
	f("scheme", "use http://", func(r *http.Request) { r.URL.Scheme = "unix" })
}

func TestUnknownName(t *testing.T) {
	_, _, err := call(t, newTransport(t, upstream.Config{}), "GET", "http://name.invalid", nil)
	if upstream.KindOf(t.Context(), err) != upstream.Connect || !strings.Contains(err.Error(), "name.invalid") {
		t.Errorf("got %v", err)
	}
}

// TestManyAtOnce: connections are shared and none is lost, also when answers are left unread and requests are given up.
func TestManyAtOnce(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		data, _ := io.ReadAll(r.Body)
		_, _ = w.Write(data)
	}))
	defer server.Close()
	transport := newTransport(t, upstream.Config{MaxIdlePerHost: 8})
	var all sync.WaitGroup
	for worker := range 16 {
		all.Go(func() {
			for n := range 50 {
				ctx, cancel := context.WithCancel(t.Context())
				sent := strings.Repeat(string(rune('a'+worker)), 1+n*4000)
				resp, err := transport.RoundTrip(request(t, ctx, "POST", server.URL, strings.NewReader(sent)))
				if err != nil {
					t.Error(err)
					cancel()
					return
				}
				switch n % 5 {
				case 0:
					cancel()
				case 1:
				default:
					if data, err := io.ReadAll(resp.Body); err != nil || string(data) != sent {
						t.Errorf("%d of %d bytes, %v", len(data), len(sent), err)
					}
				}
				resp.Body.Close()
				cancel()
			}
		})
	}
	all.Wait()
	if open, idle := transport.Connections(); open != idle || idle > 8 {
		t.Errorf("%d open, %d idle", open, idle)
	}
}
