package web_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

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

// inTime is both for what has to happen within a time of the server's. On a busy machine that may be too short, so it is tried again
// with twice the time, and fails when even a minute is too short.
func inTime(t *testing.T, first time.Duration, try func(t *testing.T, c *http.Client, limit time.Duration) error) {
	t.Helper()
	both(t, func(t *testing.T, c *http.Client) {
		var err error
		for limit := first; limit < patience; limit *= 2 {
			if err = try(t, c, limit); err == nil {
				return
			}
		}
		t.Error(err)
	})
}

// A server that was asked to stop still answers, on kept and on new connections, and each answer moves its client away.
func TestServeAnswersDuringTheGrace(t *testing.T) {
	t.Parallel()
	inTime(t, time.Second, func(t *testing.T, c *http.Client, grace time.Duration) error {
		arrived, finish := make(chan struct{}), make(chan struct{})
		url, stop := serve(t, web.Server{Grace: grace, Drain: patience,
			Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/long" {
					close(arrived)
					<-finish
				}
			})})
		expect := func(what, path string, wantReused, wantClose bool) error {
			var reused bool
			req, err := http.NewRequestWithContext(httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{
				GotConn: func(info httptrace.GotConnInfo) { reused = info.Reused },
			}), http.MethodPost, url+path, nil)
			if err != nil {
				return err
			}
			resp, err := c.Do(req)
			if err != nil {
				return fmt.Errorf("%s: %w", what, err)
			}
			resp.Body.Close()
			if reused != wantReused || resp.ProtoMajor == 1 && resp.Close != wantClose {
				return fmt.Errorf("%s: on a kept connection %t, want %t; closes it %t, want %t", what, reused, wantReused, resp.Close, wantClose)
			}
			return nil
		}
		errs := []error{expect("the first", "/", false, false), expect("the second", "/", true, false)}
		var long errgroup.Group
		if c.Transport.(*http.Transport).Protocols.HTTP1() {
			long.Go(func() error { return expect("one that began before the end", "/long", true, true) })
			<-arrived
			errs = append(errs, expect("another connection, so that one is kept", "/", false, false))
		}
		result := stop()
		errs = append(errs, waitUntilStopping(t, url),
			expect("on the kept connection", "/", true, true),
			expect("on a new connection", "/", false, true))
		close(finish)
		return errors.Join(append(errs, long.Wait(), ended(t, result))...)
	})
}

// waitUntilStopping returns once the server knows that it was asked to stop: its answers say so.
func waitUntilStopping(t *testing.T, url string) error {
	t.Helper()
	c := client(t, 1)
	for limit := time.Now().Add(patience); time.Now().Before(limit); {
		resp, err := c.Get(url)
		if err != nil {
			return err
		}
		resp.Body.Close()
		if resp.Close {
			return nil
		}
	}
	return errors.New("the answers of a server that stops do not close their connections")
}

// Servers are replaced one after the other under load, as in a rolling restart. A balancer sends each new connection to one that is
// ready, and learns late of the end of one. No request fails.
func TestRollingRestartFailsNoRequest(t *testing.T) {
	t.Parallel()
	inTime(t, 500*time.Millisecond, func(t *testing.T, c *http.Client, grace time.Duration) error {
		type replica struct {
			addr string
			stop func() <-chan error
		}
		start := func() replica {
			url, stop := serve(t, web.Server{Grace: grace, Drain: patience,
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
		ask := func() error {
			resp, err := c.Post("http://gateway/", "text/plain", strings.NewReader("hello"))
			if err != nil {
				return err
			}
			defer resp.Body.Close()
			if body, err := io.ReadAll(resp.Body); err != nil || string(body) != "hello" {
				return fmt.Errorf("got %q, %v", body, err)
			}
			return nil
		}
		var clients errgroup.Group
		var answered atomic.Int64
		var over atomic.Bool
		for range 4 {
			clients.Go(func() error {
				for !over.Load() {
					if err := ask(); err != nil {
						over.Store(true)
						return err
					}
					answered.Add(1)
				}
				return nil
			})
		}
		var ends []error
		for range 4 {
			before := answered.Load()
			for answered.Load() < before+50 && !over.Load() {
				time.Sleep(time.Millisecond)
			}
			next := start()
			result := current.stop()
			time.Sleep(100 * time.Millisecond) // the balancer does not know yet
			target.Store(next.addr)
			ends = append(ends, ended(t, result))
			current = next
		}
		over.Store(true)
		return errors.Join(append(ends, clients.Wait())...)
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
