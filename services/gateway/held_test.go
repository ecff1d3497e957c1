package gateway_test

import (
	"net/http"
	"slices"
	"testing"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
)

// TestHeldOverADeath has a server die under its requests, before any of them has an answer. Where requests may wait they are held until
// the next server is there, and never know; elsewhere they fail.
func TestHeldOverADeath(t *testing.T) {
	died := make(chan struct{}, 10)
	dying := newBackend(t, func(c *exchange) {
		if c.Method == http.MethodGet { // it is well
			c.plain(http.StatusOK, "{}")
			return
		}
		_ = c.conn.Close()
		died <- struct{}{}
	})
	held, other := model("held", dying.URL), model("other", dying.URL)
	held.Limits.KeepAlive = true
	f := start(t, nil, held, other)
	if a := f.post("/llm/other/chat/completions", hello); a.status != http.StatusBadGateway {
		t.Errorf("where nobody waits: %d %s", a.status, a.body)
	}
	<-died
	plain, stream := f.ask(3, "/llm/held/chat/completions", hello), f.ask(3, "/llm/held/chat/completions", chatStream)
	for range 6 {
		<-died
	}
	down := held
	down.Phase, down.Backends = fleet.Backoff, []fleet.Backend{{ID: "held-0", URL: dying.URL}}
	f.deploy(down, other)
	f.awaitMetric(`fluidmcp_queued_requests{model="held"}`, 6)
	up := model("held", newBackend(t, vllm).URL)
	up.Limits.KeepAlive = true
	f.deploy(up, other)
	for _, answers := range []<-chan answer{plain, stream} {
		for range 3 {
			if a := <-answers; a.status != http.StatusOK {
				t.Errorf("%d %s", a.status, a.body)
			}
		}
	}
	f.awaitMetric(`fluidmcp_retries_total{model="held",reason="reset"}`, 6)
}

// TestHeldOverSeveralDeaths has all servers of a model die at once, which the fleet says of one after the other. A request that may wait
// has no fewer tries for that.
func TestHeldOverSeveralDeaths(t *testing.T) {
	const clients, servers = 12, 3
	dead := make([]*backend, servers)
	urls := make([]string, servers)
	for i := range dead {
		dead[i] = newBackend(t, vllm)
		urls[i] = dead[i].URL
	}
	m := model("m", urls...)
	m.Limits.KeepAlive = true
	f := start(t, nil, m)
	for _, b := range dead {
		b.kill()
	}
	answers := f.ask(clients, "/llm/m/chat/completions", hello)
	f.awaitMetric(`fluidmcp_retries_total{model="m",reason="connect"}`, clients*(servers-1))
	for i := range m.Backends {
		m.Backends = slices.Clone(m.Backends)
		m.Backends[i].Routable = false
		if i == len(m.Backends)-1 {
			m.Phase = fleet.Backoff
		}
		f.deploy(m)
	}
	f.awaitMetric(`fluidmcp_queued_requests{model="m"}`, clients)
	up := model("m", newBackend(t, vllm).URL)
	up.Limits.KeepAlive = true
	f.deploy(up)
	for range clients {
		if a := <-answers; a.status != http.StatusOK {
			t.Errorf("%d %s", a.status, a.body)
		}
	}
}
