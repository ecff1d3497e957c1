package gateway

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
)

// TestDefectInATry: a defect in a try ends its request, with a 500 and a line in the log, and leaves nothing in flight. No request is
// known that sets one off, so this gateway lacks a part.
func TestDefectInATry(t *testing.T) {
	for _, hedge := range []bool{false, true} {
		core, logs := observer.New(zap.InfoLevel)
		g, err := New(Default(), Deps{Log: zap.New(core)})
		if err != nil {
			t.Fatal(err)
		}
		g.edge = nil
		m := fleet.Model{ID: "m", Phase: fleet.Ready, Routing: fleet.Routing{Hedge: hedge}, Limits: fleet.Limits{Inflight: 1}, Backends: []fleet.Backend{
			{ID: "a", URL: "http://127.0.0.1:9", Routable: true}, {ID: "b", URL: "http://127.0.0.1:9", Routable: true}}}
		if err := g.router.Apply(fleet.Snapshot{Models: []fleet.Model{m}}); err != nil {
			t.Fatal(err)
		}
		g.changed(g.router.Table())
		for range 1000 {
			g.paces.Of("m").Answered(false, time.Minute)
		}
		for range 2 { // the first gives its slot back
			w := httptest.NewRecorder()
			r := httptest.NewRequestWithContext(t.Context(), "POST", "/v1/chat/completions", strings.NewReader("{}"))
			g.handler.ServeHTTP(w, r)
			if w.Code != 500 || !strings.Contains(w.Body.String(), "internal_error") || strings.Contains(w.Body.String(), "nil pointer") {
				t.Errorf("hedge %t: %d %s", hedge, w.Code, w.Body)
			}
		}
		for _, b := range g.router.Backends() {
			if b.Inflight != 0 || b.Ejected {
				t.Errorf("hedge %t: %+v", hedge, b)
			}
		}
		if load := g.gates.Loads()["m"]; load.Inflight != 0 {
			t.Errorf("hedge %t: %+v", hedge, load)
		}
		for _, line := range logs.FilterMessage("request").All() {
			if fields := line.ContextMap(); fields["reason"] != "internal" || !strings.Contains(fmt.Sprint(fields["error"]), "nil pointer") {
				t.Errorf("hedge %t: %v", hedge, fields)
			}
		}
		w := httptest.NewRecorder()
		g.handler.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", "/metrics", nil))
		if !strings.Contains(w.Body.String(), `,outcome="defect"} `) || strings.Contains(w.Body.String(), `,outcome="canceled"} `) {
			t.Errorf("hedge %t: the outcome is not told", hedge)
		}
	}
}
