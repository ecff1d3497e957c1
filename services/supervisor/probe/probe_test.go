package probe_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/fluidmcp/fluidmcp/services/supervisor/probe"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// server answers the two paths of a probe.
type server struct {
	health, models int
	body           string
	key            string
}

func (s server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/health":
		w.WriteHeader(s.health)
	case "/v1/models":
		if s.key != "" && r.Header.Get("Authorization") != "Bearer "+s.key {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		w.WriteHeader(s.models)
		fmt.Fprint(w, s.body)
	default:
		w.WriteHeader(http.StatusTeapot)
	}
}

const list = `{"object": "list", "data": [{"id": "a"}, {"id": "b"}]}`

func TestVerdicts(t *testing.T) {
	f := func(s server, name, key string, alive, ready string) {
		t.Helper()
		srv := httptest.NewServer(s)
		defer srv.Close()
		target := probe.Target{URL: srv.URL, Name: name, Key: key, Client: probe.NewClient()}
		for what, pair := range map[string]struct {
			err  error
			want string
		}{
			"alive": {target.Alive(t.Context()).Err, alive},
			"ready": {target.Ready(t.Context()).Err, ready},
		} {
			if pair.want == "" && pair.err != nil || pair.want != "" && (pair.err == nil || !strings.Contains(pair.err.Error(), pair.want)) {
				t.Errorf("%+v: %s: %v, want %q", s, what, pair.err, pair.want)
			}
		}
	}
	f(server{health: 200, models: 200, body: list}, "b", "", "", "")
	f(server{health: 200, models: 500}, "", "", "", "") // a name that is not known is not looked for
	f(server{health: 200, models: 200, body: list}, "c", "", "", `does not serve "c" but a, b`)
	f(server{health: 200, models: 500}, "b", "", "", "list of models answered 500")
	f(server{health: 200, models: 200, body: "hello"}, "b", "", "", "decode list of models")
	f(server{health: 503, models: 200, body: list}, "b", "", "answered 503 Service Unavailable", "answered 503")
	f(server{health: 302, models: 200, body: list}, "b", "", "answered 302", "answered 302")
	f(server{health: 200, models: 200, body: list, key: "k"}, "a", "k", "", "")
	f(server{health: 200, models: 200, body: list, key: "k"}, "a", "wrong", "", "answered 401")
	// servers of other makers
	f(server{health: 404, models: 200, body: list}, "a", "", "", "")
	f(server{health: 404, models: 200, body: list, key: "k"}, "", "", "answered 401", "answered 401")
}

func TestNobodyThere(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	url := "http://" + ln.Addr().String()
	_ = ln.Close()
	result := probe.Target{URL: url, Client: probe.NewClient()}.Alive(t.Context())
	if result.Err == nil || result.Err.Error() != "connection refused" || result.Status != 0 {
		t.Errorf("%+v", result)
	}
	result = probe.Target{URL: "http://no-such-host.invalid", Client: probe.NewClient()}.Alive(t.Context())
	if result.Err == nil || !strings.HasPrefix(result.Err.Error(), "look up no-such-host.invalid") {
		t.Errorf("%+v", result)
	}
}

func TestConnectionThatSaysNothing(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	defer srv.Close()
	result := probe.Target{URL: srv.URL, Client: probe.NewClient()}.Alive(t.Context())
	if result.Err == nil || result.Err.Error() != "connection closed without an answer" {
		t.Errorf("%+v", result)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if result := (probe.Target{URL: srv.URL, Client: probe.NewClient()}).Ready(ctx); result.Err == nil {
		t.Error("a probe that was given up went well")
	}
}

// TestRedirectIsNotFollowed: another server that is well says nothing of this one, and gets nobody's key.
func TestRedirectIsNotFollowed(t *testing.T) {
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { t.Errorf("somebody else was asked for %s", r.URL) }))
	defer other.Close()
	srv := httptest.NewServer(http.RedirectHandler(other.URL, http.StatusFound))
	defer srv.Close()
	result := probe.Target{URL: srv.URL, Key: "k", Client: probe.NewClient()}.Alive(t.Context())
	if result.Status != http.StatusFound || result.Err == nil {
		t.Errorf("%+v", result)
	}
}
