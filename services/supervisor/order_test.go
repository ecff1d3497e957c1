package supervisor_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
)

// touch makes a file.
func touch(t *testing.T, path string) {
	t.Helper()
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestDependenciesStartFirst, and while one of them is not there the model says which and why.
func TestDependenciesStartFirst(t *testing.T) {
	never := `, "restart_policy": "never"`
	told := filepath.Join(t.TempDir(), "told") // b waits for it
	s := run(t, quick(), parse(t,
		`"a": {`+fake(freePort(t), `, "depends_on": ["b", "c"]`)+`}`,
		`"b": {`+fakeWith(freePort(t), fmt.Sprintf(`"--until", %q`, told), "")+`}`,
		`"c": {`+fakeWith(freePort(t), fmt.Sprintf(`"--once", %q`, t.TempDir()), never)+`}`,
		`"stuck": {`+fake(freePort(t), `, "depends_on": ["bad"]`)+`}`,
		`"bad": {`+fakeWith(freePort(t), `"--crash"`, never)+`}`,
	))
	feed := s.watch()
	until(t, feed, "that a waits for b", func(now fleet.Snapshot) bool {
		a := find(now, "a")
		return a.Phase == fleet.Pending && a.Reason == "WaitingForDependency" && strings.HasPrefix(a.Message, `the model "b" is starting`)
	})
	touch(t, told)
	until(t, feed, "a ready", func(now fleet.Snapshot) bool {
		a, b := find(now, "a"), find(now, "b")
		if a.Phase != fleet.Pending && (b.Phase != fleet.Ready || find(now, "c").Phase != fleet.Ready) {
			t.Errorf("a is %s while b is %s and c is %s", a.Phase, b.Phase, find(now, "c").Phase)
		}
		return a.Phase == fleet.Ready
	})

	// A dependency that has failed or was stopped is waited for, for as long as it takes; it is nobody's failure.
	for deadline := time.Now().Add(patience); !strings.HasPrefix(s.model("stuck").Message, `the model "bad" is failed: the server exited with code 3`); {
		if time.Now().After(deadline) {
			t.Fatalf("it does not say why it waits: %+v", s.model("stuck"))
		}
	}
	if m := s.model("stuck"); m.Reason != "WaitingForDependency" || m.Desired != "running" || m.Restarts != 0 {
		t.Errorf("%+v", m)
	}
	s.post("/api/llm/models/stuck/stop", http.StatusAccepted)
	phase(t, feed, "stuck", fleet.Stopped)

	s.post("/api/llm/models/b/stop", http.StatusAccepted)
	phase(t, feed, "b", fleet.Stopped)
	if m := s.model("a"); m.Phase != fleet.Ready {
		t.Errorf("a runs on without b, but is %s", m.Phase)
	}
	s.post("/api/llm/models/a/stop", http.StatusAccepted)
	phase(t, feed, "a", fleet.Stopped)
	s.post("/api/llm/models/a/start", http.StatusAccepted)
	until(t, feed, "why a waits", func(now fleet.Snapshot) bool { return find(now, "a").Message == `the model "b" is stopped; start it` })
	s.post("/api/llm/models/b/start", http.StatusAccepted)
	phase(t, feed, "a", fleet.Ready)
}

// TestLoadingSlots: no more load at a time than may, those that fail make room too, and those that wait say so.
func TestLoadingSlots(t *testing.T) {
	var models []string
	told := filepath.Join(t.TempDir(), "told") // the first of them waits for it
	for i := range 4 {
		models = append(models, fmt.Sprintf(`"m%d": {`, i)+fakeWith(freePort(t), fmt.Sprintf(`"--load", "50ms", "--until", %q`, told), "")+`}`)
	}
	models = append(models, `"bad": {`+fakeWith(freePort(t), `"--crash"`, `, "restart_policy": "never"`)+`}`)
	cfg := quick()
	cfg.MaxLoading = 1
	s := run(t, cfg, parse(t, models...))
	waited := false
	until(t, s.watch(), "all of them", func(now fleet.Snapshot) bool {
		loading, ended := 0, 0
		for _, m := range now.Models {
			switch m.Phase {
			case fleet.Starting:
				loading++
			case fleet.Ready, fleet.Failed:
				ended++
			}
			if !waited && m.Phase == fleet.Pending && m.Reason == "WaitingForSlot" {
				waited = true
				touch(t, told)
			}
		}
		if loading > 1 {
			t.Errorf("%d load at the same time", loading)
		}
		return ended == len(models)
	})
}

// TestEndDrainsDependentsFirst: while a has requests in flight, b, which a needs, goes on to serve.
func TestEndDrainsDependentsFirst(t *testing.T) {
	s := run(t, quick(), parse(t, `"m": {`+fake(freePort(t), `, "depends_on": ["b"]`)+`}`, `"b": {`+fake(freePort(t), "")+`}`,
		`"other": {`+fake(freePort(t), "")+`}`))
	feed := s.watch()
	up := until(t, feed, "all of them", func(now fleet.Snapshot) bool {
		return serving(now, "m")+serving(now, "b")+serving(now, "other") == 3
	})
	g := s.gateway("g")
	g.beat(up, 1)
	s.stop()
	down := phase(t, feed, "m", fleet.Draining)
	for range 5 {
		g.beat(down, 1)
		if m := s.model("b"); m.Phase != fleet.Ready {
			t.Fatalf("b is %s while m is %s", m.Phase, s.model("m").Phase)
		}
	}
	g.beat(down, 0)
	last := phase(t, feed, "b", fleet.Draining)
	if m := find(last, "m"); m.Phase != fleet.Stopping && m.Phase != fleet.Stopped {
		t.Errorf("b drains while m is %s", m.Phase)
	}
	g.leave()
	s.end()
}
