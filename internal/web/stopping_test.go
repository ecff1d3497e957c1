package web_test

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fluidmcp/fluidmcp/internal/web"
)

// client speaks one version of HTTP, without TLS.
func client(t testing.TB, version int) *http.Client {
	t.Helper()
	transport := &http.Transport{Protocols: new(http.Protocols)}
	transport.Protocols.SetHTTP1(version == 1)
	transport.Protocols.SetUnencryptedHTTP2(version == 2)
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: patience}
}

// both runs a test over HTTP/1.1 and over HTTP/2.
func both(t *testing.T, f func(t *testing.T, c *http.Client)) {
	t.Helper()
	for version, name := range map[int]string{1: "HTTP/1.1", 2: "HTTP/2"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f(t, client(t, version))
		})
	}
}

// A server that was asked to stop still answers, on kept and on new connections, and each answer moves its client away.
func TestServeAnswersDuringTheGrace(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, c *http.Client) {
		arrived, finish := make(chan struct{}), make(chan struct{})
		url, stop := serve(t, web.Server{Grace: 2 * time.Second, Drain: patience,
			Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/long" {
					close(arrived)
					<-finish
				}
			})})
		ask := func(path string) (resp *http.Response, reused bool) {
			req, err := http.NewRequestWithContext(httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{
				GotConn: func(info httptrace.GotConnInfo) { reused = info.Reused },
			}), http.MethodPost, url+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			if resp, err = c.Do(req); err != nil {
				t.Errorf("%s: %v", path, err)
				return &http.Response{}, reused
			}
			resp.Body.Close()
			return resp, reused
		}
		expect := func(what, path string, wantReused, wantClose bool) {
			t.Helper()
			resp, reused := ask(path)
			if reused != wantReused || resp.ProtoMajor == 1 && resp.Close != wantClose {
				t.Errorf("%s: on a kept connection %t, want %t; closes it %t, want %t", what, reused, wantReused, resp.Close, wantClose)
			}
		}
		expect("the first", "/", false, false)
		expect("the second", "/", true, false)
		var long sync.WaitGroup
		if c.Transport.(*http.Transport).Protocols.HTTP1() {
			long.Go(func() { expect("one that began before the end", "/long", true, true) })
			<-arrived
			expect("another connection, so that one is kept", "/", false, false)
		}
		result := stop()
		waitUntilStopping(t, url)
		expect("on the kept connection", "/", true, true)
		expect("on a new connection", "/", false, true)
		close(finish)
		long.Wait()
		if err := ended(t, result); err != nil {
			t.Error(err)
		}
	})
}

// waitUntilStopping returns once the server knows that it was asked to stop: its answers say so.
func waitUntilStopping(t *testing.T, url string) {
	t.Helper()
	c := client(t, 1)
	for limit := time.Now().Add(patience); time.Now().Before(limit); {
		resp, err := c.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.Close {
			return
		}
	}
	t.Fatal("the answers of a server that stops do not close their connections")
}

// Servers are replaced one after the other under load, as in a rolling restart. A balancer sends each new connection to one that is
// ready, and learns late of the end of one. No request fails.
func TestRollingRestartFailsNoRequest(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, c *http.Client) {
		type replica struct {
			addr string
			stop func() <-chan error
		}
		start := func() replica {
			url, stop := serve(t, web.Server{Grace: 500 * time.Millisecond, Drain: patience,
				Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) })})
			return replica{strings.TrimPrefix(url, "http://"), stop}
		}
		current := start()
		var target atomic.Value
		target.Store(current.addr)
		dialer := &net.Dialer{}
		c.Transport.(*http.Transport).DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, network, target.Load().(string))
		}
		var clients sync.WaitGroup
		var answered, failed atomic.Int64
		over := make(chan struct{})
		for range 4 {
			clients.Go(func() {
				for {
					select {
					case <-over:
						return
					default:
					}
					resp, err := c.Post("http://gateway/", "text/plain", strings.NewReader("hello"))
					if err != nil {
						failed.Add(1)
						t.Error(err)
						return
					}
					body, err := io.ReadAll(resp.Body)
					resp.Body.Close()
					if err != nil || string(body) != "hello" {
						failed.Add(1)
						t.Errorf("got %q, %v", body, err)
						return
					}
					answered.Add(1)
				}
			})
		}
		for range 4 {
			before := answered.Load()
			for answered.Load() < before+50 && failed.Load() == 0 {
				time.Sleep(time.Millisecond)
			}
			next := start()
			result := current.stop()
			time.Sleep(100 * time.Millisecond) // the balancer does not know yet
			target.Store(next.addr)
			if err := ended(t, result); err != nil {
				t.Error(err)
			}
			current = next
		}
		close(over)
		clients.Wait()
	})
}

// TestBodyReadBesideTheHandler: an upload is sent on by a goroutine of its own while the handler already answers.
func TestBodyReadBesideTheHandler(t *testing.T) {
	t.Parallel()
	front := httptest.NewUnstartedServer(nil)
	front.StartTLS()
	front.Close()
	url, _ := serve(t, web.Server{TLS: &tls.Config{Certificates: front.TLS.Certificates, MinVersion: tls.VersionTLS12}, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		read := make(chan error)
		go func() {
			_, err := io.Copy(io.Discard, r.Body)
			read <- err
		}()
		time.Sleep(10 * time.Millisecond) // so that the race detector sees that nothing orders the two
		_, _ = io.WriteString(w, "early")
		if err := <-read; err != nil {
			t.Error(err)
		}
	})})
	transport := front.Client().Transport.(*http.Transport).Clone() // HTTP/1.1 alone
	transport.ForceAttemptHTTP2 = false
	transport.TLSClientConfig.NextProtos = []string{"http/1.1"}
	defer transport.CloseIdleConnections()
	resp, err := (&http.Client{Transport: transport}).Post(strings.Replace(url, "http:", "https:", 1), "text/plain", strings.NewReader(strings.Repeat("x", 100)))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if got, err := io.ReadAll(resp.Body); string(got) != "early" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}

// HTTP over TLS offers HTTP/2, and a handler that panics costs its own answer alone.
func TestServeTLS(t *testing.T) {
	front := httptest.NewUnstartedServer(nil)
	front.StartTLS()
	defer front.Close()
	url, _ := serve(t, web.Server{TLS: &tls.Config{Certificates: front.TLS.Certificates, MinVersion: tls.VersionTLS12}, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/panic" {
			panic("a defect")
		}
		_, _ = io.WriteString(w, r.Proto)
	})})
	url = strings.Replace(url, "http://", "https://", 1)
	c := front.Client()
	c.Transport.(*http.Transport).ForceAttemptHTTP2 = true
	defer c.CloseIdleConnections()
	if resp, err := c.Get(url + "/panic"); err == nil {
		t.Errorf("a panic was answered with %s", resp.Status)
	}
	resp, err := c.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if proto, _ := io.ReadAll(resp.Body); string(proto) != "HTTP/2.0" {
		t.Errorf("the server speaks %s", proto)
	}
}
