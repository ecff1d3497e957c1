package integration

import (
	"context"
	"encoding/json"
	"net/http"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"
)

// eventsTold follows a stop and a start through the gateway, event by event, and asks for them afterwards.
func eventsTold(t *testing.T, s *stack) {
	events := s.gateway + "/api/llm/events"
	ctx, leave := context.WithTimeout(t.Context(), 5*time.Minute)
	defer leave()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.gateway+"/api/llm/models/mock-llama/events?follow=true&since=0s", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := client.Do(req) // conformity is checked at the end of a stream, which this one has not
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	coming := make(chan happening, 100)
	go func() {
		defer close(coming)
		_ = eventsOf(resp, coming) // it ends when the client leaves
	}()
	var seen []happening
	until := func(phase string) {
		t.Helper()
		for h := range coming {
			if seen = append(seen, h); h.Phase == phase {
				return
			}
		}
		t.Fatalf("no event of the phase %s after %v", phase, seen)
	}
	s.command(t, mockLlama, "stop").want(t, http.StatusAccepted)
	until("stopped")
	s.command(t, mockLlama, "start").want(t, http.StatusAccepted)
	until("ready")
	eventually(t, func() error { return s.ask(t, mockLlama) })
	for _, h := range seen {
		if h.Model != mockLlama || h.By != "api" {
			t.Errorf("%+v", h)
		}
	}
	all := s.happened(t, s.gateway)
	first := slices.IndexFunc(all, func(h happening) bool { return h.Number == seen[0].Number })
	if first < 0 || !slices.Equal(all[first:first+len(seen)], seen) {
		t.Errorf("followed %v, then told %v", seen, all)
	}
	if all[0].Reason != "SupervisorStarted" {
		t.Errorf("the first event is %+v", all[0])
	}
	do(t, "GET", events+"?since=yesterday", nil).wantFailure(t, http.StatusBadRequest, "invalid_since")
	do(t, "GET", events+"?limit=0", nil).wantFailure(t, http.StatusBadRequest, "invalid_limit")
	do(t, "GET", events+"?follow=perhaps", nil).wantFailure(t, http.StatusBadRequest, "invalid_flag")
	do(t, "GET", s.gateway+"/api/llm/models/nobody/events", nil).wantFailure(t, http.StatusNotFound, "model_not_found")

	out, err := exec.CommandContext(t.Context(), fluidmcp(t), "events", "--model", mockLlama, "--since", "5m", "--url", s.gateway).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "by api") || !strings.Contains(string(out), "→ ready") || strings.Contains(string(out), mockLLM) {
		t.Errorf("fluidmcp events: %v\n%s", err, out)
	}
}

// eventsOf reads a stream of events to its end.
func eventsOf(resp *http.Response, each chan<- happening) error {
	return events(resp.Body, func(e event) {
		var h happening
		if json.Unmarshal([]byte(e.data), &h) == nil {
			each <- h
		}
	})
}
