package gateway_test

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
	"github.com/fluidmcp/fluidmcp/services/gateway"
)

// onDemand is a model that requests start.
func onDemand(m fleet.Model, phase fleet.Phase, reason string) fleet.Model {
	m.OnDemand, m.Phase, m.Reason = true, phase, reason
	m.Backends = append([]fleet.Backend{}, m.Backends...)
	for i := range m.Backends {
		m.Backends[i].Routable = phase == fleet.Ready
	}
	return m
}

// ask sends n requests beside the test and returns their answers as they come.
func (f *front) ask(n int, path, body string) <-chan answer {
	answers := make(chan answer, n)
	var all sync.WaitGroup
	for range n {
		all.Go(func() { answers <- f.post(path, body) })
	}
	f.t.Cleanup(all.Wait)
	return answers
}

// TestOnDemand: requests for a model that is not there are held and told of, and all of them are answered once it is.
func TestOnDemand(t *testing.T) {
	m := model("m", newBackend(t, vllm).URL)
	f := start(t, nil, onDemand(m, fleet.Stopped, "OnDemand"))
	if list := f.do("GET", "/v1/models", ""); !strings.Contains(list.body, `"id":"m"`) {
		t.Errorf("it is not listed: %s", list.body)
	}
	const many = 100
	answers := f.ask(many, "/llm/m/chat/completions", hello)
	f.awaitBeat(t, "the first that waits", func(hb fleet.Heartbeat) bool { return hb.Queued["m"] > 0 })
	f.awaitMetric(`fluidmcp_queued_requests{model="m"}`, many)
	for _, phase := range []fleet.Phase{fleet.Pending, fleet.Starting, fleet.Backoff, fleet.Starting} {
		f.deploy(onDemand(m, phase, ""))
	}
	f.awaitMetric(`fluidmcp_queued_requests{model="m"}`, many)
	f.deploy(onDemand(m, fleet.Ready, ""))
	for range many {
		if a := <-answers; a.status != 200 {
			t.Fatalf("%d %s", a.status, a.body)
		}
	}
	f.awaitBeat(t, "a time of use and nothing waiting", func(hb fleet.Heartbeat) bool {
		return hb.Queued["m"] == 0 && hb.Inflight["m-0"] == 0 && time.Since(hb.LastUsed["m"]) < patience
	})
	// One that is being retired takes nothing new, and loses nothing.
	f.deploy(onDemand(m, fleet.Draining, "Idle"))
	answers = f.ask(1, "/llm/m/chat/completions", hello)
	f.awaitBeat(t, "one that waits", func(hb fleet.Heartbeat) bool { return hb.Queued["m"] == 1 })
	f.deploy(onDemand(m, fleet.Ready, ""))
	if a := <-answers; a.status != 200 {
		t.Errorf("%d %s", a.status, a.body)
	}
}

func TestOnDemandThatCannotWait(t *testing.T) {
	m := model("m", newBackend(t, vllm).URL)
	m.Limits, m.Timeouts.Load = fleet.Limits{Queue: 1, KeepAlive: true}, time.Hour
	f := start(t, func(c *gateway.Config) { c.KeepAliveInterval, c.ListLoading = 20*time.Millisecond, false }, onDemand(m, fleet.Stopped, "OnDemand"))
	const chat = "/llm/m/chat/completions"
	ctx, leave := context.WithCancel(t.Context())
	resp := f.open(ctx, "POST", chat, chatStream)
	if _, err := io.ReadFull(resp.Body, make([]byte, len(": waiting\n\n"))); err != nil {
		t.Fatal(err)
	}
	loading := onDemand(m, fleet.Starting, "")
	loading.Message = "loading weights, 40 %"
	f.deploy(loading)
	a := f.post(chat, hello)
	if a.status != 503 || a.code() != "model_loading" || a.header.Get("Retry-After") == "" || !strings.Contains(a.body, "loading weights, 40 %") ||
		!strings.Contains(a.body, "1 requests wait for it already") {
		t.Errorf("one too many: %d %v %s", a.status, a.header, a.body)
	}
	leave()
	resp.Body.Close()
	f.awaitMetric(`fluidmcp_queued_requests{model="m"}`, 0)
	f.awaitMetric(`fluidmcp_streams_total{model="m",outcome="client_closed"}`, 1)

	if a := f.do("POST", chat, hello, "X-Request-Timeout", "10ms"); a.status != 504 || a.code() != "deadline_exceeded" {
		t.Errorf("one with a deadline: %d %s", a.status, a.body)
	}
	m.Timeouts.Load = 50 * time.Millisecond
	loading.Timeouts = m.Timeouts
	f.deploy(loading)
	if a := f.post(chat, hello); a.status != 503 || a.code() != "model_loading" || !strings.Contains(a.body, "loading weights, 40 %") {
		t.Errorf("one that waited too long: %d %s", a.status, a.body)
	}

	// A start that fails for good is told to everybody who waits, and to who comes later; then it is no more in the list.
	m.Timeouts.Load, m.Limits.Queue = time.Hour, 10
	f.deploy(onDemand(m, fleet.Starting, ""))
	plain, stream := f.ask(3, chat, hello), f.ask(2, chat, chatStream)
	f.awaitMetric(`fluidmcp_queued_requests{model="m"}`, 5)
	if list := f.do("GET", "/v1/models", ""); !strings.Contains(list.body, `"id":"m"`) {
		t.Errorf("it is not listed: %s", list.body)
	}
	failed := onDemand(m, fleet.Failed, "GPUOutOfMemory")
	failed.Message = "CUDA out of memory"
	f.deploy(failed)
	told := func(a answer) {
		t.Helper()
		if !strings.Contains(a.body, `"code":"model_failed"`) || !strings.Contains(a.body, "GPUOutOfMemory: CUDA out of memory") {
			t.Errorf("%d %s", a.status, a.body)
		}
	}
	for range 3 {
		told(<-plain)
	}
	for range 2 {
		told(<-stream)
	}
	told(f.post(chat, hello))
	if list := f.do("GET", "/v1/models", ""); strings.Contains(list.body, `"id":"m"`) {
		t.Errorf("it is still listed: %s", list.body)
	}
	f.awaitMetric(`fluidmcp_inflight_requests{model="m"}`, 0)
}

// TestOnDemandComesAndGoes: whatever moment a model is retired at, no request fails.
func TestOnDemandComesAndGoes(t *testing.T) {
	m := model("m", newBackend(t, vllm).URL)
	f := start(t, nil, onDemand(m, fleet.Ready, ""))
	stop := make(chan struct{})
	var answered atomic.Int64
	var clients sync.WaitGroup
	for range 8 {
		clients.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if a := f.post("/llm/m/chat/completions", hello); a.status != 200 {
					t.Errorf("%d %s", a.status, a.body)
					return
				}
				answered.Add(1)
			}
		})
	}
	for n := range 100 {
		f.deploy(onDemand(m, []fleet.Phase{fleet.Draining, fleet.Stopped}[n%2], "Idle"))
		f.deploy(onDemand(m, fleet.Ready, ""))
		before := answered.Load()
		await(t, fmt.Sprint("answers after turn ", n), func() bool { return answered.Load() > before || t.Failed() })
	}
	close(stop)
	clients.Wait()
}
