package integration

import (
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/fluidmcp/fluidmcp/services/mockvllm"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/journal"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/mockvllmtest"
)

// A client that reads nothing stops its stream at the model server, whatever that could send, and loses its place once the
// gateway's patience is over. Meanwhile others are served as before, and the gateway's memory does not grow with what waits.
//
// The gateway's patience, half a minute, is not to be set: that is how long this test takes.
func TestGatewayClientThatDoesNotRead(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("SKIPPED: it waits for the gateway's patience, up to a minute")
	}
	const (
		readers  = 4       // of each protocol
		tokens   = 400_000 // some 90 MB of events each
		mostSent = 100_000 // what fits into the sockets of both connections is a small part of it
		mostMB   = 96      // of the gateway, where 700 MB wait to be sent
	)
	mock := mockvllmtest.Start(t, mockvllmtest.Config(func(c *mockvllm.Config) { c.MaxModelLen = 1 << 20 }), mockvllmtest.Answers("random"))
	f := newFeed(t)
	m := served("m", mock.URL)
	m.Limits.Inflight = 2*readers + 1
	f.publish(t, m)
	g := startGateway(t, quickGateway, f.URL)
	f.await(t, g)
	one := newDoor(t, g, "HTTP/1.1", nil, func(p *http.Protocols) { p.SetHTTP1(true) })
	two := newDoor(t, g, "h2c", nil, func(p *http.Protocols) { p.SetUnencryptedHTTP2(true) })

	body := fmt.Sprintf(`{"messages":[{"role":"user","content":"Hello"}],"stream":true,"max_tokens":%d,"ignore_eos":true}`, tokens)
	for range readers {
		g.raw(t, fmt.Sprintf("POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", chatOfM, len(body), body))
		resp, err := two.client.Do(two.request(t, http.MethodPost, chatOfM, strings.NewReader(body)))
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
	}
	mock.WaitInFlight(2 * readers)
	before := memoryMB(t, g)
	for _, d := range []*door{one, two} {
		if a := d.ask(t, http.MethodPost, chatOfM, oneWord); a.status != http.StatusOK {
			t.Errorf("%s, beside those that do not read: %d %s", d.protocol, a.status, a.body)
		}
	}
	eventuallyWithin(t, 2*patience, func() error {
		if n := mock.Stats(); n.InFlight != 0 {
			return fmt.Errorf("%d requests still run", n.InFlight)
		}
		return nil
	})
	for _, r := range mock.WaitRequests(2*readers + 2) {
		if !r.Stream {
			continue
		}
		t.Logf("%d of %d tokens were sent", r.Tokens, tokens)
		if r.Outcome != journal.Aborted || r.AbortedBy != journal.ByClient || r.Tokens == 0 || r.Tokens > mostSent {
			t.Errorf("%s after %d tokens, aborted by %q", r.Outcome, r.Tokens, r.AbortedBy)
		}
	}
	after := memoryMB(t, g)
	t.Logf("the gateway had %d MB, and %d MB at most", before, after)
	if after > mostMB {
		t.Errorf("the gateway took %d MB", after)
	}
	one.awaitSum(t, 0, "fluidmcp_inflight_requests")
	one.awaitSum(t, 2*readers, "fluidmcp_streams_total", "outcome", "client_closed")
	if a := one.ask(t, http.MethodPost, chatOfM, oneWord); a.status != http.StatusOK {
		t.Errorf("afterwards: %d %s", a.status, a.body)
	}
}

// patience is more than a client may stand still at a gateway.
const patience = time.Minute

// memoryMB is the most that a process has held so far.
func memoryMB(t *testing.T, g *gatewayProcess) int {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", g.Process.Pid))
	if err != nil {
		t.Skipf("SKIPPED: no /proc here: %v", err)
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kb, err := strconv.Atoi(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")))
			if err != nil {
				t.Fatal(err)
			}
			return kb >> 10
		}
	}
	t.Fatal("no VmHWM in /proc")
	return 0
}
