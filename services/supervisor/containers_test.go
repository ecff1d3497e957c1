package supervisor_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
	"github.com/fluidmcp/fluidmcp/services/supervisor"
	"github.com/fluidmcp/fluidmcp/services/supervisor/engine"
	"github.com/fluidmcp/fluidmcp/services/supervisor/engine/enginetest"
	"github.com/fluidmcp/fluidmcp/services/supervisor/report"
)

// contained is a supervisor's configuration for an engine, and the model "m" in the container "box", whose server answers all the time.
func contained(t *testing.T, e *enginetest.Engine) (supervisor.Config, string) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"data": [{"id": "fake"}]}`)
	}))
	t.Cleanup(server.Close)
	cfg := quick()
	cfg.DockerSocket = e.Socket
	return cfg, fmt.Sprintf(`"m": {"container": {"name": "box"}, "endpoints": {"base_url": %q}, "served_name": "fake"}`, server.URL)
}

func TestContainerIsStartedStoppedAndMended(t *testing.T) {
	e := enginetest.New(t)
	cfg, entry := contained(t, e)
	s := run(t, cfg, parse(t, entry))
	feed := s.watch()
	waiting := find(phase(t, feed, "m", fleet.Pending), "m")
	if waiting.Reason != "" && waiting.Reason != "WaitingForDependency" {
		t.Errorf("without a container: %+v", waiting)
	}
	for _, query := range []string{"", "?force=true"} { // it would wait for ever
		status, body := s.do(http.MethodPost, "/api/llm/models/m/restart"+query, "")
		if status != http.StatusConflict || !strings.Contains(body, `"code":"no_container"`) || !strings.Contains(body, "no container box") {
			t.Errorf("restart%s without a container: %d %s", query, status, body)
		}
	}
	box := e.Add("box", engine.ModelLabel, "m")
	phase(t, feed, "m", fleet.Ready)
	e.Do(func() { box.Print("hello from the box") })
	if m := s.model("m"); m.Driver != "docker" || m.Instances[0].Container != "box" || m.Instances[0].PID != 0 {
		t.Errorf("%+v", m)
	}

	e.Do(func() { box.End(137) })
	phase(t, feed, "m", fleet.Backoff)
	if exit := s.model("m").Instances[0].LastExit; exit == nil || exit.Code != 137 || exit.Signal != "killed" {
		t.Errorf("last exit %+v", exit)
	}
	s.restarted(feed, "m", 1)

	if status, body := s.do(http.MethodPost, "/api/llm/models/m/restart", ""); status != http.StatusConflict || !strings.Contains(body, "not created here") || !strings.Contains(body, "another container") {
		t.Errorf("restart of the only one: %d %s", status, body)
	}
	s.do(http.MethodPost, "/api/llm/models/m/restart?force=true", "")
	s.restarted(feed, "m", 2)
	s.do(http.MethodPost, "/api/llm/models/m/stop", "")
	phase(t, feed, "m", fleet.Stopped)
	e.Do(func() {
		if stops := strings.Join(box.Stops, ", "); stops != "stop t=15, stop t=15" || box.Running {
			t.Errorf("it was asked to %s, runs: %t", stops, box.Running)
		}
	})
	s.do(http.MethodPost, "/api/llm/models/m/start", "")
	phase(t, feed, "m", fleet.Ready)
	if _, logs := s.do(http.MethodGet, "/api/llm/models/m/logs", ""); !strings.Contains(logs, "hello from the box") {
		t.Errorf("logs %q", logs)
	}
}

// TestNobodyWaitsForASlowEngine: neither who stops the model that it starts, nor who changes the models file.
func TestNobodyWaitsForASlowEngine(t *testing.T) {
	e := enginetest.New(t)
	cfg, entry := contained(t, e)
	box := e.Add("box", engine.ModelLabel, "m")
	e.Do(func() { box.Slow = true })
	other := external(partner(t))
	l := live(t, cfg, entry, other)
	phase(t, l.feed, "m", fleet.Starting)
	l.apply(strings.TrimSuffix(entry, "}")+`, "limits": {"inflight": 7}}`, other)
	l.until("the limit", "m", func(m fleet.Model) bool { return m.Limits.Inflight == 7 })
	if status, body := l.do(http.MethodPost, "/api/llm/models/m/stop", ""); status != http.StatusAccepted {
		t.Errorf("%d %s", status, body)
	}
	phase(t, l.feed, "m", fleet.Stopping)
	e.Do(func() { box.Slow = false })
	phase(t, l.feed, "m", fleet.Stopped)
	e.Do(func() {
		if box.Running || len(box.Stops) != 1 {
			t.Errorf("it runs: %t, was asked to %q", box.Running, box.Stops)
		}
	})
}

// TestContainerOutlivesTheSupervisor looks at every snapshot of the second one: gateways are never told to leave the server.
func TestContainerOutlivesTheSupervisor(t *testing.T) {
	e := enginetest.New(t)
	cfg, entry := contained(t, e)
	box := e.Add("box", engine.ModelLabel, "m")
	first := run(t, cfg, parse(t, entry))
	phase(t, first.watch(), "m", fleet.Ready)
	first.end()
	began := box.Began
	second := run(t, cfg, parse(t, entry))
	now := until(t, second.watch(), "any snapshot", func(fleet.Snapshot) bool { return true })
	if m := find(now, "m"); m.Phase != fleet.Ready || !m.Backends[0].Routable || m.Reason != "Adopted" {
		t.Errorf("the first snapshot: %+v", m)
	}
	e.Do(func() {
		if !box.Running || !box.Began.Equal(began) || len(box.Stops) > 0 {
			t.Errorf("it began at %s, before at %s; asked to %q", box.Began, began, box.Stops)
		}
	})
}

// TestStatusBeforeTheFirstWord asks for a model while its unit still looks whether the server that it found is well.
func TestStatusBeforeTheFirstWord(t *testing.T) {
	asked, answer := make(chan struct{}, 100), make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		asked <- struct{}{}
		<-answer
	}))
	defer server.Close()
	defer close(answer)
	var m report.Model
	for range 5 { // the server has two seconds, in which a busy machine may not come to look
		s := run(t, quick(), parse(t, fmt.Sprintf(`"m": {"endpoints": {"base_url": %q}}`, server.URL)))
		<-asked
		if m = s.model("m"); m.Phase == fleet.Pending && m.Instances[0].Phase == fleet.Pending && m.Desired == "running" {
			return
		}
		s.end()
		for len(asked) > 0 {
			<-asked
		}
	}
	t.Errorf("%+v", m)
}

// TestContainerOfAModelThatIsTakenOut runs on, and nobody listens to it any more: what it prints comes once when its model is back.
func TestContainerOfAModelThatIsTakenOut(t *testing.T) {
	e := enginetest.New(t)
	cfg, entry := contained(t, e)
	box := e.Add("box", engine.ModelLabel, "m")
	other := external(partner(t))
	l := live(t, cfg, entry, other)
	phase(t, l.feed, "m", fleet.Ready)
	l.apply(other)
	l.until("m gone", "m", func(m fleet.Model) bool { return m.ID == "" })
	e.Do(func() {
		if !box.Running || len(box.Stops) > 0 {
			t.Errorf("it runs: %t, was asked to %q", box.Running, box.Stops)
		}
	})
	l.apply(entry, other)
	phase(t, l.feed, "m", fleet.Ready)
	e.Do(func() { box.Print("hello"); box.Print("and again") })
	f := l.tail("/api/llm/models/m/logs?follow=true&lines=100")
	f.line("and again")
	e.Do(func() { box.Print("the end") })
	f.line("the end")
	for _, line := range []string{"hello", "and again"} {
		if _, logs := l.do(http.MethodGet, "/api/llm/models/m/logs", ""); strings.Count(logs, line) != 1 {
			t.Errorf("%q comes %d times: %q", line, strings.Count(logs, line), logs)
		}
	}
}
