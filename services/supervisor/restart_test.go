package supervisor_test

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
	"github.com/fluidmcp/fluidmcp/services/supervisor/report"
)

// rolled waits until the model's rollout has ended, and returns it. Each snapshot up to then has to have that many servers for new
// requests.
func (s *stack) rolled(feed <-chan fleet.Snapshot, id string, least int) report.Rollout {
	s.t.Helper()
	check := func(now fleet.Snapshot) {
		if n := serving(now, id); n < least {
			s.t.Errorf("revision %d has %d servers for new requests, want at least %d", now.Revision, n, least)
		}
	}
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		if r := s.model(id).Rollout; r != nil && r.State != "rolling" {
			for len(feed) > 0 {
				check(<-feed)
			}
			return *r
		}
		select {
		case now := <-feed:
			check(now)
		case <-time.After(10 * time.Millisecond): // the last change is seen before the rollout has drawn its conclusion
		}
	}
	s.t.Fatalf("the rollout did not end: %+v", s.model(id).Rollout)
	return report.Rollout{}
}

func serving(now fleet.Snapshot, id string) int {
	n := 0
	for _, b := range find(now, id).Backends {
		if b.Routable {
			n++
		}
	}
	return n
}

// ready waits until n servers of the model take requests.
func ready(t *testing.T, feed <-chan fleet.Snapshot, id string, n int) fleet.Snapshot {
	t.Helper()
	return until(t, feed, fmt.Sprintf("%d servers of %s", n, id), func(now fleet.Snapshot) bool { return serving(now, id) == n })
}

func (s *stack) post(path string, status int, want ...string) {
	s.t.Helper()
	got, body := s.do(http.MethodPost, path, "")
	for _, w := range want {
		if !strings.Contains(body, w) {
			s.t.Errorf("%s lacks %s: %s", path, w, body)
		}
	}
	if got != status {
		s.t.Fatalf("%s: %d, want %d: %s", path, got, status, body)
	}
}

// TestRestartTakesOneAtATime, and none before every gateway knows and has nothing in flight there.
func TestRestartTakesOneAtATime(t *testing.T) {
	s := run(t, quick(), parse(t, `"m": {`+fake(freePort(t), `, "replicas": 2`)+`}`))
	feed := s.watch()
	up := ready(t, feed, "m", 2)
	before := s.model("m").Instances
	g := s.gateway("g")
	g.beat(up, 1)

	s.post("/api/llm/models/m/restart", http.StatusAccepted, `"rollout":{"state":"rolling","reason":"Requested","done":0,"total":2,`)
	down := until(t, feed, "one that drains", func(now fleet.Snapshot) bool { return serving(now, "m") == 1 })
	s.post("/api/llm/models/m/restart", http.StatusAccepted) // it goes on
	for range 5 {
		m := s.model("m")
		if m.Instances[0].Phase != fleet.Draining || m.Instances[0].PID != before[0].PID || m.Instances[1].Phase != fleet.Ready {
			t.Fatalf("it did not wait for its gateway: %+v", m)
		}
	}
	g.beat(down, 0)
	g.leave()
	if end := s.rolled(feed, "m", 1); end.State != "done" || end.Done != 2 || end.Total != 2 || end.Ended == nil {
		t.Errorf("%+v", end)
	}
	for n, i := range s.model("m").Instances {
		if i.Phase != fleet.Ready || i.Restarts != 1 || i.PID == before[n].PID {
			t.Errorf("%+v", i)
		}
	}
	eventually(t, "an event of the end", func() bool { // which comes after the status that tells of it
		events := s.happened("models/m/events")
		last := events[len(events)-1]
		return brief(last) == "> RolloutDone" && last.Message == "2 of 2 servers are new ones"
	})
	_, body := s.do("GET", "/metrics", "")
	for _, want := range []string{`{model="m",outcome="done"} 1`, `{model="m",outcome="failed"} 0`, `{model="m",outcome="canceled"} 0`} {
		if !strings.Contains(body, "fluidmcp_model_rollouts_total"+want+"\n") {
			t.Errorf("no line %s", want)
		}
	}
}

// TestRestartThatWouldInterrupt says so, unless it is forced, requests may wait, or nothing answers anyway.
func TestRestartThatWouldInterrupt(t *testing.T) {
	model := func(id, more string) string { return `"` + id + `": {` + fake(freePort(t), more) + `}` }
	s := run(t, quick(), parse(t, model("m", ""), model("waits", `, "limits": {"keep_alive": true}`)))
	feed := s.watch()
	until(t, feed, "both", func(now fleet.Snapshot) bool { return serving(now, "m")+serving(now, "waits") == 2 })
	first := s.model("m").Instances[0].PID
	s.post("/api/llm/models/m/restart", http.StatusConflict, `"code":"would_interrupt"`, "?force=true", "rollout.surge")
	s.post("/api/llm/models/m/restart?force=false", http.StatusConflict)
	s.post("/api/llm/models/m/restart?force=please", http.StatusBadRequest, `"param":"force"`, `"code":"invalid_flag"`)
	if m := s.model("m"); m.Instances[0].PID != first || m.Rollout != nil {
		t.Errorf("a refused restart changed %+v", m)
	}
	s.post("/api/llm/models/m/restart?force=true", http.StatusAccepted)
	s.rolled(feed, "m", 0)
	s.post("/api/llm/models/waits/restart", http.StatusAccepted)
	s.rolled(feed, "waits", 0)

	s.post("/api/llm/models/m/stop", http.StatusAccepted)
	phase(t, feed, "m", fleet.Stopped)
	s.post("/api/llm/models/m/restart", http.StatusAccepted)
	phase(t, feed, "m", fleet.Ready)
}

// awaitExtra waits until the extra server of the model takes requests and the first one does not.
func awaitExtra(t *testing.T, feed <-chan fleet.Snapshot, id string) fleet.Backend {
	t.Helper()
	now := until(t, feed, "the extra server of "+id, func(now fleet.Snapshot) bool {
		all := find(now, id).Backends
		return len(all) == 2 && !all[0].Routable && all[1].Routable
	})
	return find(now, id).Backends[1]
}

// TestSurge starts one more server, at a port that is free, while the only one of the model is replaced.
func TestSurge(t *testing.T) {
	port := freePort(t)
	taken, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port+1))
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	s := run(t, quick(), parse(t, `"m": {`+fake(port, `, "rollout": {"surge": true}`)+`}`))
	feed := s.watch()
	g := s.gateway("g")
	g.beat(ready(t, feed, "m", 1), 1) // holds the drain of the first
	s.post("/api/llm/models/m/restart", http.StatusAccepted)
	extra := awaitExtra(t, feed, "m")
	if other := fmt.Sprintf("http://127.0.0.1:%d", port+1); extra.ID != "m-surge" || extra.URL == other {
		t.Errorf("the extra server is %+v", extra)
	}
	pid := s.model("m").Instances[1].PID
	g.leave()
	if end := s.rolled(feed, "m", 1); end.State != "done" {
		t.Errorf("%+v", end)
	}
	if m := s.model("m"); len(m.Instances) != 1 || m.Instances[0].Restarts != 1 || running(pid) {
		t.Errorf("afterwards: %+v", m)
	}
}

// TestRestartOnDemand: requests for such a model wait, so a restart needs no force; an extra server does not wait for one.
func TestRestartOnDemand(t *testing.T) {
	model := func(id, more string) string {
		return `"` + id + `": {` + fake(freePort(t), `, "start": "on_demand"`+more) + `}`
	}
	s := run(t, quick(), parse(t, model("m", ""), model("roomy", `, "rollout": {"surge": true}`)))
	feed := s.watch()
	for id, least := range map[string]int{"m": 0, "roomy": 1} {
		s.post("/api/llm/models/"+id+"/start", http.StatusAccepted)
		ready(t, feed, id, 1)
		s.post("/api/llm/models/"+id+"/restart", http.StatusAccepted)
		if end := s.rolled(feed, id, least); end.State != "done" {
			t.Errorf("%s: %+v", id, end)
		}
		if m := s.model(id); m.Desired != "on_demand" || m.Restarts != 1 || len(m.Instances) != 1 {
			t.Errorf("%+v", m)
		}
	}
}

// TestSurgeNeedsMemoryOfTheGPU as much as the first server has.
func TestSurgeNeedsMemoryOfTheGPU(t *testing.T) {
	free := fakeGPU(t)
	free(24000)
	s := run(t, quick(), parse(t, fmt.Sprintf(`"m": {"command": "vllm", "args": ["serve", "fake", "--port", "%d"], "env": {"CUDA_VISIBLE_DEVICES": "0"},
		"rollout": {"surge": true}}`, freePort(t))))
	feed := s.watch()
	ready(t, feed, "m", 1)
	free(1024)
	s.post("/api/llm/models/m/restart", http.StatusConflict, `"code":"would_interrupt"`, "GPU 0 has 1.0 GiB free of the 22.1 that the model takes")
	free(24000)
	s.post("/api/llm/models/m/restart", http.StatusAccepted)
	if end := s.rolled(feed, "m", 1); end.State != "done" {
		t.Errorf("%+v", end)
	}
}

// TestEndDuringASurge leaves nothing behind, and the end of the supervisor is the last that is told: its successor takes anything else for
// a kill.
func TestEndDuringASurge(t *testing.T) {
	cfg := quick()
	cfg.StateDir = t.TempDir()
	slow := zaptest.NewLogger(t, zaptest.WrapOptions(zap.Hooks(func(e zapcore.Entry) error {
		if e.Message == "rollout was canceled" {
			time.Sleep(200 * time.Millisecond) // so that all else ends before it
		}
		return nil
	})))
	s := runLogged(t, cfg, parse(t, `"n": {`+fake(freePort(t), `, "rollout": {"surge": true}`)+`}`), slow)
	feed := s.watch()
	up := ready(t, feed, "n", 1)
	g := s.gateway("g")
	g.beat(up, 0) // the drain waits for it
	s.post("/api/llm/models/n/restart", http.StatusAccepted)
	awaitExtra(t, feed, "n")
	var pids []int
	for _, i := range s.model("n").Instances {
		pids = append(pids, i.PID)
	}
	g.leave()
	s.end()
	for _, pid := range pids {
		if running(pid) {
			t.Errorf("process %d is left", pid)
		}
	}
	text, err := os.ReadFile(filepath.Join(cfg.StateDir, "events.jsonl"))
	require.NoError(t, err)
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	require.Contains(t, lines[len(lines)-1], `"reason":"SupervisorEnded"`)
	require.Contains(t, string(text), `"reason":"RolloutCanceled"`)
}

// TestServerThatDoesNotComeBack ends the rollout, and the other one serves on.
func TestServerThatDoesNotComeBack(t *testing.T) {
	s := run(t, quick(), parse(t, `"m": {`+fakeWith(freePort(t), fmt.Sprintf(`"--once", %q`, t.TempDir()), `, "replicas": 2, "restart_policy": "never"`)+`}`))
	feed := s.watch()
	ready(t, feed, "m", 2)
	second := s.model("m").Instances[1].PID
	s.post("/api/llm/models/m/restart", http.StatusAccepted)
	end := s.rolled(feed, "m", 1)
	if end.State != "failed" || end.Done != 0 || !strings.HasPrefix(end.Message, "m-0 does not come back: the server exited with code 3") {
		t.Errorf("%+v", end)
	}
	if m := s.model("m"); m.Phase != fleet.Ready || m.Instances[1].PID != second {
		t.Errorf("the other server: %+v", m)
	}
}

func TestStopCancelsARollout(t *testing.T) {
	s := run(t, quick(), parse(t, `"m": {`+fake(freePort(t), `, "replicas": 2`)+`}`))
	feed := s.watch()
	up := ready(t, feed, "m", 2)
	g := s.gateway("g")
	g.beat(up, 1)
	s.post("/api/llm/models/m/restart", http.StatusAccepted)
	until(t, feed, "one that drains", func(now fleet.Snapshot) bool { return serving(now, "m") == 1 })
	s.post("/api/llm/models/m/stop", http.StatusAccepted)
	g.leave()
	if end := s.rolled(feed, "m", 0); end.State != "canceled" || end.Message != "the model was stopped" {
		t.Errorf("%+v", end)
	}
	eventually(t, "m stopped", func() bool { return s.model("m").Phase == fleet.Stopped })
	if m := s.model("m"); m.Restarts != 0 || m.Desired != "stopped" {
		t.Errorf("%+v", m)
	}
}
