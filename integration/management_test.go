package integration

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// modelStatus is what the scenarios read of a model's status.
type modelStatus struct {
	ID        string `json:"id"`
	Desired   string `json:"desired"`
	Phase     string `json:"phase"`
	Reason    string `json:"reason"`
	Driver    string `json:"driver"`
	Restarts  int    `json:"restarts"`
	Rollout   *struct{ State string }
	Instances []instanceStatus `json:"instances"`
}

// instanceStatus is what they read of one of its servers.
type instanceStatus struct {
	PID      int    `json:"pid"`
	Phase    string `json:"phase"`
	Asleep   bool   `json:"asleep"`
	Reason   string `json:"reason"`
	Restarts int    `json:"restarts"`

	LastFailure *struct{ Reason string } `json:"last_failure"`
}

func (s *stack) status(t *testing.T, model string) modelStatus {
	t.Helper()
	var m modelStatus
	do(t, "GET", s.gateway+"/api/llm/models/"+url.PathEscape(model), nil).want(t, http.StatusOK).decode(t, &m)
	return m
}

func (s *stack) waitPhase(t *testing.T, model, phase string) {
	t.Helper()
	eventually(t, func() error {
		if m := s.status(t, model); m.Phase != phase {
			return fmt.Errorf("%s is %s, want %s", model, m.Phase, phase)
		}
		return nil
	})
}

// command asks the supervisor, through the gateway, to start, stop or restart a model.
func (s *stack) command(t *testing.T, model, verb string) answer {
	t.Helper()
	return do(t, "POST", s.gateway+"/api/llm/models/"+url.PathEscape(model)+"/"+verb, nil)
}

func management(t *testing.T, s *stack) {
	var status struct {
		Status string
		Models struct{ Ready, Total int }
	}
	do(t, "GET", s.gateway+"/api/llm/status", nil).want(t, http.StatusOK).decode(t, &status)
	if status.Status != "ok" || status.Models.Ready != 6 || status.Models.Total != 6 {
		t.Errorf("status %+v", status)
	}
	var list struct{ Models []modelStatus }
	do(t, "GET", s.gateway+"/api/llm/models", nil).want(t, http.StatusOK).decode(t, &list)
	if len(list.Models) != 6 {
		t.Errorf("%d models", len(list.Models))
	}
	for _, model := range []string{mockLLM, slashed} {
		if m := s.status(t, model); m.ID != model || m.Phase != "ready" || m.Desired != "running" {
			t.Errorf("%+v", m)
		}
	}
	var health struct{ Healthy bool }
	s.command(t, mockLLM, "health-check").want(t, http.StatusOK).decode(t, &health)
	if !health.Healthy {
		t.Error("not healthy")
	}
	logs := do(t, "GET", s.gateway+"/api/llm/models/mock-llm/logs?lines=10000", nil)
	if s.processes {
		if !strings.Contains(string(logs.want(t, http.StatusOK).body), "Application startup complete.") {
			t.Errorf("logs lack the server's own line: %s", logs.body)
		}
		do(t, "GET", s.gateway+"/api/llm/models/mock-llm/logs?lines=none", nil).wantFailure(t, http.StatusBadRequest, "")
	} else {
		logs.wantFailure(t, http.StatusConflict, "")
	}
	do(t, "GET", s.gateway+"/api/llm/models/nobody", nil).wantFailure(t, http.StatusNotFound, "model_not_found")
	do(t, "GET", s.gateway+"/api/llm/models/mock-llm/stop", nil).wantFailure(t, http.StatusMethodNotAllowed, "")
}

func stopAndStart(t *testing.T, s *stack) {
	s.command(t, mockLlama, "stop").want(t, http.StatusAccepted)
	s.waitPhase(t, mockLlama, "stopped")
	eventually(t, func() error {
		a := do(t, "POST", s.gateway+"/llm/mock-llama/chat/completions", hello)
		if a.status != http.StatusServiceUnavailable {
			return fmt.Errorf("a stopped model answers %d", a.status)
		}
		if e := parseFailure(t, a.body, "model_stopped"); !strings.Contains(*e.Message, "start") {
			t.Errorf("the message does not tell how to start it: %s", *e.Message)
		}
		return nil
	})
	if s.processes {
		if _, err := send(t, "GET", s.mocks[mockLlama]+"/health", nil); err == nil {
			t.Error("the server of the stopped model still answers")
		}
	}
	do(t, "POST", s.gateway+"/llm/mock-llm/chat/completions", hello).want(t, http.StatusOK) // others are not touched
	if m := s.status(t, mockLlama); m.Desired != "stopped" || m.Phase != "stopped" {
		t.Errorf("it did not stay stopped: %+v", m)
	}
	s.command(t, mockLlama, "start").want(t, http.StatusAccepted)
	eventually(t, func() error { return s.ask(t, mockLlama) })
}

func restart(t *testing.T, s *stack) {
	if !s.processes {
		s.command(t, mockLLM, "restart").wantFailure(t, http.StatusConflict, "")
		return
	}
	before, counted := s.status(t, mockLlama), s.requestedRestarts(t, mockLlama)
	s.command(t, mockLlama, "restart").want(t, http.StatusAccepted)
	eventually(t, func() error {
		after := s.status(t, mockLlama)
		over := after.Rollout != nil && after.Rollout.State == "done" // before, its events may come among those of what follows
		if !over || after.Phase != "ready" || after.Restarts != before.Restarts+1 || after.Instances[0].PID == before.Instances[0].PID {
			return fmt.Errorf("before %+v, now %+v", before, after)
		}
		return s.ask(t, mockLlama)
	})
	if grew := s.requestedRestarts(t, mockLlama) - counted; grew != 1 {
		t.Errorf("fluidmcp_model_restarts_total grew by %v", grew)
	}
}

func (s *stack) requestedRestarts(t *testing.T, model string) float64 {
	t.Helper()
	return s.scrape(t, s.supervisor).sum("fluidmcp_model_restarts_total", "model", model, "reason", "requested")
}
