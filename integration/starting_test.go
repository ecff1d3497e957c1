package integration

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// startStatus is what the status of a model tells of its start.
type startStatus struct {
	Phase    string `json:"phase"`
	Reason   string `json:"reason"`
	Message  string `json:"message"`
	Progress *struct {
		Stage   string   `json:"stage"`
		Percent *float64 `json:"percent"`
	} `json:"progress"`
	Instances []struct {
		LastFailure struct {
			Permanent bool     `json:"permanent"`
			Lines     []string `json:"lines"`
		} `json:"last_failure"`
	} `json:"instances"`
}

// TestStarts follows a start that takes its time and three that fail: for good, for standing still, and again and again.
func TestStarts(t *testing.T) {
	t.Parallel()
	ports := freePorts(t, 6)
	s := &stack{gateway: fmt.Sprintf("http://127.0.0.1:%d", ports[0]), supervisor: fmt.Sprintf("http://127.0.0.1:%d", ports[1])}
	mock := func(port int, more ...string) map[string]any {
		return map[string]any{"command": "mockvllm", "args": append([]string{"serve", "m", "--port", fmt.Sprint(port)}, more...)}
	}
	stuck := mock(ports[4], "--mock-load-time", "2h")
	stuck["timeouts"], stuck["restart_policy"] = map[string]any{"stall": "3s"}, "never"
	file := modelsFile(t, map[string]any{
		"slow":  mock(ports[2], "--mock-load-time", "15s"),
		"wrong": mock(ports[3], "--no-such-flag"),
		"stuck": stuck,
		"loop":  map[string]any{"command": "false", "endpoints": map[string]any{"base_url": fmt.Sprintf("http://127.0.0.1:%d", ports[5])}},
	})
	c := launch(t, "run", file, "--start-server", "--port", fmt.Sprint(ports[0]), "--supervisor-port", fmt.Sprint(ports[1]))
	t.Cleanup(func() { c.end(t, syscall.SIGINT) })
	eventually(t, func() error { // the gateway has heard from the supervisor
		a, err := send(t, "GET", s.gateway+"/v1/models", nil)
		if err == nil && a.status != http.StatusOK {
			err = fmt.Errorf("%d %s", a.status, a.body)
		}
		return err
	})

	t.Run("progress", func(t *testing.T) {
		for n := 0; !slowStart(t, s); n++ { // who has no processor while it loads hears little of it
			if n == 3 {
				t.Fatal("clients are not told how far it is")
			}
			s.loadsAnew(t, "slow")
		}
	})
	failed := func(model, reason, message string) startStatus {
		var m startStatus
		eventually(t, func() error {
			m = startStatus{}
			do(t, "GET", s.gateway+"/api/llm/models/"+model, nil).want(t, http.StatusOK).decode(t, &m)
			if m.Phase != "failed" {
				return fmt.Errorf("%s is %s: %s", model, m.Phase, m.Message)
			}
			return nil
		})
		if m.Reason != reason || !strings.Contains(m.Message, message) {
			t.Errorf("%s failed for %s: %s", model, m.Reason, m.Message)
		}
		return m
	}
	wrong := failed("wrong", "BadArguments", "--no-such-flag").Instances[0].LastFailure
	if !wrong.Permanent || !slices.ContainsFunc(wrong.Lines, func(l string) bool { return strings.Contains(l, "unrecognized arguments: --no-such-flag") }) {
		t.Errorf("permanent: %t, lines %q", wrong.Permanent, wrong.Lines)
	}
	failed("stuck", "StartStalled", "no progress for 3s")
	failed("loop", "CrashLoop", "5 failures in 10m0s, the last: ")
	now := s.scrape(t, s.supervisor)
	for model, want := range map[string]float64{"slow": 0, "wrong": 1, "stuck": 1, "loop": 5} {
		if got := now.sum("fluidmcp_model_failures_total", "model", model); got != want {
			t.Errorf("%v failures of %s, want %v", got, model, want)
		}
	}
	if got := now.sum("fluidmcp_model_restarts_total", "model", "loop", "reason", "exited"); got != 4 {
		t.Errorf("%v restarts of what failed five times", got)
	}
}

// loadsAnew restarts a model, and returns while it loads.
func (s *stack) loadsAnew(t *testing.T, model string) {
	t.Helper()
	s.command(t, model, "restart?force=true").want(t, http.StatusAccepted)
	eventually(t, func() error {
		if s.ask(t, model) == nil {
			return errors.New("it still answers")
		}
		return nil
	})
}

// slowStart asks a model that loads, until it answers: its clients learn how far it is. It reports whether they have asked often enough to
// learn more than one thing.
func slowStart(t *testing.T, s *stack) bool {
	told := regexp.MustCompile(`^The model "slow" is not ready yet: loading weights (\d+) %\. Try again shortly\.$`)
	seen := map[string]bool{}
	last := -1.
	eventually(t, func() error {
		a := do(t, "POST", s.gateway+"/v1/chat/completions", map[string]any{"model": "slow", "messages": []map[string]string{{"role": "user", "content": "x"}}})
		if a.status == http.StatusOK {
			return nil
		}
		failure := a.wantFailure(t, http.StatusServiceUnavailable, "model_loading")
		if a.header.Get("Retry-After") == "" {
			t.Error("a client does not learn when to come again")
		}
		if m := told.FindStringSubmatch(*failure.Message); m != nil {
			seen[m[1]] = true
		}
		var m startStatus
		do(t, "GET", s.gateway+"/api/llm/models/slow", nil).want(t, http.StatusOK).decode(t, &m)
		if p := m.Progress; p != nil && p.Stage == "loading weights" && p.Percent != nil {
			if *p.Percent < last {
				t.Errorf("%v %% after %v %%", *p.Percent, last)
			}
			last = *p.Percent
		}
		return errors.New("it still loads")
	})
	return len(seen) >= 2 && last >= 50
}
