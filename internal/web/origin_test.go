package web_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/fluidmcp/fluidmcp/internal/web"
)

func TestSameOrigin(t *testing.T) {
	guarded := web.SameOrigin(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	f := func(method, header, value string, want int) {
		t.Helper()
		r := httptest.NewRequest(method, "http://here.example/stop", nil)
		if header != "" {
			r.Header.Set(header, value)
		}
		w := httptest.NewRecorder()
		guarded.ServeHTTP(w, r)
		if w.Code != want || (want != http.StatusOK && !strings.Contains(w.Body.String(), `"code":"cross_origin"`)) {
			t.Errorf("%s with %s %q: %d %s, want %d", method, header, value, w.Code, w.Body, want)
		}
	}
	f("POST", "", "", http.StatusOK)
	f("POST", "Sec-Fetch-Site", "same-origin", http.StatusOK)
	f("POST", "Sec-Fetch-Site", "cross-site", http.StatusForbidden)
	f("POST", "Origin", "http://elsewhere.example", http.StatusForbidden)
	f("POST", "Origin", "http://here.example", http.StatusOK)
	f("GET", "Sec-Fetch-Site", "cross-site", http.StatusOK)
}

func TestOwnHost(t *testing.T) {
	for _, host := range []string{"", "localhost", "LOCALHOST:8099", "app.localhost:1", "127.0.0.1:8099", "[::1]:8099", "[::1]", "192.0.2.7"} {
		if err := web.OwnHost(&http.Request{Host: host}); err != nil {
			t.Errorf("%q: %v", host, err)
		}
	}
	for _, host := range []string{"evil.example", "evil.example:8099", "localhost.evil.example", "127.0.0.1.evil.example:80", "notlocalhost", "[::1].evil.example"} {
		if err := web.OwnHost(&http.Request{Host: host}); err == nil || !strings.Contains(err.Error(), "Call it as localhost") {
			t.Errorf("%q: %v", host, err)
		}
	}
}
