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
