package integration

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// alertFires restarts the scraped model server twice and waits for the alert about it: rules that Prometheus has loaded are
// known to work, one of them from end to end.
func alertFires(t *testing.T, s *stack) {
	var loaded struct {
		Data struct {
			Groups []struct {
				Rules []struct{ Name, Health, LastError string }
			}
		}
	}
	eventually(t, func() error {
		do(t, "GET", s.prometheus+"/api/v1/rules", nil).want(t, http.StatusOK).decode(t, &loaded)
		n := 0
		for _, g := range loaded.Data.Groups {
			for _, r := range g.Rules {
				n++
				if r.Health != "ok" {
					return fmt.Errorf("rule %s is %s: %s", r.Name, r.Health, r.LastError)
				}
			}
		}
		if want := len(rules(t)); n != want {
			return fmt.Errorf("Prometheus has %d rules, deploy/rules %d", n, want)
		}
		return nil
	})
	for n := 1.; n <= 2; n++ {
		s.kill(t, mockLLM)
		s.revive(t, mockLLM)
		eventually(t, func() error {
			got, err := s.query(t, `changes(process_start_time_seconds{job="vllm"}[30m])`)
			if err == nil && got != n {
				err = fmt.Errorf("Prometheus saw %v restarts, want %v", got, n)
			}
			return err
		})
	}
	eventually(t, func() error {
		_, err := s.query(t, `ALERTS{alertname="FluidMCPModelServerRestarting",alertstate="firing",severity="warning",instance="vllm:8000"}`)
		return err
	})
	eventually(t, func() error { return s.ask(t, mockLLM) })
}

// mayBeEmpty are parts of queries that have no answer where model servers are containers, with the reason.
var mayBeEmpty = map[string]string{
	"fluidmcp_model_restarts_total":    "the supervisor does not start containers",
	"fluidmcp_model_failures_total":    "the same",
	"fluidmcp_model_start_seconds":     "the same",
	"fluidmcp_model_rollouts_total":    "nor does it replace them",
	"fluidmcp_model_retirements_total": "nor stop those that nobody asks for",
}

// everyQueryAnswered asks what dashboards, rules and docs/metrics.md ask, after traffic of all kinds. An error is a query that
// Prometheus cannot read; no answer is a panel that stays empty, or an alert that never fires.
func everyQueryAnswered(t *testing.T, s *stack) {
	open := s.questions(t)
	if len(open) < 150 {
		t.Errorf("only %d queries", len(open))
	}
	for part := range mayBeEmpty {
		if !slices.ContainsFunc(open, func(q question) bool { return strings.Contains(q.expr, part) }) {
			t.Errorf("no query has %s; take it off the list", part)
		}
	}
	s.mixedTraffic(t)
	eventuallyWithin(t, 2*time.Minute, func() error { // rules of long windows are evaluated each half minute
		s.traffic(t)
		var silent []question
		for _, q := range open {
			values, err := s.values(t, q.expr)
			if err != nil {
				t.Fatalf("%s: %v", q.where, err)
			}
			if len(values) == 0 && !s.excused(q.expr) {
				silent = append(silent, q)
			}
		}
		open = silent
		if len(open) > 0 {
			return fmt.Errorf("%d queries without an answer, such as %s: %s", len(open), open[0].where, open[0].expr)
		}
		return nil
	})
	for _, q := range s.alertExpressions(t) { // empty as long as all is well
		if _, err := s.values(t, q.expr); err != nil {
			t.Errorf("%s: %v", q.where, err)
		}
		for _, name := range metricName.FindAllString(q.expr, -1) {
			eventually(t, func() error { // when a scrape comes too late, nobody has anything until the next
				if values, err := s.values(t, `count({__name__="`+name+`"})`); (err != nil || len(values) == 0) && !s.excused(name) {
					return fmt.Errorf("%s: nobody has %s (%w)", q.where, name, err)
				}
				return nil
			})
		}
	}
}

// metricName finds metrics and recorded series in a query.
var metricName = regexp.MustCompile(`\b(?:model:)?(?:fluidmcp[_:]|vllm:|process_)[\w:]+|\bup\b`)

func (s *stack) excused(expr string) bool {
	if s.processes {
		return false
	}
	for part := range mayBeEmpty {
		if strings.Contains(expr, part) {
			return true
		}
	}
	return false
}

// traffic is what keeps rates above zero: plain and streamed answers, with prompts that a prefix cache knows.
func (s *stack) traffic(t *testing.T) {
	t.Helper()
	long := user(strings.Repeat("The same words again. ", 80))
	for range 2 {
		do(t, "POST", s.gateway+"/llm/pair/chat/completions", map[string]any{"messages": long}).want(t, http.StatusOK)
		do(t, "POST", s.gateway+"/llm/mock-llm/chat/completions", map[string]any{"messages": long}).want(t, http.StatusOK)
		stream(t, s.gateway+"/llm/mock-llm/chat/completions", map[string]any{"messages": long, "stream": true})
	}
}

// mixedTraffic is what goes wrong at times: mistakes of clients, a limit, failures and a server that is too slow.
func (s *stack) mixedTraffic(t *testing.T) {
	t.Helper()
	ask := func(path string, body any, status int) {
		t.Helper()
		do(t, "POST", s.gateway+path, body).want(t, status)
	}
	ask("/llm/mock-llm/chat/completions", `[]`, http.StatusBadRequest)
	ask("/llm/nobody/chat/completions", hello, http.StatusNotFound)
	s.faults(t, mockLLM, `{"rules":[{"do":{"rate_limit":{"requests":1,"window":"60s"}}}]}`)
	ask("/llm/mock-llm/chat/completions", hello, http.StatusOK)
	ask("/llm/mock-llm/chat/completions", hello, http.StatusTooManyRequests)
	s.faults(t, mockLLM, `{"rules":[{"do":{"status":500}}]}`)
	ask("/llm/mock-llm/chat/completions", hello, http.StatusInternalServerError)
	s.faults(t, mockLLM, `{"rules":[{"do":{"delay":"1m"}}]}`)
	ask("/llm/impatient/chat/completions", hello, http.StatusGatewayTimeout)
	s.faults(t, mockLLM, `{"rules":[]}`)
}
