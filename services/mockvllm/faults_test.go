package mockvllm_test

import (
	"context"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/journal"
)

func itoa(n int) string { return strconv.Itoa(n) }

// outcomes sends n chats and writes one letter for each: o for an answer, x for an error, l for the limit.
func (s *server) outcomes(n int) string {
	s.t.Helper()
	var b strings.Builder
	for range n {
		resp := s.do("POST", chatPath, chatBody("x", ""))
		switch resp.StatusCode {
		case http.StatusOK:
			b.WriteByte('o')
		case http.StatusInternalServerError:
			b.WriteByte('x')
		case http.StatusTooManyRequests:
			b.WriteByte('l')
		default:
			s.t.Fatalf("unexpected %s", resp.Status)
		}
		_ = resp.Body.Close()
	}
	return b.String()
}

func TestErrorRateIsExactAndRepeatable(t *testing.T) {
	first := start(t, "--mock-error-rate", "0.2", "--mock-seed", "7").outcomes(50)
	if got := strings.Count(first, "x"); got != 10 {
		t.Errorf("%d errors in 50 requests, want 10: %s", got, first)
	}
	if again := start(t, "--mock-error-rate", "0.2", "--mock-seed", "7").outcomes(50); again != first {
		t.Errorf("the same seed gives\n%s and\n%s", first, again)
	}
	if other := start(t, "--mock-error-rate", "0.2", "--mock-seed", "8").outcomes(50); other == first {
		t.Errorf("another seed gives the same: %s", other)
	}
}

func TestErrorEnvelopes(t *testing.T) {
	s := start(t, "--mock-error-rate", "1")
	status, r := s.refusal(chatPath, chatBody("x", ""))
	if status != 500 || r.Error.Message != "Model error" || r.Error.Type != "InternalServerError" || r.Error.Param != nil {
		t.Errorf("%d %+v", status, r.Error)
	}
	if status, _ := s.call("GET", "/health", ""); status != 200 {
		t.Errorf("health %d: a rule without a path is for answers only", status)
	}
}

// An error is what vLLM would make of it at its place: Anthropic's interface has an envelope of its own.
func TestErrorsOfAFaultAreThoseOfTheInterface(t *testing.T) {
	s := start(t)
	f := func(path, do string, status int, want string) {
		t.Helper()
		resp := s.do("POST", path, `{"model":"mock-model","max_tokens":3,"messages":[{"role":"user","content":"x"}]}`, "X-Mock-Fault", do)
		got, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != status || string(got) != want {
			t.Errorf("%s %s: %d %s %v\nwant %d %s", path, do, resp.StatusCode, got, err, status, want)
		}
	}
	anthropic := func(kind, message string) string {
		return `{"type":"error","error":{"type":"` + kind + `","message":"` + message + `"}}`
	}
	openai := func(kind, message string, code int) string {
		return `{"error":{"message":"` + message + `","type":"` + kind + `","param":null,"code":` + strconv.Itoa(code) + `}}`
	}
	f(messagesPath, "status=500, message=Model error", 500, anthropic("InternalServerError", "Model error"))
	f(messagesPath, "status=503, message=busy", 503, anthropic("Service Unavailable", "busy"))
	f(messagesPath, "status=429, message=slow down", 429, anthropic("RateLimitError", "slow down"))
	f(messagesPath+"/count_tokens", "status=404, message=gone", 404, anthropic("NotFoundError", "gone"))
	f(messagesPath, `{"status":502,"body":"bad gateway"}`, 502, "bad gateway")
	f(messagesPath+"/render", "status=400, message=no", 400, openai("BadRequestError", "no", 400))
	f(chatPath, "status=422, message=no", 422, openai("UnprocessableEntityError", "no", 422))
	f(chatPath, "status=501, message=no", 501, openai("NotImplementedError", "no", 501))
	f(chatPath, "status=499, message=no", 499, openai("InternalServerError", "no", 499))
}

func TestRateLimit(t *testing.T) {
	s := start(t, "--mock-rate-limit", "10/60s")
	if got := s.outcomes(12); got != "ooooooooooll" {
		t.Errorf("outcomes %s", got)
	}
	resp := s.do("POST", chatPath, chatBody("x", ""))
	after, err := strconv.Atoi(resp.Header.Get("Retry-After"))
	if err != nil || after < 1 || after > 60 {
		t.Errorf("Retry-After %q", resp.Header.Get("Retry-After"))
	}
	if _, r := s.refusal(completionPath, `{"prompt":"x"}`); r.Error.Message != "Rate limit exceeded" || r.Error.Type != "RateLimitError" {
		t.Errorf("%+v", r.Error)
	}
}

func TestDelay(t *testing.T) {
	s := start(t, "--mock-delay", "1h")
	ctx, leave := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		resp, err := s.client.Do(s.request(ctx, "POST", chatPath, chatBody("x", "")))
		if err == nil {
			_ = resp.Body.Close()
		}
		done <- err
	}()
	for text := ""; !strings.Contains(text, `"in_flight":1`); {
		_, text = s.call("GET", "/mock/stats", "")
	}
	s.call("GET", "/v1/models", "")
	select {
	case err := <-done:
		t.Fatalf("answered at once: %v", err)
	default:
	}
	leave()
	if err := <-done; err == nil {
		t.Error("answered")
	}
	if all := s.journal(2, ""); all[1].AbortedBy != journal.ByClient { // after the list of models
		t.Errorf("%+v", all)
	}
	s.call("DELETE", "/mock/faults", "")
	if got := s.outcomes(1); got != "o" {
		t.Errorf("without the delay: %s", got)
	}
	if got := s.metric(running); got != "0" {
		t.Errorf("running = %s", got)
	}
}

func TestFaultsAtRunTime(t *testing.T) {
	s := start(t, "--mock-error-rate", "0.5", "--mock-seed", "3")
	f := func(method, body string, want int, answer string) {
		t.Helper()
		if status, got := s.call(method, "/mock/faults", body); status != want || got != answer {
			t.Errorf("%s %s: %d %s\nwant %d %s", method, body, status, got, want, answer)
		}
	}
	f("GET", "", 200, `{"seed":3,"rules":[{"match":{"percent":50},"do":{"status":500}}]}`)
	const set = `{"seed":1,"rules":[{"match":{"path":"/v1/completions"},"do":{"status":503,"message":"busy"}},{"do":{"rate_limit":{"requests":1,"window":"1m0s"}}}]}`
	f("PUT", set, 200, set)
	f("GET", "", 200, set)
	if status, r := s.refusal(completionPath, `{"prompt":"x"}`); status != 503 || r.Error.Message != "busy" {
		t.Errorf("%d %+v", status, r.Error)
	}
	if got := s.outcomes(2); got != "ol" { // the completion failed before the limit counted it
		t.Errorf("outcomes %s", got)
	}
	f("PUT", `{"seed":1,"rules":[],"rule":[]}`, 400, `{"error":{"message":"rule: unknown field; did you mean \"rules\"?","type":"BadRequestError","param":null,"code":400}}`)
	f("GET", "", 200, set)
	f("DELETE", "", 204, "")
	f("GET", "", 200, `{"seed":0,"rules":[]}`)
	if got := s.outcomes(3); got != "ooo" {
		t.Errorf("outcomes %s", got)
	}
	f("POST", "{}", 405, `{"detail":"Method Not Allowed"}`)
	refused := s.do("POST", "/mock/faults", "{}")
	refused.Body.Close()
	if allow := refused.Header.Get("Allow"); allow != "GET, PUT, DELETE" {
		t.Errorf("Allow: %s", allow)
	}
}

func TestARuleMayNameAnyPath(t *testing.T) {
	s := start(t)
	s.call("PUT", "/mock/faults", `{"rules":[{"match":{"path":"/health"},"do":{"status":503}}]}`)
	if status, _ := s.call("GET", "/health", ""); status != 503 {
		t.Errorf("health %d", status)
	}
	s.call("PUT", "/mock/faults", `{"rules":[{"match":{"path":"/mock/faults"},"do":{"status":503}}]}`)
	if status, _ := s.call("GET", "/mock/faults", ""); status != 200 {
		t.Errorf("the way to take rules back is gone: %d", status)
	}
}

// TestTheJournalTellsRules: which of the list, by place, were at work on a request; its own X-Mock-Fault is none of them.
func TestTheJournalTellsRules(t *testing.T) {
	s := start(t)
	s.call("PUT", "/mock/faults", `{"rules":[{"match":{"path":"/v1/models"},"do":{"status":503}},{"match":{"nth":2},"do":{"delay":"1ms"}},
		{"match":{"path":"/no/route"},"do":{"status":429}},{"do":{"rate_limit":"2/1h"}}]}`)
	f := func(path, fault string, status int, rules ...int) {
		t.Helper()
		if got, text := s.call("POST", path, `{"prompt":"x"}`, "X-Mock-Fault", fault); got != status {
			t.Errorf("%s: %d %s, want %d", path, got, text, status)
		}
		if r := s.lastRecord(); !slices.Equal(r.Rules, rules) {
			t.Errorf("%s: rules %v, want %v", path, r.Rules, rules)
		}
	}
	f(completionPath, "split=4", http.StatusOK)
	f(completionPath, "", http.StatusOK, 1)
	f("/v1/models", "", http.StatusServiceUnavailable, 0)
	f("/no/route", "", http.StatusTooManyRequests, 2)
	f(completionPath, "", http.StatusTooManyRequests, 3)
	s.call("DELETE", "/mock/faults", "")
	s.call("POST", completionPath, `{"prompt":"x"}`)
	if _, text := s.call("GET", "/mock/requests", ""); !strings.Contains(text, `"rules":[]`) {
		t.Error(text)
	}
}
