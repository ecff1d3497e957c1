package management_test

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"go.uber.org/zap"

	"github.com/fluidmcp/fluidmcp/services/gateway/management"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// door is the way to a supervisor that does as given, as a server. stop asks the gateway to stop.
func door(t *testing.T, token string, supervisor http.HandlerFunc) (url string, stop func()) {
	t.Helper()
	behind := httptest.NewServer(supervisor)
	t.Cleanup(behind.Close)
	stopping, stop := context.WithCancel(t.Context())
	t.Cleanup(stop)
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	h, err := management.New(management.Config{Supervisor: behind.URL, Token: token, Transport: transport,
		Stopping: func() context.Context { return stopping }, Log: zap.NewNop()})
	require.NoError(t, err)
	front := httptest.NewServer(h)
	t.Cleanup(front.Close)
	t.Cleanup(http.DefaultClient.CloseIdleConnections)
	return front.URL, stop
}

func get(t *testing.T, url string, header ...string) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	require.NoError(t, err)
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	t.Cleanup(func() { resp.Body.Close() })
	return resp
}

// TestNoTokenIsNobody: a client's key is not the gateway's word, also where the gateway has none.
func TestNoTokenIsNobody(t *testing.T) {
	for _, token := range []string{"", "fleet"} {
		var got *http.Request
		url, _ := door(t, token, func(_ http.ResponseWriter, r *http.Request) { got = r })
		resp := get(t, url+"/api/llm/status?api_key=client&lines=3", "Authorization", "Bearer client", "X-Forwarded-For", "6.6.6.6")
		require.Equal(t, http.StatusOK, resp.StatusCode)
		want := ""
		if token != "" {
			want = "Bearer " + token
		}
		require.Equal(t, want, got.Header.Get("Authorization"))
		require.Equal(t, "127.0.0.1", got.Header.Get("X-Forwarded-For"))
		require.Equal(t, "lines=3", got.URL.RawQuery)
	}
}

// TestFollowedText: what is followed as text, as logs are, ends with the gateway too, and what is not followed has its time.
func TestFollowedText(t *testing.T) {
	left, finish := make(chan struct{}), make(chan struct{})
	url, stop := door(t, "", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "line\n")
		_ = http.NewResponseController(w).Flush()
		if r.URL.Query().Has("follow") {
			<-r.Context().Done()
			close(left)
			return
		}
		<-finish
		_, _ = io.WriteString(w, "the end\n")
	})
	followed, other := bufio.NewReader(get(t, url+"/api/llm/models/m/logs?follow=true").Body), get(t, url+"/api/llm/models/m/logs").Body
	line, err := followed.ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "line\n", line)
	stop()
	<-left
	_, _ = io.ReadAll(followed) // it ends, in whatever way
	close(finish)
	text, err := io.ReadAll(other)
	require.NoError(t, err)
	require.Equal(t, "line\nthe end\n", string(text))
}

// TestSupervisorBreaksOff: half an answer does not look like a whole one, and one that did not begin is a clear refusal.
func TestSupervisorBreaksOff(t *testing.T) {
	var begin atomic.Bool
	url, _ := door(t, "", func(w http.ResponseWriter, _ *http.Request) {
		if begin.Load() {
			_, _ = io.WriteString(w, "[1,")
			_ = http.NewResponseController(w).Flush()
		}
		panic(http.ErrAbortHandler)
	})
	resp := get(t, url+"/api/llm/models")
	text, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusServiceUnavailable, resp.StatusCode)
	require.Contains(t, string(text), "supervisor_unreachable")
	require.NotContains(t, string(text), "127.0.0.1", "an address behind the gateway is nobody's business")
	begin.Store(true)
	_, err = io.ReadAll(get(t, url+"/api/llm/models").Body)
	require.Error(t, err)
}
