package upstream_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fluidmcp/fluidmcp/services/gateway/upstream"
)

// TestRequestHeaders: what a backend gets of a client's headers, and what of the gateway's own.
func TestRequestHeaders(t *testing.T) {
	got := make(chan *http.Request, 1)
	s := serve(t, func(p *peer) {
		req, body := p.request()
		if body != "{}" {
			t.Errorf("the body is %q", body)
		}
		got <- req
		p.say(plain)
	})
	base, err := url.Parse(s.URL + "/below/")
	if err != nil {
		t.Fatal(err)
	}
	in := httptest.NewRequest("POST", "http://front.example/x?a=b", nil)
	in.RemoteAddr = "192.0.2.7:4711"
	in.Header = http.Header{
		"Content-Type": {"application/json"}, "User-Agent": {"client/1"}, "X-Many": {"1", "2"}, "Traceparent": {"00-1-2-01"},
		"Connection": {"close, X-Named", "authorization"}, "X-Named": {"1"},
		"Authorization": {"Bearer client"}, "Proxy-Authorization": {"Basic x"}, "X-Api-Key": {"client"}, "Api-Key": {"client"}, "Cookie": {"a=b"},
		"Te": {"trailers"}, "Trailer": {"X"}, "Upgrade": {"h2c"}, "Http2-Settings": {"x"}, "Keep-Alive": {"timeout=5"}, "Proxy-Connection": {"x"},
		"Proxy-Authenticate": {"x"}, "Expect": {"100-continue"}, "Accept-Encoding": {"gzip"}, "Transfer-Encoding": {"chunked"}, "Content-Length": {"99"},
		"Forwarded": {"for=x"}, "X-Forwarded-For": {"6.6.6.6"}, "X-Forwarded-Host": {"evil"}, "X-Forwarded-Proto": {"gopher"},
	}
	before := in.Header.Clone()
	out := upstream.NewRequest(t.Context(), in, upstream.Target{Base: base, Path: "/v1/x y", APIKey: "backend", Scheme: "http"}, []byte("{}"))
	resp, err := newTransport(t, upstream.Config{}).Forward(out)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
	req := await(t, "the request", got)
	if req.RequestURI != "/below/v1/x%20y?a=b" || "http://"+req.Host != s.URL || req.Method != "POST" {
		t.Errorf("%s %s at %s", req.Method, req.RequestURI, req.Host)
	}
	want := http.Header{
		"Content-Type": {"application/json"}, "User-Agent": {"client/1"}, "X-Many": {"1", "2"}, "Traceparent": {"00-1-2-01"},
		"Authorization": {"Bearer backend"}, "Content-Length": {"2"},
		"X-Forwarded-For": {"192.0.2.7"}, "X-Forwarded-Host": {"front.example"}, "X-Forwarded-Proto": {"http"},
	}
	if diff := cmp.Diff(want, req.Header); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if diff := cmp.Diff(before, in.Header); diff != "" {
		t.Errorf("the client's request was changed:\n%s", diff)
	}
}

// TestRequestAgain: a request that NewRequest made can be sent twice, whatever its size.
func TestRequestAgain(t *testing.T) {
	f := func(size int) {
		t.Helper()
		s := serve(t, func(p *peer) {
			for n := 0; ; n++ {
				req, body := p.request()
				if req == nil || p.n == 0 && n == 1 {
					return
				}
				if len(body) != size {
					t.Errorf("%d bytes came, want %d", len(body), size)
				}
				p.say(plain)
			}
		})
		base, err := url.Parse(s.URL)
		if err != nil {
			t.Fatal(err)
		}
		transport := newTransport(t, upstream.Config{})
		for range 2 {
			in := httptest.NewRequest("POST", "/", nil)
			out := upstream.NewRequest(t.Context(), in, upstream.Target{Base: base, Path: "/"}, []byte(strings.Repeat("x", size)))
			resp, err := transport.Forward(out)
			if err != nil {
				t.Fatalf("%d bytes: %v", size, err)
			}
			_, _ = io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
		}
		if n := s.accepted.Load(); n != 2 {
			t.Errorf("%d connections", n)
		}
	}
	f(0)
	f(2)
	f(1 << 20)
}
