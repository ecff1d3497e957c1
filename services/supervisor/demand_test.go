package supervisor_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
)

func queued(model string) fleet.Heartbeat { return fleet.Heartbeat{Queued: map[string]int{model: 7}} }

func inflight(server string) fleet.Heartbeat {
	return fleet.Heartbeat{Inflight: map[string]int{server: 1}}
}

func TestGatewaysStartAndRetireAModel(t *testing.T) {
	s := run(t, quick(), parse(t, `"m": {`+fake(freePort(t), `, "start": "on_demand", "idle_timeout": "300ms", "timeouts": {"load": 60, "drain": "1ms"}`)+`}`))
	feed := s.watch()
	rests := phase(t, feed, "m", fleet.Stopped)
	if m := find(rests, "m"); !m.OnDemand || m.Reason != "OnDemand" || m.Timeouts.Load != time.Minute || !m.Coming() {
		t.Fatalf("the feed says %+v", m)
	}
	if status, body := s.do(http.MethodGet, "/api/llm/status", ""); status != http.StatusOK || !strings.Contains(body, `"status":"ok"`) {
		t.Errorf("a model that rests: %d %s", status, body)
	}
	one, two := s.gateway("one"), s.gateway("two")
	for range 10 { // many words of the same are one start
		one.say(rests, queued("m"))
		two.say(rests, queued("m"))
	}
	up := phase(t, feed, "m", fleet.Ready)
	if m := s.model("m"); m.Restarts != 0 || m.Desired != "on_demand" {
		t.Errorf("%+v", m)
	}
	one.say(up, inflight("m-0"))
	two.leave()
	one.say(up, fleet.Heartbeat{}) // with a request it was not idle
	down := phase(t, feed, "m", fleet.Draining)
	if m := find(down, "m"); m.Reason != "Idle" || m.Backends[0].Routable || !m.Coming() {
		t.Errorf("%+v", m)
	}
	// A request has come in between. It is answered, however long that takes; and one that comes now starts the model again.
	one.say(down, inflight("m-0"))
	s.stillDraining()
	time.Sleep(20 * time.Millisecond) // twenty times the drain timeout
	s.stillDraining()
	hb := inflight("m-0")
	hb.Queued = map[string]int{"m": 1}
	one.say(down, hb)
	s.stillDraining()
	one.say(down, queued("m"))
	s.restarted(feed, "m", 1)
	if m := s.model("m"); m.Phase != fleet.Ready {
		t.Errorf("%+v", m)
	}
}

func TestStopOfAModelThatRetires(t *testing.T) {
	s := run(t, quick(), parse(t, `"m": {`+fake(freePort(t), `, "start": "on_demand", "idle_timeout": "50ms", "timeouts": {"drain": "100ms"}`)+`}`))
	feed := s.watch()
	g := s.gateway("g")
	g.say(phase(t, feed, "m", fleet.Stopped), queued("m"))
	up := phase(t, feed, "m", fleet.Ready)
	g.say(up, fleet.Heartbeat{})
	down := phase(t, feed, "m", fleet.Draining)
	g.say(down, inflight("m-0"))
	s.do(http.MethodPost, "/api/llm/models/m/stop", "") // a person does not wait for ever
	m := find(phase(t, feed, "m", fleet.Stopped), "m")
	if m.OnDemand || m.Coming() || m.Reason != "" {
		t.Errorf("stopped by a person: %+v", m)
	}
	g.say(down, queued("m"))
	if m := s.model("m"); m.Phase != fleet.Stopped || m.Desired != "stopped" {
		t.Errorf("a request has started what a person stopped: %+v", m)
	}
	s.do(http.MethodPost, "/api/llm/models/m/start", "")
	if m := find(phase(t, feed, "m", fleet.Ready), "m"); !m.OnDemand {
		t.Errorf("%+v", m)
	}
	// Its requests can wait, so a restart interrupts nobody.
	if status, body := s.do(http.MethodPost, "/api/llm/models/m/restart", ""); status != http.StatusAccepted {
		t.Errorf("restart: %d %s", status, body)
	}
}

func TestModelsMakeRoom(t *testing.T) {
	member := func(id string) string {
		return fmt.Sprintf(`%q: {%s}`, id, fake(freePort(t), `, "start": "on_demand", "swap_group": "gpu"`))
	}
	file := parse(t, member("a"), member("b"))
	group := file.SwapGroups["gpu"]
	group.Residency = 100 * time.Millisecond
	file.SwapGroups["gpu"] = group
	s := run(t, quick(), file)
	feed := s.watch()
	g := s.gateway("g")
	g.say(phase(t, feed, "a", fleet.Stopped), queued("a"))
	up := phase(t, feed, "a", fleet.Ready)
	busy := inflight("a-0")
	busy.Queued = map[string]int{"b": 1}
	g.say(up, busy)
	var waits fleet.Model
	down := until(t, feed, "the drain of a", func(now fleet.Snapshot) bool {
		if b := find(now, "b"); b.Reason == "WaitingForSlot" {
			waits = b
		}
		return find(now, "a").Phase == fleet.Draining
	})
	if !strings.Contains(waits.Message, "waits for a place in swap group gpu, where a is loaded") {
		t.Errorf("why it waits: %+v", waits)
	}
	g.say(down, busy) // has not been answered yet
	for range 5 {
		if a, b := s.model("a"), s.model("b"); a.Phase != fleet.Draining || a.Reason != "Evicted" || b.Phase != fleet.Pending {
			t.Fatalf("a is %s (%s), b %s", a.Phase, a.Reason, b.Phase)
		}
	}
	g.say(down, queued("b"))
	phase(t, feed, "b", fleet.Ready)
	if a := s.model("a"); a.Phase != fleet.Stopped || a.Reason != "Evicted" {
		t.Errorf("%+v", a)
	}
	if _, text := s.do(http.MethodGet, "/metrics", ""); !strings.Contains(text, `fluidmcp_model_retirements_total{model="a",reason="evicted"} 1`) {
		t.Error("the metrics do not tell")
	}
}

// TestDependencyOnDemand: who needs a model on demand starts it, and keeps it for as long as it runs itself.
func TestDependencyOnDemand(t *testing.T) {
	s := run(t, quick(), parse(t, `"a": {`+fake(freePort(t), `, "start": "on_demand", "idle_timeout": "20ms"`)+`}`,
		`"b": {`+fake(freePort(t), `, "start": "on_demand", "depends_on": ["a"]`)+`}`))
	feed := s.watch()
	g := s.gateway("g")
	g.say(phase(t, feed, "b", fleet.Stopped), queued("b"))
	up := phase(t, feed, "b", fleet.Ready)
	for range 5 {
		g.say(up, fleet.Heartbeat{})
		if a := s.model("a"); a.Phase != fleet.Ready {
			t.Fatalf("what b needs is %s (%s)", a.Phase, a.Reason)
		}
		time.Sleep(20 * time.Millisecond)
	}
	s.do(http.MethodPost, "/api/llm/models/b/stop", "")
	rest := until(t, feed, "the end of a", func(now fleet.Snapshot) bool {
		g.say(now, fleet.Heartbeat{})
		return find(now, "a").Phase == fleet.Stopped
	})
	if a := find(rest, "a"); a.Reason != "Idle" {
		t.Errorf("%+v", a)
	}
}
