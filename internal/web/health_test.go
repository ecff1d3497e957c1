package web_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/fluidmcp/fluidmcp/internal/web"
)

func TestReady(t *testing.T) {
	var reason error
	h := web.Ready(func() error { return reason })
	f := func(because error, status int, body, retry string) {
		t.Helper()
		reason = because
		rec, _ := logged(t, h, httptest.NewRequest("GET", "/ready", nil))
		if rec.Code != status || !strings.Contains(rec.Body.String(), body) || rec.Header().Get("Retry-After") != retry {
			t.Errorf("got %d %s, Retry-After %q", rec.Code, rec.Body, rec.Header().Get("Retry-After"))
		}
	}
	f(errors.New("still loading"), 503, `"message":"still loading"`, "1")
	f(nil, 200, `{"status":"ready"}`, "")
}

func TestMethodNotAllowed(t *testing.T) {
	rec, _ := logged(t, web.Handler(web.MethodNotAllowed), httptest.NewRequest("PUT", "/x", nil))
	if rec.Code != 405 || !strings.Contains(rec.Body.String(), "PUT is not allowed on /x.") {
		t.Errorf("got %d %s", rec.Code, rec.Body)
	}
}

func TestProbe(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/health" {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	defer http.DefaultClient.CloseIdleConnections()
	f := func(url, want string) {
		t.Helper()
		err := web.Probe(t.Context(), url)
		if (want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("Probe(%s) = %v, want %q", url, err, want)
		}
	}
	f(server.URL+"/health", "")
	f(server.URL+"/ready", "503 Service Unavailable")
	f("::", "probe ::")
	server.Close()
	f(server.URL+"/health", "refused")
}
