package supervisor_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
	"github.com/fluidmcp/fluidmcp/services/supervisor"
	"github.com/fluidmcp/fluidmcp/services/supervisor/change"
	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest/read"
	"github.com/fluidmcp/fluidmcp/services/supervisor/report"
)

// living is a supervisor whose models file changes.
type living struct {
	*stack
	path string
	feed <-chan fleet.Snapshot
}

// live runs the models of a file with these entries.
func live(t *testing.T, cfg supervisor.Config, entries ...string) *living {
	t.Helper()
	return liveLogged(t, cfg, zaptest.NewLogger(t), entries...)
}

func liveLogged(t *testing.T, cfg supervisor.Config, log *zap.Logger, entries ...string) *living {
	t.Helper()
	path := filepath.Join(t.TempDir(), "models.json")
	l := &living{path: path}
	l.write(t, entries...)
	file, err := read.Load(path, os.LookupEnv)
	if err != nil {
		t.Fatal(err)
	}
	l.stack = runLogged(t, cfg, file, log)
	l.feed = l.watch()
	return l
}

func (l *living) write(t *testing.T, entries ...string) {
	t.Helper()
	l.text(t, `{"llmModels": {`+strings.Join(entries, ",")+`}}`)
}

func (l *living) text(t *testing.T, text string) {
	t.Helper()
	if err := os.WriteFile(l.path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// apply changes the file and has it read, and returns what that changes.
func (l *living) apply(entries ...string) change.Set {
	l.t.Helper()
	l.write(l.t, entries...)
	return l.set(http.MethodPost, "/api/llm/apply", "", http.StatusAccepted)
}

// set sends a change and returns what it makes.
func (l *living) set(method, path, body string, status int) change.Set {
	l.t.Helper()
	got, text := l.do(method, path, body)
	if got != status {
		l.t.Fatalf("%s %s: %d %s", method, path, got, text)
	}
	return decode[change.Set](l.t, text)
}

func (l *living) pids(id string) (pids []int) {
	l.t.Helper()
	for _, i := range l.model(id).Instances {
		pids = append(pids, i.PID)
	}
	return pids
}

// until waits for a model to be as it should be in the feed.
func (l *living) until(what, id string, satisfies func(fleet.Model) bool) fleet.Snapshot {
	l.t.Helper()
	return until(l.t, l.feed, what, func(s fleet.Snapshot) bool { return satisfies(find(s, id)) })
}

func routable(n int) func(fleet.Model) bool {
	return func(m fleet.Model) bool {
		up := 0
		for _, b := range m.Backends {
			if b.Routable {
				up++
			}
		}
		return up == n && len(m.Backends) == n
	}
}

// serves tells whether any server takes requests.
func serves(m fleet.Model) bool {
	return slices.ContainsFunc(m.Backends, func(b fleet.Backend) bool { return b.Routable })
}

func effects(set change.Set) string {
	var all []string
	for _, m := range set.Models {
		all = append(all, m.ID+": "+string(m.Effect))
	}
	return strings.Join(all, ", ")
}

// What is no command and no address is in force at once, and no process notices. A file with a fault changes nothing.
func TestFileIsFollowed(t *testing.T) {
	entry := fake(freePort(t), "")
	l := live(t, watching(), `"m": {`+entry+`}`)
	phase(t, l.feed, "m", fleet.Ready)
	pid := l.pids("m")
	l.write(t, `/* a comment */ "m": {`+entry+`, "limits": {"inflight": 7}, "aliases": ["a"], "routing": {"policy": "round_robin"}, "timeouts": {"idle": 9, "start": 1000}, "restart_policy": "never"}`)
	now := l.until("new limits", "m", func(m fleet.Model) bool { return m.Limits.Inflight == 7 })
	if m := find(now, "m"); m.Aliases[0] != "a" || m.Routing.Policy != fleet.RoundRobin || m.Timeouts.Idle.Seconds() != 9 || m.Phase != fleet.Ready {
		t.Errorf("%+v", m)
	}

	l.text(t, `{"llmModels": {"m": {"frobnicate": 1}, "n": 5}}`)
	eventually(t, "the fault", func() bool { return l.fault() != "" })
	if f := l.fault(); !strings.Contains(f, "3 faults") || !strings.Contains(f, "frobnicate") {
		t.Errorf("status tells: %s", f)
	}
	if _, body := l.do(http.MethodGet, "/metrics", ""); !strings.Contains(body, `fluidmcp_reload_failures_total{file="models"} 1`+"\n") {
		t.Error("no metric tells of the broken file")
	}
	l.write(t, `"m": {`+entry+`, "limits": {"inflight": 8}}`)
	l.until("the mended file", "m", func(m fleet.Model) bool { return m.Limits.Inflight == 8 })
	if l.fault() != "" || fmt.Sprint(l.pids("m")) != fmt.Sprint(pid) || l.model("m").Restarts != 0 {
		t.Errorf("fault %q, %+v, before %v", l.fault(), l.model("m"), pid)
	}
}

func (l *living) fault() string {
	l.t.Helper()
	_, body := l.do(http.MethodGet, "/api/llm/status", "")
	return decode[report.Overview](l.t, body).File.Fault
}

// TestModelThatComesBackIsNew: what another one of its name did and printed says nothing of it.
func TestModelThatComesBackIsNew(t *testing.T) {
	port := freePort(t)
	other := `"other": {` + fake(freePort(t), "") + `}`
	l := live(t, quick(), `"m": {`+fake(port, "")+`}`, other)
	phase(t, l.feed, "m", fleet.Ready)
	prints(t, port, "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB\n")
	l.post("/api/llm/models/m/restart?force=true", http.StatusAccepted)
	l.rolled(l.feed, "m", 0)
	prints(t, port, "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB\n")
	l.apply(other)
	l.until("m gone", "m", func(m fleet.Model) bool { return m.ID == "" })
	l.apply(`"m": {`+fakeWith(port, `"--crash"`, `, "restart_policy": "never"`)+`}`, other)
	phase(t, l.feed, "m", fleet.Failed)
	m := l.model("m")
	require.Equal(t, "Exited", m.Reason, m.Message)
	require.Equal(t, []string{"fake vLLM says hello"}, m.Instances[0].LastFailure.Lines)
	require.Nil(t, m.Rollout)
}

// TestFileChangedWhileARolloutFails: what a failed rollout leaves as it was is not what another version of the file wants by then. One
// that wants the same command is no other version.
func TestFileChangedWhileARolloutFails(t *testing.T) {
	f := func(name string, third func(second string) string, state, last string) {
		t.Run(name, func(t *testing.T) {
			failed, changed := make(chan struct{}, 9), make(chan struct{})
			log := zaptest.NewLogger(t, zaptest.WrapOptions(zap.Hooks(func(e zapcore.Entry) error {
				if e.Message == "rollout has failed" {
					failed <- struct{}{}
					<-changed
				}
				return nil
			})))
			port := freePort(t)
			entry := func(args, more string) string {
				return `"m": {` + fakeWith(port, args, `, "replicas": 2, "restart_policy": "never", `+more) + `}`
			}
			l := liveLogged(t, quick(), log, entry(`"--load", "1ms"`, `"env": {"VERSION": "first"}`))
			ready(t, l.feed, "m", 2)
			second := entry(`"--crash"`, `"env": {"VERSION": "second"}`)
			l.apply(second)
			<-failed
			l.apply(third(second))
			close(changed)
			l.rolled(l.feed, "m", 0)
			l.post("/api/llm/models/m/restart?force=true", http.StatusAccepted)
			if end := l.rolled(l.feed, "m", 0); string(end.State) != state {
				t.Errorf("the restart is %+v", end)
			}
			eventually(t, "the second server", func() bool { return l.model("m").Instances[1].Phase == fleet.Ready })
			version := get(t, fmt.Sprintf("http://127.0.0.1:%d/env?name=VERSION", port+1))
			require.Equal(t, last, version)
		})
	}
	f("another command", func(second string) string {
		return strings.NewReplacer(`"--crash"`, `"--load", "1ms"`, "second", "third").Replace(second)
	}, "done", "third")
	f("another limit", func(second string) string {
		return strings.Replace(second, `"env"`, `"limits": {"inflight": 5}, "env"`, 1)
	}, "failed", "first")
}

// TestStopWhileAReplicaGoes: a server that has ended already hinders nobody from stopping the others.
func TestStopWhileAReplicaGoes(t *testing.T) {
	applied, look := make(chan struct{}, 1), make(chan struct{})
	log := zaptest.NewLogger(t, zaptest.WrapOptions(zap.Hooks(func(e zapcore.Entry) error {
		if e.Message == "models file applied" { // the file is still held, and what has ended stays on the board
			applied <- struct{}{}
			<-look
		}
		return nil
	})))
	lookOn := sync.OnceFunc(func() { close(look) })
	defer lookOn()
	port := freePort(t)
	l := liveLogged(t, watching(), log, `"m": {`+fake(port, `, "replicas": 2`)+`}`)
	ready(t, l.feed, "m", 2)
	l.write(t, `"m": {`+fake(port, `, "replicas": 1`)+`}`)
	<-applied
	eventually(t, "the second has ended", func() bool { return l.model("m").Instances[1].Phase == fleet.Stopped })
	l.post("/api/llm/models/m/stop", http.StatusAccepted)
	lookOn()
	eventually(t, "m has stopped", func() bool {
		m := l.model("m")
		return m.Phase == fleet.Stopped && len(m.Instances) == 1
	})
}
