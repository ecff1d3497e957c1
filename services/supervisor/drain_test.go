package supervisor_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
)

// stillDraining checks that the model is draining, with its process alive. A drain that ended too early has gone on by the time the
// request for this has been answered, or one soon after has.
func (s *stack) stillDraining() {
	s.t.Helper()
	for range 5 {
		if m := s.model("m"); m.Phase != fleet.Draining || !running(m.Instances[0].PID) {
			s.t.Fatalf("the model did not wait for its gateways: %+v", m)
		}
	}
}

func TestStopWaitsForGateways(t *testing.T) {
	s := run(t, quick(), parse(t, `"m": {`+fake(freePort(t), "")+`}`))
	feed := s.watch()
	up := phase(t, feed, "m", fleet.Ready)
	one, two := s.gateway("one"), s.gateway("two/with slash")
	one.beat(up, 2)
	two.beat(up, 0)

	s.do(http.MethodPost, "/api/llm/models/m/stop", "")
	down := phase(t, feed, "m", fleet.Draining)
	if find(down, "m").Backends[0].Routable {
		t.Error("a draining backend is routable")
	}
	s.stillDraining()
	one.beat(down, 1) // has a request left
	two.beat(up, 0)   // has not heard yet
	s.stillDraining()
	two.beat(down, 0)
	s.stillDraining()
	one.beat(down, 0)
	phase(t, feed, "m", fleet.Stopped)
}

func TestGatewayThatLeavesIsNotWaitedFor(t *testing.T) {
	s := run(t, quick(), parse(t, `"m": {`+fake(freePort(t), "")+`}`))
	feed := s.watch()
	up := phase(t, feed, "m", fleet.Ready)
	g := s.gateway("g")
	g.beat(up, 3)
	s.do(http.MethodPost, "/api/llm/models/m/stop", "")
	phase(t, feed, "m", fleet.Draining)
	s.stillDraining()
	g.leave()
	phase(t, feed, "m", fleet.Stopped)
}

func TestDrainTimeoutOfTheModel(t *testing.T) {
	cfg := quick()
	cfg.DrainTimeout = time.Hour
	s := run(t, cfg, parse(t, `"m": {`+fake(freePort(t), `, "timeouts": {"drain": "100ms"}`)+`}`))
	feed := s.watch()
	up := phase(t, feed, "m", fleet.Ready)
	g := s.gateway("g")
	g.beat(up, 1)
	s.do(http.MethodPost, "/api/llm/models/m/restart?force=true", "")
	g.beat(up, 1)
	s.restarted(feed, "m", 1)
}
