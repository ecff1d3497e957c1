package gateway_test

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
	"github.com/fluidmcp/fluidmcp/services/gateway"
)

func TestRecovery(t *testing.T) {
	b := newBackend(t, vllm)
	f := start(t, func(c *gateway.Config) { c.ProbeInterval = 10 * time.Millisecond }, model("m", b.URL))
	b.kill()
	f.awaitMetric(`fluidmcp_backend_up{backend="m-0",model="m"}`, 0)
	if a := f.post("/llm/m/chat/completions", hello); a.status != 502 {
		t.Fatalf("got %d %s", a.status, a.body)
	}
	back := newBackend(t, vllm)
	f.deploy(model("m", back.URL))
	if a := f.post("/llm/m/chat/completions", hello); a.status != 200 {
		t.Fatalf("after the return: %d %s", a.status, a.body)
	}
	f.awaitMetric(`fluidmcp_backend_up{backend="m-0",model="m"}`, 1)
}

func TestUnavailableDuringARestart(t *testing.T) {
	for _, phase := range []fleet.Phase{fleet.Draining, fleet.Stopping} {
		front := start(t, nil, fleet.Model{ID: "m", Phase: phase, Reason: fleet.Restarting, Message: "requests in flight may finish"})
		a := front.post("/v1/chat/completions", `{"model":"m"}`)
		if a.status != 503 || a.code() != "model_loading" || !strings.Contains(a.body, "is restarting. Try again shortly.") {
			t.Errorf("%s: %d %s", phase, a.status, a.body)
		}
	}
}

func TestUnavailable(t *testing.T) {
	check := func(m fleet.Model, code, words string) {
		t.Helper()
		phase := m.Phase
		front := start(t, nil, m)
		a := front.post("/v1/chat/completions", `{"model":"m"}`)
		if a.status != 503 || a.code() != code || !strings.Contains(a.body, words) || a.header.Get("Retry-After") == "" {
			t.Errorf("%s: %d %s, Retry-After %q", phase, a.status, a.body, a.header.Get("Retry-After"))
		}
		front.awaitMetric(`fluidmcp_errors_total{model="m",reason="no_backend"}`, 1)
		if err := front.stop(); err != nil {
			t.Error(err)
		}
	}
	f := func(phase fleet.Phase, code, words string) {
		t.Helper()
		check(fleet.Model{ID: "m", Phase: phase, Reason: "CrashLoop", Message: "the server exited with code 2"}, code, words)
	}
	check(fleet.Model{ID: "m", Phase: fleet.Starting, Message: "loading weights 43 %"}, "model_loading",
		`\"m\" is not ready yet: loading weights 43 %. Try again shortly.`)
	f(fleet.Stopped, "model_stopped", "POST /api/llm/models/m/start")
	f(fleet.Draining, "model_stopped", "is draining")
	f(fleet.Pending, "model_loading", "is loading")
	f(fleet.Starting, "model_loading", "is loading")
	f(fleet.Backoff, "model_failed", "Reason: CrashLoop: the server exited with code 2.")
	f(fleet.Failed, "model_failed", "not restarted by itself")
	f(fleet.Unhealthy, "model_unavailable", "none of its servers takes requests")
}

// TestExactCounts sends many requests at once and counts them.
func TestExactCounts(t *testing.T) {
	one, two := newBackend(t, vllm), newBackend(t, vllm)
	f := start(t, nil, model("m", one.URL, two.URL))
	const clients, each = 20, 15
	var all sync.WaitGroup
	for range clients {
		all.Go(func() {
			for i := range each {
				path, body := "/llm/m/chat/completions", hello
				if i%3 == 1 {
					body = chatStream
				}
				if i%3 == 2 {
					body = `{"model":1,"model":2}`
				}
				if resp := tryOpen(t.Context(), f.url+path, body); resp != nil {
					_, _ = io.Copy(io.Discard, resp.Body)
					resp.Body.Close()
				}
			}
		})
	}
	all.Wait()
	f.awaitMetric(`fluidmcp_requests_total{code="200",endpoint="chat_completions",model="m"}`, clients*each*2/3)
	f.awaitMetric(`fluidmcp_requests_total{code="400",endpoint="chat_completions",model="m"}`, clients*each/3)
	f.awaitMetric(`fluidmcp_request_duration_seconds_count{endpoint="chat_completions",model="m"}`, clients*each)
	f.awaitMetric(`fluidmcp_errors_total{model="m",reason="bad_request"}`, clients*each/3)
	f.awaitMetric(`fluidmcp_inflight_requests{model="m"}`, 0)
	if a, b := len(one.requests()), len(two.requests()); a == 0 || b == 0 || a+b != clients*each*2/3 {
		t.Errorf("the backends saw %d and %d requests", a, b)
	}
}

// TestKillOneOfThree: whoever got no byte yet does not notice.
func TestKillOneOfThree(t *testing.T) {
	const clients = 60
	release := make(chan struct{})
	var waiting sync.WaitGroup // requests that have arrived at their first backend
	waiting.Add(clients)
	script := func(c *exchange) {
		select {
		case <-release: // a request that the killed backend had
		default:
			waiting.Done()
			<-release
		}
		vllm(c)
	}
	doomed := newBackend(t, func(c *exchange) {
		waiting.Done()
		c.gone()
	})
	f := start(t, nil, model("m", doomed.URL, newBackend(t, script).URL, newBackend(t, script).URL))
	var all sync.WaitGroup
	for i := range clients {
		all.Go(func() {
			body := hello
			if i%2 == 0 {
				body = chatStream
			}
			if a := f.post("/llm/m/chat/completions", body); a.status != 200 || a.err != nil {
				t.Errorf("got %d %s %v", a.status, a.body, a.err)
			}
		})
	}
	waiting.Wait()
	lost := len(doomed.requests())
	close(release)
	doomed.kill()
	all.Wait()
	if lost == 0 {
		t.Error("nothing was at the backend that was killed")
	}
	f.awaitMetric(`fluidmcp_requests_total{code="200",endpoint="chat_completions",model="m"}`, clients)
	// A request that was on a connection used before, as by a probe, is first sent again by the transport, and then fails to
	// connect.
	retries := func() float64 {
		return f.metric(`fluidmcp_retries_total{model="m",reason="reset"}`) + f.metric(`fluidmcp_retries_total{model="m",reason="connect"}`)
	}
	await(t, fmt.Sprintf("%d retries, have %v", lost, retries()), func() bool { return retries() == float64(lost) })
	f.awaitMetric(`fluidmcp_inflight_requests{model="m"}`, 0)
}
