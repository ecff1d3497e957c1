package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// restarting is a gateway whose model tells, one after the other, how its restart goes on.
func restarting(t *testing.T, query string, rollouts ...string) *httptest.Server {
	t.Helper()
	next := 0
	gateway := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		want := "GET /api/llm/models/org%2Fm"
		if next == 0 {
			want = "POST /api/llm/models/org%2Fm/restart" + query
		}
		if got := r.Method + " " + r.URL.RequestURI(); got != want {
			t.Errorf("request %d is %s, want %s", next, got, want)
		}
		if strings.HasPrefix(rollouts[next], `{"error"`) {
			w.WriteHeader(http.StatusConflict)
			_, _ = w.Write([]byte(rollouts[next]))
			return
		}
		_, _ = w.Write([]byte(`{"id":"org/m","rollout":` + rollouts[next] + `}`))
		next++
	}))
	t.Cleanup(func() {
		gateway.Close()
		http.DefaultClient.CloseIdleConnections()
	})
	return gateway
}

func TestRestartShowsHowItGoesOn(t *testing.T) {
	const begun, first, second = `{"state":"rolling","done":0,"total":2,"message":""}`, `{"state":"rolling","done":0,"total":2,"message":"replaces m-0"}`,
		`{"state":"rolling","done":1,"total":2,"message":"replaces m-1"}`
	f := func(wantCode int, want, query string, args []string, rollouts ...string) {
		t.Helper()
		gateway := restarting(t, query, rollouts...)
		code, out, failed := fluidmcp(t, append([]string{"restart", "org/m", "--url", gateway.URL}, args...)...)
		if code != wantCode || out+failed != want {
			t.Errorf("exit %d, %q, want %d and %q", code, out+failed, wantCode, want)
		}
	}
	f(0, "org/m: 0 of 2 restarted; replaces m-0\norg/m: 1 of 2 restarted; replaces m-1\norg/m: 2 of 2 restarted\n", "", nil,
		begun, first, first, second, `{"state":"done","done":2,"total":2,"message":""}`)
	f(0, "org/m: 2 of 2 restarted\n", "?force=true", []string{"--force"}, `{"state":"done","done":2,"total":2,"message":""}`)
	f(1, "org/m: 0 of 2 restarted; replaces m-0\nfluidmcp: the restart of org/m has ended after 0 of 2 (failed): m-0 does not come back\n", "", nil,
		first, `{"state":"failed","done":0,"total":2,"message":"m-0 does not come back"}`)
	f(0, `{"id":"org/m","rollout":{"state":"done","done":2}}`, "", []string{"--json"}, first, `{"state":"done","done":2}`)
	f(1, `{"id":"org/m","rollout":{"state":"failed","done":1}}`+"fluidmcp: the restart of org/m has ended after 1 of 0 (failed): \n", "", []string{"--json"}, `{"state":"failed","done":1}`)
	f(1, "fluidmcp: It would answer 503: --force\n", "", nil, `{"error":{"message":"It would answer 503: --force"}}`)
}
