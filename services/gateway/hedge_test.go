package gateway

import (
	"net/http/httptest"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
	"github.com/fluidmcp/fluidmcp/services/gateway/endpoint"
	"github.com/fluidmcp/fluidmcp/services/gateway/routing"
)

// TestDefectInATry: a defect in a try that has a goroutine of its own reaches that of the request, where it ends only that, and
// leaves nothing in flight. No request is known that sets one off, so this gateway lacks a part.
func TestDefectInATry(t *testing.T) {
	g, err := New(Default(), Deps{Log: zap.NewNop()})
	if err != nil {
		t.Fatal(err)
	}
	g.skin = nil
	m := fleet.Model{ID: "m", Phase: fleet.Ready, Routing: fleet.Routing{Hedge: true},
		Backends: []fleet.Backend{{ID: "a", URL: "http://127.0.0.1:9", Routable: true}, {ID: "b", URL: "http://127.0.0.1:9", Routable: true}}}
	if err := g.router.Apply(fleet.Snapshot{Models: []fleet.Model{m}}); err != nil {
		t.Fatal(err)
	}
	pace := g.paces.Of("m")
	for range 1000 {
		pace.Answered(false, time.Minute)
	}
	to, _ := g.router.Table().Resolve("m")
	r := httptest.NewRequestWithContext(t.Context(), "POST", "/v1/chat/completions", nil)
	lease, _ := g.router.Acquire("m", routing.Request{})
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the defect is lost")
			}
		}()
		g.firstOf(r, &call{g: g}, &query{model: to, endpoint: endpoint.Of("chat/completions")}, to, lease, pace)
	}()
	for _, b := range g.router.Backends() {
		if b.Inflight != 0 {
			t.Errorf("%s has %d in flight", b.ID, b.Inflight)
		}
	}
}
