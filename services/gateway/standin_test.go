package gateway_test

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
	"github.com/fluidmcp/fluidmcp/services/gateway"
)

// named answers a chat with its own name, and status.
func named(name string, status int) func(c *exchange) {
	return func(c *exchange) { c.plain(status, fmt.Sprintf(`{"from":%q,"asked":%s}`, name, c.body)) }
}

func TestFallbacks(t *testing.T) {
	second := newBackend(t, named("second", 200))
	f := func(name string, first fleet.Model, status int, from, servedBy string) {
		t.Run(name, func(t *testing.T) {
			first.ID, first.Routing.Fallbacks = "first", []string{"gone", "second"}
			var impatient func(*gateway.Config)
			if status == 504 {
				impatient = quick
			}
			front := start(t, impatient, first, model("second", second.URL))
			a := front.post("/v1/chat/completions", `{"model":"first"}`)
			if a.status != status || !strings.Contains(a.body, `"`+from+`"`) || a.header.Get("X-Fluidmcp-Model") != servedBy {
				t.Errorf("got %d %v %s; want %d from %s", a.status, a.header, a.body, status, from)
			}
			if servedBy != "" {
				if !strings.Contains(a.body, `"asked":{"model":"second-served"}`) {
					t.Errorf("the stand-in was asked for another model: %s", a.body)
				}
				front.awaitMetric(`fluidmcp_diverted_requests_total{model="first",served_by="second"}`, 1)
				front.awaitMetric(`fluidmcp_requests_total{code="200",endpoint="chat_completions",model="second"}`, 1)
			}
			front.awaitMetric(`fluidmcp_inflight_requests{model="first"}`, 0)
			front.awaitMetric(`fluidmcp_inflight_requests{model="second"}`, 0)
		})
	}
	with := func(play func(c *exchange)) fleet.Model { return model("first", newBackend(t, play).URL) }
	refuses := newBackend(t, vllm)
	refuses.kill()
	f("stopped", fleet.Model{Phase: fleet.Stopped}, 200, "second", "second")
	f("refused", model("first", refuses.URL), 200, "second", "second")
	f("lost", with(func(c *exchange) { c.conn.Close() }), 200, "second", "second")
	f("unavailable", with(named("first", 503)), 200, "second", "second")
	f("ending", with(func(c *exchange) {
		c.plain(500, `{"error":{"message":"cannot schedule new futures after shutdown","type":"InternalServerError","param":null,"code":500}}`)
	}), 200, "second", "second")
	f("well", with(named("first", 200)), 200, "first", "")
	f("a model's own failure", with(named("first", 500)), 500, "first", "")
	f("a fault of the client", with(named("first", 400)), 400, "first", "")
	f("too slow", with((*exchange).gone), 504, "upstream_timeout", "")
}

// TestEndingServers: what vLLM says when its engine goes means that another replica should be asked, also in a stream.
func TestEndingServers(t *testing.T) {
	const dying = `data: {"error": {"message": "EngineCore encountered an issue. See stack trace (above) for the root cause.", "type": "InternalServerError", "param": null, "code": 500}}` + "\n\n"
	bad := newBackend(t, func(c *exchange) { c.stream(dying, doneFrame) })
	good := newBackend(t, vllm)
	m := model("m", bad.URL, good.URL)
	m.Routing.Policy = fleet.RoundRobin
	f := start(t, nil, m)
	for range 4 {
		if a := f.post("/v1/chat/completions", chatStream); a.status != 200 || !strings.HasSuffix(a.body, doneFrame) || strings.Contains(a.body, "error") {
			t.Errorf("%d %q", a.status, a.body)
		}
	}
	if len(bad.requests()) == 0 {
		t.Error("the ending server was never asked")
	}
	// What it had of a plain answer when it was told to stop is not all of it.
	const part = `{"choices":[{"index":0,"message":{"role":"assistant","content":"Once"},"finish_reason":"abort"}],"usage":{"completion_tokens":1}}`
	stopped := newBackend(t, func(c *exchange) { c.plain(200, part) })
	m = model("m", stopped.URL, good.URL)
	m.Routing.Policy = fleet.RoundRobin
	f.deploy(m, model("alone", stopped.URL))
	for range 4 {
		if a := f.post("/llm/m/chat/completions", hello); a.status != 200 || a.body != chatAnswer {
			t.Errorf("%d %q", a.status, a.body)
		}
	}
	if a := f.post("/llm/alone/chat/completions", hello); a.status != 200 || a.body != part {
		t.Errorf("where no other server is: %d %q", a.status, a.body)
	}
	// Nor is what it had of a stream, where nothing can be taken back.
	leaving := newBackend(t, func(c *exchange) {
		c.stream(roleFrame, helloFrame, strings.Replace(finishFrame, `"stop"`, `"abort"`, 1), usageFrame, doneFrame)
	})
	f.deploy(m, model("alone", leaving.URL))
	if a := f.post("/llm/alone/chat/completions", chatStream); !strings.Contains(a.body, `"finish_reason":"abort"`) || !strings.HasSuffix(a.body, interrupted) || strings.Contains(a.body, "[DONE]") {
		t.Errorf("a stream: %d %q", a.status, a.body)
	}
	f.awaitMetric(`fluidmcp_streams_total{model="alone",outcome="interrupted"}`, 1)
	before := len(bad.requests()) + len(stopped.requests()) - 1
	// Words of a model are not those of its server.
	quoting := newBackend(t, func(c *exchange) { c.plain(200, `{"text":"EngineCore encountered an issue"}`) })
	f.deploy(model("m", quoting.URL, good.URL))
	for range 4 {
		f.post("/v1/chat/completions", hello)
	}
	f.awaitMetric(`fluidmcp_retries_total{model="m",reason="unavailable"}`, float64(before))
}

func TestCanary(t *testing.T) {
	usual := model("usual", newBackend(t, named("usual", 200)).URL)
	usual.Routing = fleet.Routing{Canary: []fleet.Share{{Model: "next", Percent: 50}}, SessionHeader: "X-Session"}
	f := start(t, nil, usual, model("next", newBackend(t, named("next", 200)).URL))
	from := map[string]int{}
	for i := range 60 {
		a := f.do("POST", "/v1/chat/completions", `{"model":"usual"}`, "X-Session", fmt.Sprint(i))
		b := f.do("POST", "/v1/chat/completions", `{"model":"usual"}`, "X-Session", fmt.Sprint(i))
		if a.body != b.body {
			t.Errorf("session %d: %s, then %s", i, a.body, b.body)
		}
		served := a.header.Get("X-Fluidmcp-Model")
		if (served == "next") != strings.Contains(a.body, `"from":"next"`) {
			t.Errorf("%s says %q", a.body, served)
		}
		from[served]++
	}
	if from["next"] < 15 || from[""] < 15 {
		t.Errorf("of 60 sessions: %v", from)
	}
}

// TestHedging: a second backend is asked when the first is slower than nearly all before, and the slower one is given up.
func TestHedging(t *testing.T) {
	var mu sync.Mutex
	slow := false
	left := make(chan struct{}, 1)
	b := newBackend(t, func(c *exchange) {
		mu.Lock()
		first := slow
		slow = false
		mu.Unlock()
		if first {
			c.gone()
			left <- struct{}{}
			return
		}
		c.plain(200, chatAnswer)
	})
	m := model("m", b.URL, b.URL)
	m.Routing.Hedge = true
	f := start(t, nil, m)
	for range 30 {
		f.post("/llm/m/chat/completions", hello)
	}
	mu.Lock()
	slow = true
	mu.Unlock()
	if a := f.post("/llm/m/chat/completions", hello); a.status != 200 || a.body != chatAnswer {
		t.Errorf("%d %s", a.status, a.body)
	}
	select {
	case <-left:
	case <-time.After(patience):
		t.Error("the slow backend still works on it")
	}
	if got := f.metric(`fluidmcp_retries_total{model="m",reason="hedged"}`); got < 1 {
		t.Errorf("%v were hedged", got)
	}
	f.awaitMetric(`fluidmcp_inflight_requests{model="m"}`, 0)
	if got := f.metric(`fluidmcp_upstream_attempts_total{backend="m-0",model="m",outcome="canceled"}`) + f.metric(`fluidmcp_upstream_attempts_total{backend="m-1",model="m",outcome="canceled"}`); got < 1 {
		t.Errorf("%v attempts were given up", got)
	}
}

// hedging is a model with n backends that has answered often enough for a second backend to be asked. Then play answers, given
// the backend's number, until it is nil again.
func hedging(t *testing.T, n int) (f *front, then func(play func(i int, c *exchange))) {
	var mu sync.Mutex
	var play func(i int, c *exchange)
	var urls []string
	for i := range n {
		urls = append(urls, newBackend(t, func(c *exchange) {
			mu.Lock()
			now := play
			mu.Unlock()
			if now != nil {
				now(i, c)
				return
			}
			time.Sleep(20 * time.Millisecond) // a model thinks
			c.plain(200, chatAnswer)
		}).URL)
	}
	m := model("m", urls...)
	m.Routing.Hedge = true
	f = start(t, nil, m)
	for range 20 {
		f.post("/llm/m/chat/completions", hello)
	}
	return f, func(p func(i int, c *exchange)) {
		mu.Lock()
		defer mu.Unlock()
		play = p
	}
}

// TestHedgeOverhead: two backends that are waited for at the same time are waited for once.
func TestHedgeOverhead(t *testing.T) {
	f, then := hedging(t, 2)
	for range 4 {
		var asked atomic.Int32
		then(func(_ int, c *exchange) {
			if asked.Add(1) == 1 {
				c.gone()
				return
			}
			time.Sleep(20 * time.Millisecond)
			c.plain(200, chatAnswer)
		})
		f.post("/llm/m/chat/completions", hello)
	}
	if hedged, sum := f.metric(`fluidmcp_retries_total{model="m",reason="hedged"}`), f.metric(`fluidmcp_gateway_overhead_seconds_sum{model="m"}`); hedged < 4 || sum < 0 {
		t.Errorf("%v were hedged; the gateway itself took %v s", hedged, sum)
	}
}

// TestHedgedInVain: when both backends fail, one is asked that was not.
func TestHedgedInVain(t *testing.T) {
	f, then := hedging(t, 3)
	hedges := func() float64 { return f.metric(`fluidmcp_retries_total{model="m",reason="hedged"}`) }
	shown := 0
	for deadline := time.Now().Add(patience); shown < 6; {
		if time.Now().After(deadline) {
			t.Fatal("the third is always found slow")
		}
		before := hedges()
		var mu sync.Mutex
		asked := make(map[int]int)
		both := make(chan struct{})
		then(func(i int, c *exchange) {
			mu.Lock()
			asked[i]++
			n, again := len(asked), asked[i] > 1
			mu.Unlock()
			switch {
			case n == 3 || again:
				c.plain(200, chatAnswer)
				return
			case n == 2:
				close(both)
			}
			<-both
			c.write("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{") // so that the connection is not taken for an old one
			c.conn.Close()
		})
		a := f.post("/llm/m/chat/completions", hello)
		alone := hedges() == before+1 // on a machine that stands still the third is found slow too, and one more is asked beside it
		mu.Lock()
		if a.status != 200 || alone && (len(asked) != 3 || asked[0]+asked[1]+asked[2] != 3) {
			t.Fatalf("%d %s after asking %v", a.status, a.body, asked)
		}
		mu.Unlock()
		if alone {
			shown++
		}
		then(nil)
		f.post("/llm/m/chat/completions", hello)
	}
}

// TestBackendOfAControl: with several servers an administrator has to say which one is meant.
func TestBackendOfAControl(t *testing.T) {
	one, two := newBackend(t, vllm), newBackend(t, vllm)
	f := start(t, nil, model("m", one.URL, two.URL))
	if a := f.post("/llm/m/sleep", ""); a.status != 400 || a.code() != "backend_required" || !strings.Contains(a.body, "m-0, m-1") {
		t.Errorf("%d %s", a.status, a.body)
	}
	if a := f.do("POST", "/llm/m/sleep", "", "X-Fluidmcp-Backend", "none"); a.status != 400 || a.code() != "backend_required" {
		t.Errorf("%d %s", a.status, a.body)
	}
	for range 3 {
		if a := f.do("POST", "/llm/m/sleep", "", "X-Fluidmcp-Backend", "m-1"); a.status != 200 {
			t.Errorf("%d %s", a.status, a.body)
		}
	}
	// Neither a part of the traffic nor what its server cannot do is for another model.
	other := newBackend(t, vllm)
	m := model("m", newBackend(t, named("m", 503)).URL)
	m.Routing = fleet.Routing{Fallbacks: []string{"other"}}
	f.deploy(m, model("other", other.URL))
	if a := f.post("/llm/m/sleep", "{}"); a.status != 503 {
		t.Errorf("a server that cannot: %d %s", a.status, a.body)
	}
	m.Routing = fleet.Routing{Canary: []fleet.Share{{Model: "other", Percent: 100}}}
	f.deploy(m, model("other", other.URL))
	if a := f.post("/llm/m/sleep", "{}"); a.status != 503 || len(other.requests()) != 0 {
		t.Errorf("%d %s; the other model's server was told to sleep %d times", a.status, a.body, len(other.requests()))
	}
	if len(one.requests()) != 0 || len(two.requests()) != 3 {
		t.Errorf("%d at the first, %d at the second", len(one.requests()), len(two.requests()))
	}
}
