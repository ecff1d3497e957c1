package gateway_test

import (
	"net/http"
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
