package integration

import (
	"fmt"
	"net/http"
	"sync"
	"testing"
)

// inflight reads how many requests of a model the gateway carries.
func (s *stack) inflight(t *testing.T, model string) float64 {
	t.Helper()
	return s.scrape(t, s.gateway).sum("fluidmcp_inflight_requests", "model", model)
}

// settled waits until the gateway carries no request of the model.
func (s *stack) settled(t *testing.T, model string) {
	t.Helper()
	eventually(t, func() error {
		if n := s.inflight(t, model); n != 0 {
			return fmt.Errorf("%v requests of %s in flight", n, model)
		}
		return nil
	})
}

func countedExactly(t *testing.T, s *stack) {
	const n = 100
	s.settled(t, mockLLM)
	before := s.scrape(t, s.gateway)
	statuses := make(chan int, n)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			a, err := send(t, http.MethodPost, s.gateway+"/llm/mock-llm/chat/completions",
				map[string]any{"messages": user(fmt.Sprintf("Request %d", i)), "stream": i%2 == 0})
			if err != nil {
				t.Error(err)
			}
			statuses <- a.status
		})
	}
	all.Wait()
	close(statuses)
	for status := range statuses {
		if status != http.StatusOK {
			t.Errorf("status %d", status)
		}
	}
	f := func(metric string, want float64, labels ...string) {
		t.Helper()
		s.awaitGrowth(t, before, want, metric, append(labels, "model", mockLLM)...)
	}
	f("fluidmcp_requests_total", n, "endpoint", "chat_completions", "code", "200")
	f("fluidmcp_requests_total", n)
	f("fluidmcp_request_duration_seconds", n, "endpoint", "chat_completions")
	f("fluidmcp_time_to_first_token_seconds", n/2)
	f("fluidmcp_streams_total", n/2, "outcome", "completed")
	f("fluidmcp_errors_total", 0)
	if grew := s.scrape(t, s.gateway).sum("fluidmcp_tokens_total", "model", mockLLM, "type", "completion") -
		before.sum("fluidmcp_tokens_total", "model", mockLLM, "type", "completion"); grew < n {
		t.Errorf("%v completion tokens counted for %d answers", grew, n)
	}
}

func failuresCounted(t *testing.T, s *stack) {
	before := s.scrape(t, s.gateway)
	do(t, "POST", s.gateway+"/llm/nobody/chat/completions", hello).want(t, http.StatusNotFound)
	do(t, "POST", s.gateway+"/llm/mock-llama/chat/completions", `{"model":"a","model":"b"}`).want(t, http.StatusBadRequest)
	s.faults(t, mockLlama, `{"rules":[{"do":{"status":500,"message":"Model error"}}]}`)
	do(t, "POST", s.gateway+"/llm/mock-llama/chat/completions", hello).want(t, http.StatusInternalServerError)
	f := func(metric string, labels ...string) {
		t.Helper()
		s.awaitGrowth(t, before, 1, metric, labels...)
	}
	f("fluidmcp_requests_total", "model", "unknown", "code", "404")
	f("fluidmcp_errors_total", "model", "unknown", "reason", "bad_request")
	f("fluidmcp_requests_total", "model", mockLlama, "code", "400")
	f("fluidmcp_errors_total", "model", mockLlama, "reason", "bad_request")
	f("fluidmcp_requests_total", "model", mockLlama, "code", "500")
	f("fluidmcp_errors_total", "model", mockLlama, "reason", "upstream_5xx")
}
