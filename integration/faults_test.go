package integration

import (
	"net/http"
	"strconv"
	"testing"
	"time"
)

// The three scenarios of docs/testing-without-a-gpu.md, switched on while the server runs. The flags that do the same are tested with mockvllm.

func slowModel(t *testing.T, s *stack) {
	s.faults(t, mockLLM, `{"rules":[{"do":{"delay":"5s"}}]}`)
	start := time.Now()
	do(t, "POST", s.gateway+"/llm/mock-llm/chat/completions", hello).want(t, http.StatusOK)
	if took := time.Since(start); took < 5*time.Second { // a lower bound holds on any machine
		t.Errorf("answered after %s", took)
	}
	s.faults(t, mockLLM, `{"rules":[{"do":{"delay":"1m"}}]}`) // which no machine is late by
	for _, streamed := range []bool{false, true} {
		do(t, "POST", s.gateway+"/llm/impatient/chat/completions", map[string]any{"messages": user("x"), "stream": streamed}).
			wantFailure(t, http.StatusGatewayTimeout, "upstream_timeout")
	}
}

func randomErrors(t *testing.T, s *stack) {
	outcomes := func() (pattern string, failed int) {
		s.faults(t, mockLLM, `{"seed":7,"rules":[{"match":{"percent":20},"do":{"status":500,"message":"Model error"}}]}`)
		for range 100 {
			a := do(t, "POST", s.gateway+"/llm/mock-llm/chat/completions", map[string]any{"messages": user("x")})
			pattern += strconv.Itoa(a.status) + " "
			if a.status == http.StatusInternalServerError {
				failed++
				if e := parseFailure(t, a.body, ""); *e.Message != "Model error" {
					t.Fatalf("message %q", *e.Message)
				}
			} else {
				a.want(t, http.StatusOK)
			}
		}
		return pattern, failed
	}
	first, failed := outcomes()
	if failed < 8 || failed > 35 { // a binomial of 100 at 20 % leaves this range once in 3,000 seeds; the seed is fixed
		t.Errorf("%d of 100 failed at 20 %%", failed)
	}
	if second, _ := outcomes(); first != second {
		t.Errorf("the same seed gave other outcomes:\n%s\n%s", first, second)
	}
}

func rateLimit(t *testing.T, s *stack) {
	s.faults(t, mockLLM, `{"rules":[{"do":{"rate_limit":{"requests":10,"window":"60s"}}}]}`)
	for range 10 {
		do(t, "POST", s.gateway+"/llm/mock-llm/chat/completions", hello).want(t, http.StatusOK)
	}
	a := do(t, "POST", s.gateway+"/llm/mock-llm/chat/completions", hello)
	a.wantFailure(t, http.StatusTooManyRequests, "")
	if seconds, err := strconv.Atoi(a.header.Get("Retry-After")); err != nil || seconds < 1 || seconds > 60 {
		t.Errorf("Retry-After %q", a.header.Get("Retry-After"))
	}
}
