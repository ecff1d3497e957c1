package upstream_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fluidmcp/fluidmcp/services/gateway/upstream"
	"github.com/fluidmcp/fluidmcp/services/gateway/upstream/pool"
)

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
	for try := range 5 { // a connection is kept unless the machine tells late that the body was sent
		if _, data, err := call(t, transport, "POST", server.URL, unknown("hi")); err != nil || data != "HTTP/1.1 http/1.1 hi" {
			t.Errorf("%q, %v", data, err)
		}
		if _, idle := transport.Connections(); try > 0 && idle > 0 {
			break
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

// TestNoTLS: the server speaks something else, and is left at once.
func TestNoTLS(t *testing.T) {
	gone := make(chan bool, 1)
	s := serve(t, func(p *peer) { p.say(plain); p.gone(); gone <- true })
	_, _, err := call(t, newTransport(t, upstream.Config{}), "GET", strings.Replace(s.URL, "http", "https", 1), nil)
	if upstream.KindOf(t.Context(), err) != upstream.Connect {
		t.Errorf("got %v", err)
	}
	await(t, "the end of the connection", gone)
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
	for worker := range 8 {
		all.Go(func() {
			for n := range 25 {
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
