package upstream_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/fluidmcp/fluidmcp/services/gateway/upstream"
)

func TestRelocate(t *testing.T) {
	f := func(asked, base, path, location, want string) {
		t.Helper()
		b, err := url.Parse(base)
		if err != nil {
			t.Fatal(err)
		}
		in := httptest.NewRequest("POST", asked, nil)
		in.Host = "public.example"
		scheme := "http"
		if in.TLS != nil {
			scheme = "https"
		}
		out := upstream.NewRequest(t.Context(), in, upstream.Target{Base: b, Path: path, Scheme: scheme}, nil)
		h := http.Header{"Location": {location}}
		if upstream.Relocate(h, in, out); h.Get("Location") != want {
			t.Errorf("%s at %s%s: %s became %s, want %s", asked, base, path, location, h.Get("Location"), want)
		}
	}
	const here = "http://public.example"
	f("/ping/", "http://h:1", "/ping/", "http://h:1/ping", here+"/ping")
	f("/v1/x/?a=1", "http://h:1", "/v1/x/", "http://h:1/v1/x?a=1", here+"/v1/x?a=1")
	f("/llm/m/v1/x/", "http://h:1", "/v1/x/", "http://h:1/v1/x", here+"/llm/m/v1/x")
	f("/llm/org%2Fm/v1/x/", "http://h:1", "/v1/x/", "http://h:1/v1/x", here+"/llm/org/m/v1/x")
	f("/llm/v1/x/", "http://h:1", "/v1/x/", "http://h:1/v1/x", here+"/llm/v1/x")
	f("/llm/m/score", "http://h:1", "/v1/score", "http://h:1/v1/score/", here+"/llm/m/score/")
	f("/ping/", "http://h:1/below", "/ping/", "http://h:1/below/ping", here+"/ping")
	f("https://x/ping/", "http://h:1", "/ping/", "http://h:1/ping", "https://public.example/ping")
	f("/ping/", "http://h:1", "/ping/", "http://h:1/a b", here+"/a b")
	f("/v1/a%25b/?x=|", "http://h:1", "/v1/a%b/", "http://h:1/v1/a%b?x=%7C", here+"/v1/a%b?x=%7C")
	f("/v1/%C3%A9%20%7C%2F/", "http://h:1", "/v1/é |//", "http://h:1/v1/%C3%A9%20%7C", here+"/v1/%C3%A9%20%7C")
	// not the backend's own address, or nowhere below the path of its models
	f("/ping/", "http://h:1", "/ping/", "https://login.example/?x", "https://login.example/?x")
	f("/ping/", "http://h:1", "/ping/", "http://h:2/ping", "http://h:2/ping")
	f("/ping/", "http://h:1", "/ping/", "http://h:12/ping", "http://h:12/ping")
	f("/ping/", "http://h:1", "/ping/", "http://h:1@x/ping", "http://h:1@x/ping")
	f("/llm/m/score", "http://h:1", "/v1/score", "http://h:1/else", "http://h:1/else")
	f("/ping/", "http://h:1", "/ping/", "/ping", "/ping")
	f("/ping/", "http://h:1", "/ping/", "%zz", "%zz")
	f("/ping/", "http://h:1", "/ping/", "", "")
}
