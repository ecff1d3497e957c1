package supervisor_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
	"github.com/fluidmcp/fluidmcp/internal/sse"
	"github.com/fluidmcp/fluidmcp/services/supervisor/api"
	"github.com/fluidmcp/fluidmcp/services/supervisor/logs"
)

// prints has the model server at port print text as it is.
func prints(t *testing.T, port int, text string) {
	t.Helper()
	resp, err := http.Post(fmt.Sprintf("http://127.0.0.1:%d/print", port), "", strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	http.DefaultClient.CloseIdleConnections()
}

// tail is a log that is being followed.
type tail struct {
	t      *testing.T
	frames *sse.Reader
	close  func()
}

// event is one of its events.
type event struct {
	logs.Line
	id, kind string
	Lost     bool
}

// tail opens a stream of events; header may say what was read last.
func (s *stack) tail(path string, header ...string) *tail {
	s.t.Helper()
	req, err := http.NewRequest(http.MethodGet, s.url+path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, id := range header {
		req.Header.Set("Last-Event-ID", id)
	}
	resp, err := s.client.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { resp.Body.Close() })
	if resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != sse.ContentType {
		s.t.Fatalf("%s: %s %s", path, resp.Status, resp.Header)
	}
	return &tail{s.t, sse.NewReader(resp.Body, 1<<20), func() { resp.Body.Close() }}
}

// next returns the next event, comments left out.
func (f *tail) next() (event, error) {
	for {
		frame, err := f.frames.Next()
		if err != nil {
			return event{}, err
		}
		if frame.Data == nil {
			continue
		}
		var e event
		if err := json.Unmarshal(frame.Data, &e); err != nil {
			f.t.Fatal(err)
		}
		for line := range bytes.Lines(frame.Raw) {
			name, value, _ := strings.Cut(strings.TrimSpace(string(line)), ": ")
			switch name {
			case "id":
				e.id = value
			case "event":
				e.kind = value
			}
		}
		return e, nil
	}
}

// line reads until the line has come, and returns its event.
func (f *tail) line(text string) event {
	f.t.Helper()
	for {
		e, err := f.next()
		if err != nil {
			f.t.Fatalf("%q has not come: %v", text, err)
		}
		if e.kind == "" && e.Text == text {
			return e
		}
	}
}

func TestLogsAreFollowed(t *testing.T) {
	port := freePort(t)
	s := run(t, quick(), parse(t, `"m": {`+fake(port, "")+`}`))
	feed := s.watch()
	phase(t, feed, "m", fleet.Ready)
	f := s.tail("/api/llm/models/m/logs?follow=true")
	first := f.line("fake vLLM says hello")
	if first.id != fmt.Sprint(first.Offset) || first.Offset == 0 || first.Instance != "m-0" || first.Time.IsZero() {
		t.Errorf("event %+v", first)
	}
	prints(t, port, "one <line>\n\rbar 1%\rbar 2%")
	f.line("one <line>")
	if e, err := f.next(); err != nil || e.kind != "partial" || e.id != "" || e.Text != "bar 2%" {
		t.Errorf("%+v, %v", e, err)
	}
	prints(t, port, "\n\x1b[31mred\x1b[0m\n")
	last := f.line("red")
	f.close()

	prints(t, port, "while nobody looked\n")
	s.do(http.MethodPost, "/api/llm/models/m/restart?force=true", "")
	s.restarted(feed, "m", 1)
	again := s.tail("/api/llm/models/m/logs?follow=true&since=1&ansi=true", last.id)
	if e, err := again.next(); err != nil || e.Text != "while nobody looked" {
		t.Errorf("goes on with %+v, %v", e, err)
	}
	again.line("fake vLLM says hello") // of the new server
	prints(t, port, "\x1b[31mred\n")
	again.line("\x1b[31mred\x1b[0m")

	s.stop()
	for {
		if _, err := again.next(); err != nil {
			if err.Error() != "EOF" {
				t.Errorf("the stream ends with %v", err)
			}
			break
		}
	}
}

func TestLogsOfReplicas(t *testing.T) {
	port := freePort(t)
	s := run(t, quick(), parse(t, `"m": {`+fake(port, `, "replicas": 2`)+`}`))
	until(t, s.watch(), "both replicas", func(now fleet.Snapshot) bool {
		servers := find(now, "m").Backends
		return len(servers) == 2 && servers[0].Routable && servers[1].Routable
	})
	both, one := s.tail("/api/llm/models/m/logs?follow=1"), s.tail("/api/llm/models/m/logs?follow=1&instance=m-1")
	for n := range 3 {
		prints(t, port, fmt.Sprintln("a", n))
		prints(t, port+1, fmt.Sprintln("b", n))
		a, b := both.line(fmt.Sprint("a ", n)), both.line(fmt.Sprint("b ", n))
		if a.Instance != "m-0" || b.Instance != "m-1" || a.Offset >= b.Offset {
			t.Errorf("%+v then %+v", a, b)
		}
		if e := one.line(fmt.Sprint("b ", n)); e.id != b.id {
			t.Errorf("one: %+v, both: %+v", e, b)
		}
	}
}

// asJSON reads the log as JSON.
func (s *stack) asJSON(path string) []logs.Line {
	s.t.Helper()
	req, err := http.NewRequest(http.MethodGet, s.url+path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Accept", "application/json")
	resp, err := s.client.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	var out api.Output
	if err := json.NewDecoder(resp.Body).Decode(&out); err != nil || out.Lines == nil {
		s.t.Fatalf("%s: %v", resp.Status, err)
	}
	return out.Lines
}

func TestLogsAreReadOn(t *testing.T) {
	port := freePort(t)
	s := run(t, quick(), parse(t, `"m": {`+fake(port, "")+`}`))
	phase(t, s.watch(), "m", fleet.Ready)
	prints(t, port, "\x1b[1m1\x1b[0m\n2\n3\n4\n")
	var all []logs.Line
	eventually(t, "the last line", func() bool { // it passes through a pipe
		all = s.asJSON("/api/llm/models/m/logs?lines=4")
		return all[len(all)-1].Text == "4"
	})
	since := all[0].Offset
	next := s.asJSON(fmt.Sprintf("/api/llm/models/m/logs?lines=2&since=%d", since))
	if len(all) != 4 || all[0].Text != "1" || len(next) != 2 || next[0].Text != "2" || next[1].Text != "3" {
		t.Errorf("all %+v, next %+v", all, next)
	}
	if none := s.asJSON(fmt.Sprintf("/api/llm/models/m/logs?since=%d", since+3)); len(none) != 0 {
		t.Errorf("after the last line come %+v", none)
	}
	if _, text := s.do(http.MethodGet, "/api/llm/models/m/logs?lines=4&ansi=true", ""); !strings.HasPrefix(text, "\x1b[1m1\x1b[0m\n") {
		t.Errorf("with colours: %q", text)
	}
	for query, code := range map[string]string{"since=x": "invalid_since", "since=-1": "invalid_since", "follow=perhaps": "invalid_flag",
		"ansi=2": "invalid_flag", "instance=m-7": "invalid_instance", "lines=0": "invalid_lines"} {
		if status, body := s.do(http.MethodGet, "/api/llm/models/m/logs?"+query, ""); status != http.StatusBadRequest || !strings.Contains(body, code) {
			t.Errorf("%s: %d %s", query, status, body)
		}
	}
}

func TestSecretsAreInNoLog(t *testing.T) {
	t.Setenv("OUTSIDE_TOKEN", "from-outside")
	port := freePort(t)
	cfg := quick()
	cfg.StateDir = t.TempDir()
	s := run(t, cfg, parse(t, `"m": {`+fake(port, `, "api_key": "the-key", "env": {"HF_TOKEN": "a-token"}`)+`}`))
	phase(t, s.watch(), "m", fleet.Ready)
	f := s.tail("/api/llm/models/m/logs?follow=true")
	prints(t, port, "keys the-k")
	prints(t, port, "ey a-token from-outside end\n")
	f.line("keys *** *** *** end")
	post(t, fmt.Sprintf("http://127.0.0.1:%d/die", port))
	f.line("fake vLLM says hello")
	s.end()
	files, _ := filepath.Glob(filepath.Join(cfg.StateDir, "logs", "*"))
	if len(files) != 2 {
		t.Errorf("files %v, want the log and the crashes", files)
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil || !bytes.Contains(text, []byte("keys *** ***")) || bytes.Contains(text, []byte("the-key")) {
			t.Errorf("%s: %v\n%s", name, err, text)
		}
	}
}

func TestCrashesAreShown(t *testing.T) {
	port := freePort(t)
	cfg := quick()
	cfg.StateDir = t.TempDir()
	file := parse(t, `"m": {`+fake(port, `, "restart_policy": "never"`)+`}`)
	crashes := func(s *stack) []logs.Crash {
		_, body := s.do(http.MethodGet, "/api/llm/models/m/crashes", "")
		return decode[api.CrashReport](t, body).Crashes
	}
	s := run(t, cfg, file)
	feed := s.watch()
	phase(t, feed, "m", fleet.Ready)
	if got := crashes(s); got == nil || len(got) > 0 {
		t.Errorf("before any: %+v", got)
	}
	prints(t, port, "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB\n")
	post(t, fmt.Sprintf("http://127.0.0.1:%d/die", port))
	phase(t, feed, "m", fleet.Failed)
	got := crashes(s)
	if len(got) != 1 || got[0].Reason != "GPUOutOfMemory" || got[0].Code != 0 || got[0].Instance != "m-0" || got[0].At.IsZero() ||
		!strings.Contains(got[0].Message, "Tried to allocate 2.00 GiB") || len(got[0].Lines) != 2 {
		t.Errorf("%+v", got)
	}
	if m := s.model("m"); m.Reason != "GPUOutOfMemory" {
		t.Errorf("status %+v", m)
	}
	s.end()
	later := crashes(run(t, cfg, file))
	if diff := cmp.Diff(got, later); diff != "" {
		t.Errorf("after a restart of the supervisor:\n%s", diff)
	}
}
