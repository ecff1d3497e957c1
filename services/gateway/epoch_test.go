package gateway_test

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
)

// restart makes the fake supervisor one that has just begun: it has another epoch, counts from the start and has no snapshot yet.
func (s *supervisor) restart(epoch string) {
	s.mu.Lock()
	s.epoch, s.revision, s.last = epoch, 0, nil
	clear(s.watchers) // those that come again tell of themselves
	s.mu.Unlock()
	s.CloseClientConnections()
}

func (s *supervisor) watched() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.watchers) > 0
}

// TestNewEpoch has the supervisor begin anew while a stream runs. What is known stays in force until it has a snapshot; then heartbeats
// of the new epoch tell of the stream that began in the old one, so that nobody ends its server.
func TestNewEpoch(t *testing.T) {
	arrived, finish := make(chan struct{}), make(chan struct{})
	slow := newBackend(t, func(c *exchange) {
		c.write(streamHead, chunk(helloFrame))
		close(arrived)
		<-finish
		c.write(chunk(doneFrame), "0\r\n\r\n")
		c.gone()
	})
	quick := newBackend(t, vllm)
	f := start(t, nil, model("slow", slow.URL), model("m", quick.URL))
	resp := f.open(t.Context(), http.MethodPost, "/llm/slow/chat/completions", chatStream)
	defer resp.Body.Close()
	<-arrived

	f.restart("second")
	await(t, "a feed without a snapshot", f.watched)
	for range 3 {
		require.Equal(t, http.StatusOK, f.post("/llm/m/chat/completions", hello).status)
	}
	revision := f.publish(model("slow", slow.URL), model("m", quick.URL))
	require.EqualValues(t, 1, revision)
	f.awaitBeat(t, "the new epoch and the old stream", func(hb fleet.Heartbeat) bool {
		return hb.Epoch == "second" && hb.Revision == 1 && hb.Inflight["slow-0"] == 1
	})
	close(finish)
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.True(t, strings.HasSuffix(string(body), doneFrame), "the stream ended as %q", body)
	f.awaitBeat(t, "nothing in flight", func(hb fleet.Heartbeat) bool { return hb.Epoch == "second" && hb.Inflight["slow-0"] == 0 })
}

// TestFollowedEvents reads the management API as it comes, with the header of a client that comes back.
func TestFollowedEvents(t *testing.T) {
	f := start(t, nil)
	follow := func(ctx context.Context) (*http.Response, *bufio.Reader) {
		resp := f.open(ctx, http.MethodGet, "/api/llm/events?follow=true", "", "Last-Event-ID", "42")
		t.Cleanup(func() { resp.Body.Close() })
		in := bufio.NewReader(resp.Body)
		for _, want := range []string{"id: 7\n", "data: 42\n"} { // long before the end
			line, err := in.ReadString('\n')
			require.NoError(t, err)
			require.Equal(t, want, line)
		}
		return resp, in
	}
	ctx, leave := context.WithCancel(t.Context())
	follow(ctx)
	leave()
	<-f.left

	_, in := follow(t.Context())
	require.NoError(t, f.stop(), "nobody waits for a stream that has no end")
	rest, err := io.ReadAll(in)
	require.NoError(t, err)
	require.Equal(t, "\n", string(rest))
	<-f.left
}
