package supervisor_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
)

// TestCrashLoopOutlivesSupervisors has a supervisor that is itself restarted again and again. A model that crashes gets no new tries from
// each of them, and none at all once it was given up, until somebody starts it or it is something else.
func TestCrashLoopOutlivesSupervisors(t *testing.T) {
	cfg := quick()
	cfg.StateDir = t.TempDir()
	port := freePort(t)
	crashing := parse(t, `"m": {`+fakeWith(port, `"--crash"`, "")+`}`)
	for range 4 {
		s := run(t, cfg, crashing)
		phase(t, s.watch(), "m", fleet.Backoff)
		s.end()
	}
	s := run(t, cfg, crashing)
	require.Equal(t, "CrashLoop", find(phase(t, s.watch(), "m", fleet.Failed), "m").Reason)
	s.end()

	s = run(t, cfg, crashing)
	m := find(<-s.watch(), "m")
	require.Equal(t, fleet.Failed, m.Phase)
	require.Contains(t, m.Message, "the supervisor before this one gave it up: 5 failures in 10m0s, the last: ")
	require.Equal(t, 5, s.listen("models/m/events?follow=true", "").until(">failed CrashLoop").Attempt, "it was not tried")
	before := s.model("m").Instances[0].Since
	s.end()
	s = run(t, cfg, crashing)
	feed := s.watch()
	require.Equal(t, fleet.Failed, find(<-feed, "m").Phase)
	require.True(t, before.Equal(s.model("m").Instances[0].Since), "as long as it was given up")

	status, body := s.do(http.MethodPost, "/api/llm/models/m/start", "")
	require.Equal(t, http.StatusAccepted, status, body)
	phase(t, feed, "m", fleet.Backoff) // for the first time again
	s.end()

	s = run(t, cfg, parse(t, `"m": {`+fake(port, "")+`}`)) // the file was mended meanwhile
	phase(t, s.watch(), "m", fleet.Ready)
	s.end()
	s = run(t, cfg, crashing) // what failed with this command is forgotten
	phase(t, s.watch(), "m", fleet.Backoff)
}

// TestPermanentFailureOutlivesSupervisor is about a failure that another try does not mend, and what does.
func TestPermanentFailureOutlivesSupervisor(t *testing.T) {
	cfg := quick()
	cfg.StateDir = t.TempDir()
	models := parse(t, fmt.Sprintf(`"m": {"command": "no-such-program", "endpoints": {"base_url": "http://localhost:%d/v1"}}`, freePort(t)))
	s := run(t, cfg, models)
	phase(t, s.watch(), "m", fleet.Failed)
	s.end()

	s = run(t, cfg, models)
	m := find(<-s.watch(), "m")
	require.Equal(t, fleet.Failed, m.Phase)
	require.Equal(t, "StartFailed", m.Reason)
	require.Equal(t, 1, s.listen("models/m/events?follow=true", "").until(">failed StartFailed").Attempt)
	s.end()

	t.Setenv("VIRTUAL_ENV", "/where/the/program/is") // which servers inherit
	s = run(t, cfg, models)
	phase(t, s.watch(), "m", fleet.Failed)
	events := s.listen("models/m/events?follow=true", "")
	events.until(">starting SupervisorRestarted")
	require.Equal(t, 2, events.until("starting>failed StartFailed").Attempt)
}

// TestFailuresOfWhatIsGoneAreForgotten: a replica that was given up is taken out, and one that comes in its place is well.
func TestFailuresOfWhatIsGoneAreForgotten(t *testing.T) {
	cfg := quick()
	cfg.StateDir = t.TempDir()
	port, once := freePort(t), t.TempDir()
	mark := filepath.Join(once, fmt.Sprint(port+1)) // the second one's, which has been there before
	require.NoError(t, os.Mkdir(mark, 0o700))
	entry := func(replicas int) string {
		return `"m": {` + fakeWith(port, fmt.Sprintf(`"--once", %q`, once), fmt.Sprintf(`, "replicas": %d, "restart_policy": "never"`, replicas)) + `}`
	}
	l := live(t, cfg, entry(2))
	eventually(t, "the second has failed", func() bool { return l.model("m").Instances[1].Phase == fleet.Failed })
	l.apply(entry(1))
	eventually(t, "it is gone", func() bool { return len(l.model("m").Instances) == 1 })
	require.NoError(t, os.Remove(mark))
	l.apply(entry(2))
	l.until("both", "m", routable(2))
	l.end()

	for _, n := range []int{port, port + 1} {
		require.NoError(t, os.Remove(filepath.Join(once, fmt.Sprint(n))))
	}
	again := live(t, cfg, entry(2))
	again.until("both again", "m", routable(2))
}

// TestOneMoreServerLeavesNothingBehind: the extra one of a restart fails, and nobody has to remember that.
func TestOneMoreServerLeavesNothingBehind(t *testing.T) {
	cfg := quick()
	cfg.StateDir = t.TempDir()
	port, once := freePort(t), t.TempDir()
	for n := range 100 { // of ports that the extra one may get, so that it finds that it has been there
		require.NoError(t, os.Mkdir(filepath.Join(once, fmt.Sprint(port+1+n)), 0o700))
	}
	s := run(t, cfg, parse(t, `"m": {`+fakeWith(port, fmt.Sprintf(`"--once", %q`, once), `, "rollout": {"surge": true}`)+`}`))
	phase(t, s.watch(), "m", fleet.Ready)
	s.post("/api/llm/models/m/restart", http.StatusAccepted)
	eventually(t, "the restart has failed", func() bool { return s.model("m").Rollout.State == "failed" })
	s.end()
	text, err := os.ReadFile(filepath.Join(cfg.StateDir, "desired.json"))
	require.NoError(t, err)
	require.JSONEq(t, `{"models": {"m": {"starts": {"m-0": 1}}}}`, string(text))
}
