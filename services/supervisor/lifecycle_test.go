package supervisor_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
)

func TestModelComesUpIsRestartedAndLeavesNothing(t *testing.T) {
	port := freePort(t)
	s := run(t, quick(), parse(t, `"m": {`+fake(port, "")+`}`))
	feed := s.watch()
	up := find(phase(t, feed, "m", fleet.Ready), "m")
	want := fleet.Backend{ID: "m-0", URL: fmt.Sprintf("http://127.0.0.1:%d", port), Routable: true, Weight: 1}
	if len(up.Backends) != 1 || up.Backends[0] != want || up.ServedName != "fake" {
		t.Errorf("the feed says %+v", up)
	}
	first := s.model("m").Instances[0].PID

	status, _ := s.do(http.MethodPost, "/api/llm/models/m/restart?force=true", "")
	if status != http.StatusAccepted {
		t.Fatalf("restart answered %d", status)
	}
	s.restarted(feed, "m", 1)
	m := s.model("m")
	if m.Instances[0].PID == first {
		t.Errorf("after a restart: pid %d as before", first)
	}
	s.end()
	for _, pid := range []int{first, m.Instances[0].PID} {
		if running(pid) {
			t.Errorf("process %d is left", pid)
		}
	}
}

// TestDeathIsSeenAndMended covers a kill and an exit with code 0, which nobody asked for either.
func TestDeathIsSeenAndMended(t *testing.T) {
	port := freePort(t)
	s := run(t, quick(), parse(t, `"m": {`+fake(port, "")+`}`))
	feed := s.watch()
	phase(t, feed, "m", fleet.Ready)

	if err := syscall.Kill(s.model("m").Instances[0].PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	down := find(phase(t, feed, "m", fleet.Backoff), "m")
	if down.Backends[0].Routable || down.Reason != "Exited" {
		t.Errorf("after the kill the feed says %+v", down)
	}
	phase(t, feed, "m", fleet.Ready)
	m := s.model("m")
	if exit := m.Instances[0].LastExit; m.Restarts != 1 || exit == nil || exit.Signal != "killed" || exit.Code != 137 {
		t.Errorf("after the kill: %+v, last exit %+v", m, exit)
	}

	post(t, fmt.Sprintf("http://127.0.0.1:%d/die", port))
	phase(t, feed, "m", fleet.Backoff)
	if exit := s.model("m").Instances[0].LastExit; exit == nil || exit.Code != 0 || exit.Signal != "" {
		t.Errorf("after the exit: %+v", exit)
	}
}

func TestSickModelIsRestarted(t *testing.T) {
	port := freePort(t)
	s := run(t, quick(), parse(t, `"m": {`+fake(port, "")+`}`))
	feed := s.watch()
	phase(t, feed, "m", fleet.Ready)
	post(t, fmt.Sprintf("http://127.0.0.1:%d/sick", port))
	sick := find(phase(t, feed, "m", fleet.Backoff), "m")
	if sick.Backends[0].Routable || sick.Reason != "LivenessFailed" || !strings.HasPrefix(sick.Message, "health check answered 503") {
		t.Errorf("a sick model is fed as %+v", sick)
	}
	s.restarted(feed, "m", 1)
}

func TestStoppedModelStaysStopped(t *testing.T) {
	s := run(t, quick(), parse(t, `"m": {`+fake(freePort(t), "")+`}`))
	feed := s.watch()
	phase(t, feed, "m", fleet.Ready)
	for range 2 { // stopping what is stopped is no failure
		if status, body := s.do(http.MethodPost, "/api/llm/models/m/stop", ""); status != http.StatusAccepted {
			t.Fatalf("stop: %d %s", status, body)
		}
	}
	phase(t, feed, "m", fleet.Stopped)
	if m := s.model("m"); m.Desired != "stopped" || m.Instances[0].PID != 0 {
		t.Errorf("a stopped model: %+v", m)
	}
	s.do(http.MethodPost, "/api/llm/models/m/start", "")
	phase(t, feed, "m", fleet.Ready)
}

func TestModelThatCannotStart(t *testing.T) {
	port := freePort(t)
	s := run(t, quick(), parse(t,
		`"absent": {"command": "no-such-program", "endpoints": {"base_url": "http://localhost:1/v1"}}`,
		`"never": {"command": "fakevllm", "args": ["--crash"], "restart_policy": "never", "endpoints": {"base_url": "http://localhost:2/v1"}}`,
		`"stuck": {"command": "fakevllm", "args": ["--stuck"], "restart_policy": "never", "timeouts": {"stall": 0.2}, "endpoints": {"base_url": "http://localhost:3/v1"}}`,
		`"other": {"command": "fakevllm", "args": ["--name", "x", "--port", "`+fmt.Sprint(port)+`"], "served_name": "y", "timeouts": {"start": 0.2}, "restart_policy": "never"}`,
	))
	feed := s.watch()
	until(t, feed, "four failures", func(s fleet.Snapshot) bool {
		return !slices.ContainsFunc(s.Models, func(m fleet.Model) bool { return m.Phase != fleet.Failed })
	})
	for id, reason := range map[string]string{"absent": "StartFailed", "never": "Exited", "stuck": "StartStalled", "other": "StartTimeout"} {
		if m := s.model(id); m.Reason != reason || m.Message == "" {
			t.Errorf("%s failed for %s: %s", id, m.Reason, m.Message)
		}
	}
}

func TestReplicasAreOneModel(t *testing.T) {
	first := freePort(t)
	s := run(t, quick(), parse(t, `"m": {`+fake(first, `, "replicas": 2`)+`}`))
	feed := s.watch()
	up := until(t, feed, "two backends", func(s fleet.Snapshot) bool {
		m := find(s, "m")
		return m.Backends[0].Routable && m.Backends[1].Routable
	})
	if m := find(up, "m"); m.Backends[1].ID != "m-1" || m.Backends[1].URL != fmt.Sprintf("http://127.0.0.1:%d", first+1) {
		t.Errorf("second replica: %+v", m.Backends[1])
	}
	if m := s.model("m"); len(m.Instances) != 2 || m.Instances[0].PID == m.Instances[1].PID {
		t.Errorf("instances: %+v", m.Instances)
	}
}
