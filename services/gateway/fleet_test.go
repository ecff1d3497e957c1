package gateway_test

import (
	"bufio"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
	"github.com/fluidmcp/fluidmcp/services/gateway"
)

func TestBeforeTheFirstSnapshot(t *testing.T) {
	f := startAt(t, newSupervisor(t), nil)
	for _, path := range []string{"/llm/m/chat/completions", "/v1/chat/completions"} {
		if a := f.post(path, `{"model":"m"}`); a.status != 503 || a.code() != "fleet_unknown" || a.header.Get("Retry-After") == "" {
			t.Errorf("POST %s = %d %s", path, a.status, a.body)
		}
	}
	if a := f.do("GET", "/v1/models", ""); a.status != 503 || a.code() != "fleet_unknown" {
		t.Errorf("models: %d %s", a.status, a.body)
	}
	if a := f.do("GET", "/ready", ""); a.status != 503 || a.code() != "not_ready" {
		t.Errorf("ready: %d %s", a.status, a.body)
	}
	if a := f.do("GET", "/health", ""); a.status != 200 || !strings.Contains(a.body, `"models":{"ready":0,"total":0},"supervisor_connected":false`) {
		t.Errorf("health: %d %s", a.status, a.body)
	}
	f.deploy(fleet.Model{ID: "m", Phase: fleet.Starting}, fleet.Model{ID: "n", Phase: fleet.Ready})
	if a := f.do("GET", "/ready", ""); a.status != 200 {
		t.Errorf("ready: %d %s", a.status, a.body)
	}
	if a := f.do("GET", "/health", ""); !strings.Contains(a.body, `"models":{"ready":1,"total":2},"supervisor_connected":true`) {
		t.Errorf("health: %s", a.body)
	}
}

func TestSupervisorGone(t *testing.T) {
	b := newBackend(t, vllm)
	f := start(t, nil, model("m", b.URL))
	f.awaitMetric("fluidmcp_supervisor_connected", 1)
	f.supervisor.stop()
	f.awaitMetric("fluidmcp_supervisor_connected", 0)
	if a := f.post("/llm/m/chat/completions", hello); a.status != 200 {
		t.Errorf("a model that runs answers %d %s", a.status, a.body)
	}
	if a := f.do("GET", "/api/llm/models", ""); a.status != 503 || a.code() != "supervisor_unreachable" {
		t.Errorf("management: %d %s", a.status, a.body)
	}
	if a := f.do("GET", "/ready", ""); a.status != 200 {
		t.Errorf("ready: %d", a.status)
	}
	age := f.metric("fluidmcp_fleet_age_seconds")
	await(t, "a growing age", func() bool { return f.metric("fluidmcp_fleet_age_seconds") > age })
}

// TestDrainOfABackend: the heartbeat that acknowledges a snapshot counts what is still at the backend.
func TestDrainOfABackend(t *testing.T) {
	arrived, finish := make(chan struct{}), make(chan struct{})
	b := newBackend(t, func(c *exchange) {
		close(arrived)
		<-finish
		vllm(c)
	})
	m := model("m", b.URL)
	f := start(t, nil, m)
	done := make(chan int)
	go func() { done <- f.post("/llm/m/chat/completions", hello).status }()
	<-arrived
	m.Phase, m.Backends = fleet.Draining, []fleet.Backend{m.Backends[0]}
	m.Backends[0].Routable = false
	revision := f.publish(m)
	f.awaitBeat(t, "the revision and one in flight", func(hb fleet.Heartbeat) bool {
		return hb.Epoch == "test" && hb.Revision == revision && hb.Inflight["m-0"] == 1
	})
	if a := f.post("/llm/m/chat/completions", hello); a.status != 503 || a.code() != "model_stopped" {
		t.Errorf("a new request: %d %s", a.status, a.body)
	}
	close(finish)
	if status := <-done; status != 200 {
		t.Errorf("the old request: %d", status)
	}
	f.awaitBeat(t, "nothing in flight", func(hb fleet.Heartbeat) bool { return hb.Revision == revision && hb.Inflight["m-0"] == 0 })
}

func TestSeriesGoWithTheirModel(t *testing.T) {
	b := newBackend(t, vllm)
	f := start(t, nil, model("old", b.URL), model("m", b.URL))
	f.post("/llm/old/chat/completions", hello)
	f.awaitMetric(`fluidmcp_requests_total{code="200",endpoint="chat_completions",model="old"}`, 1)
	f.deploy(model("m", b.URL))
	if scrape := f.do("GET", "/metrics", "").body; strings.Contains(scrape, `model="old"`) {
		t.Errorf("series are left: %s", scrape)
	}
	f.post("/llm/old/chat/completions", hello)
	f.awaitMetric(`fluidmcp_requests_total{code="404",endpoint="other",model="unknown"}`, 1)
}

func TestManagement(t *testing.T) {
	f := start(t, func(c *gateway.Config) { c.SupervisorToken = "fleet-secret" })
	a := f.do("POST", "/api/llm/models/org%2Fname/start?lines=3", "", "Authorization", "Bearer client", "Cookie", "a=b", "X-Api-Key", "client", "Api-Key", "client", fleet.KeyHeader, "client")
	if a.status != 200 || a.body != `{"path":"/api/llm/models/org%2Fname/start"}` {
		t.Errorf("got %d %s", a.status, a.body)
	}
	f.supervisor.mu.Lock()
	got := f.managed[len(f.managed)-1]
	f.supervisor.mu.Unlock()
	if _, told := got.Header[fleet.KeyHeader]; told || got.Header.Get("Authorization") != "Bearer fleet-secret" || got.Header.Get("Cookie")+got.Header.Get("X-Api-Key")+got.Header.Get("Api-Key") != "" || got.URL.RawQuery != "lines=3" ||
		got.Header.Get("X-Request-Id") != a.header.Get("X-Request-Id") {
		t.Errorf("the supervisor got %v %v", got.URL, got.Header)
	}
	a = f.do("POST", "/api/llm/models/m/stop", "", "Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site")
	if a.status != 403 || a.code() != "cross_origin" {
		t.Errorf("another site's page: %d %s", a.status, a.body)
	}
	// Our own page, in a browser that reached us by a name of its own: the supervisor has another host and must not compare.
	a = f.do("POST", "/api/llm/models/m/stop", "", "Origin", f.url, "Sec-Fetch-Site", "same-origin")
	f.supervisor.mu.Lock()
	got = f.managed[len(f.managed)-1]
	f.supervisor.mu.Unlock()
	if a.status == 403 || got.Method != "POST" || got.Header.Get("Origin") != "" || got.Header.Get("Sec-Fetch-Site") != "" {
		t.Errorf("our own page: %d %s; the supervisor got %s %v", a.status, a.body, got.Method, got.Header)
	}
	if a := f.do("GET", "/api/llm/models", "", "Sec-Fetch-Site", "cross-site"); a.status != 200 {
		t.Errorf("a link: %d %s", a.status, a.body)
	}
}

// TestStop: a gateway that is asked to stop finishes what runs, and what outlives the drain time ends honestly.
func TestStop(t *testing.T) {
	f := func(name string, drain time.Duration, finishes bool) {
		t.Run(name, func(t *testing.T) {
			finish := make(chan struct{})
			b := newBackend(t, func(c *exchange) {
				c.write(streamHead, chunk(helloFrame))
				if finishes {
					<-finish
					c.write(chunk(doneFrame), "0\r\n\r\n")
				}
				c.gone()
			})
			front := start(t, func(c *gateway.Config) { c.DrainTimeout = drain }, model("m", b.URL))
			resp := front.open(t.Context(), http.MethodPost, "/llm/m/chat/completions", chatStream)
			defer resp.Body.Close()
			in := bufio.NewReader(resp.Body)
			if _, err := in.Peek(1); err != nil {
				t.Fatal(err)
			}
			stopped := make(chan error, 1)
			go func() { stopped <- front.stop() }()
			await(t, "a closed listener", func() bool { return tryOpen(t.Context(), front.url+"/ready", "") == nil })
			close(finish)
			body, err := io.ReadAll(in)
			if err != nil {
				t.Fatal(err)
			}
			complete := strings.HasSuffix(string(body), doneFrame)
			if complete != finishes || !finishes && !strings.HasSuffix(string(body), interrupted) {
				t.Errorf("body = %q", body)
			}
			if err := <-stopped; err != nil {
				t.Errorf("Run ended with %v", err)
			}
		})
	}
	f("in time", patience, true)
	f("too late", 50*time.Millisecond, false)
}

// TestStopEndsAPlainRequest: what the drain time does not suffice for gets a status, not silence.
func TestStopEndsAPlainRequest(t *testing.T) {
	arrived := make(chan struct{})
	b := newBackend(t, func(c *exchange) {
		close(arrived)
		c.gone()
	})
	f := start(t, func(c *gateway.Config) { c.DrainTimeout = 50 * time.Millisecond }, model("m", b.URL))
	done := make(chan answer, 1)
	go func() { done <- f.post("/llm/m/chat/completions", hello) }()
	<-arrived
	if err := f.stop(); err != nil {
		t.Error(err)
	}
	if a := <-done; a.status != 503 || a.code() != "shutting_down" || a.header.Get("Retry-After") == "" {
		t.Errorf("got %d %s", a.status, a.body)
	}
	if !strings.Contains(f.logs.String(), `"reason":"stopping"`) {
		t.Error("the log does not tell")
	}
}

// TestSupervisorRestarts: a feed that breaks is taken up again, whatever the new supervisor's revisions are.
func TestSupervisorRestarts(t *testing.T) {
	b := newBackend(t, vllm)
	f := start(t, nil, model("old", b.URL))
	f.deploy(model("old", b.URL))
	f.mu.Lock()
	f.revision = 0 // a new run counts from the start
	f.mu.Unlock()
	f.publish(model("new", b.URL))
	f.CloseClientConnections()
	await(t, "the new models", func() bool { return f.post("/llm/new/chat/completions", hello).status == 200 })
	f.awaitMetric("fluidmcp_supervisor_connected", 1)
	f.awaitMetric("fluidmcp_fleet_age_seconds", 0)
}

// TestBadSnapshotLeavesTheRestInForce: one backend without a usable URL does not take the fleet down.
func TestBadSnapshotLeavesTheRestInForce(t *testing.T) {
	b := newBackend(t, vllm)
	f := start(t, nil, model("m", b.URL), model("broken", "no url at all"))
	if a := f.post("/llm/m/chat/completions", hello); a.status != 200 {
		t.Errorf("the good one: %d %s", a.status, a.body)
	}
	if a := f.post("/llm/broken/chat/completions", hello); a.status != 503 || a.code() != "model_unavailable" {
		t.Errorf("the broken one: %d %s", a.status, a.body)
	}
	if !strings.Contains(f.logs.String(), `bad URL \"no url at all\"`) {
		t.Error("the log does not name the fault")
	}
}
