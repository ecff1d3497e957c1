package upstream_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fluidmcp/fluidmcp/services/gateway/upstream"
)

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
	f("write", strings.NewReader(strings.Repeat("x", 16<<20)), func(p *peer) { p.head() })
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

// TestCancelBefore: nothing is connected or sent for a request that is over.
func TestCancelBefore(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("why")
	cancel(why)
	s := serve(t, ok)
	transport := newTransport(t, upstream.Config{})
	for kept := range 2 {
		_, err := transport.RoundTrip(request(t, ctx, "GET", s.URL, nil))
		if _, idle := transport.Connections(); err != why || idle != kept || int(s.accepted.Load()) != kept {
			t.Errorf("%v with %d kept connections, %d before", err, idle, kept)
		}
		mustCall(t, transport, s.URL, nil)
	}
}

// TestCancelAfterwards: an answer that has come is whole, but its connection was closed.
func TestCancelAfterwards(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	gone := make(chan bool, 1)
	s := serve(t, func(p *peer) { p.request(); p.say(plain); p.gone(); gone <- true })
	transport := newTransport(t, upstream.Config{})
	resp, err := transport.RoundTrip(request(t, ctx, "GET", s.URL, nil))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	cancel()
	await(t, "the end of the connection", gone)
	data, err := io.ReadAll(resp.Body)
	if open, _ := transport.Connections(); string(data) != "hi" || err != nil || open != 0 {
		t.Errorf("%q, %v, %d connections are open", data, err, open)
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
		ctx, patience := new(upstream.Watches).WithPatience(t.Context(), 2*time.Second, 0)
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
