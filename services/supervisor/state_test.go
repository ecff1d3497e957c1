package supervisor_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
	"github.com/fluidmcp/fluidmcp/services/supervisor"
)

// TestStateFolderIsNotShared has a second supervisor on the folder of one that runs.
func TestStateFolderIsNotShared(t *testing.T) {
	cfg := quick()
	cfg.StateDir = t.TempDir() + "/state"
	models := parse(t, external(partner(t)))
	s := run(t, cfg, models)
	_, err := supervisor.New(cfg, supervisor.Deps{Models: models})
	require.ErrorContains(t, err, fmt.Sprintf("SUPERVISOR_STATE_DIR: the state folder %s is in use by the process with pid %d", cfg.StateDir, os.Getpid()))

	s.end()
	run(t, cfg, models)
}

// TestStateFolderIsGivenBack has a supervisor that cannot begin.
func TestStateFolderIsGivenBack(t *testing.T) {
	cfg := quick()
	cfg.StateDir = t.TempDir()
	_, err := supervisor.New(cfg, supervisor.Deps{Models: parse(t, `"a": {"deployment": {"name": "x"}, "endpoints": {"base_url": "http://h"}}`)})
	require.ErrorContains(t, err, "not available")
	run(t, cfg, parse(t, external(partner(t))))
}

// TestModelThatWasGoneMeanwhile: what people said of it went with it, though no supervisor was there to see it go.
func TestModelThatWasGoneMeanwhile(t *testing.T) {
	cfg := quick()
	cfg.StateDir = t.TempDir()
	other := external(partner(t))
	both := parse(t, `"m": {`+fake(freePort(t), "")+`}`, other)
	s := run(t, cfg, both)
	feed := s.watch()
	phase(t, feed, "m", fleet.Ready)
	s.do(http.MethodPost, "/api/llm/models/m/stop", "")
	phase(t, feed, "m", fleet.Stopped)
	s.end()
	run(t, cfg, parse(t, other)).end()

	s = run(t, cfg, both)
	phase(t, s.watch(), "m", fleet.Ready)
}

// TestFirstSnapshotIsTrue starts a supervisor whose external server takes its time to say how it is. There is no snapshot before that: a
// gateway that came with an older one would drop a server that answers.
func TestFirstSnapshotIsTrue(t *testing.T) {
	asked, answer := make(chan struct{}, 100), make(chan struct{})
	slow := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		asked <- struct{}{}
		<-answer
	}))
	t.Cleanup(slow.Close)
	cfg := quick()
	cfg.StateDir = t.TempDir()
	models := parse(t, `"far": {"endpoints": {"base_url": "`+slow.URL+`"}}`, `"halted": {`+fake(freePort(t), "")+`}`)
	early := func(s *stack, feed <-chan fleet.Snapshot) bool {
		for _, path := range []string{"/v1/fleet", "/ready"} {
			if status, _ := s.do(http.MethodGet, path, ""); status != http.StatusServiceUnavailable {
				return false
			}
		}
		return len(feed) == 0
	}
	begin := func() (*stack, <-chan fleet.Snapshot) {
		t.Helper()
		for range 5 { // the server has two seconds, in which a busy machine may not come to look
			for len(asked) > 0 {
				<-asked
			}
			s := run(t, cfg, models)
			feed := s.watch()
			<-asked
			if early(s, feed) {
				return s, feed
			}
			s.end()
		}
		t.Fatal("there is a snapshot before anybody knows how the server is")
		return nil, nil
	}
	s, feed := begin()
	close(answer)
	until(t, feed, "both ready", func(s fleet.Snapshot) bool {
		return find(s, "far").Phase == fleet.Ready && find(s, "halted").Phase == fleet.Ready
	})
	s.do(http.MethodPost, "/api/llm/models/halted/stop", "")
	phase(t, feed, "halted", fleet.Stopped)
	s.end()

	answer = make(chan struct{})
	_, feed = begin()
	close(answer)
	first := <-feed
	require.Equal(t, fleet.Ready, find(first, "far").Phase)
	require.True(t, find(first, "far").Backends[0].Routable)
	require.Equal(t, fleet.Stopped, find(first, "halted").Phase)
}
