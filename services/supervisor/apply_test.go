package supervisor_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
	"github.com/fluidmcp/fluidmcp/services/supervisor/unit"
)

// Another command is started by one replica after the other: there is always one that answers.
func TestAnotherCommandRolls(t *testing.T) {
	port := freePort(t)
	two := `, "replicas": 2`
	l := live(t, quick(), `"m": {`+fake(port, two)+`}`)
	l.until("both", "m", routable(2))
	before := l.pids("m")
	set := l.apply(`"m": {` + strings.Replace(fake(port, two), `"args": [`, `"env": {"A": "new"}, "args": [`, 1) + `}`)
	if effects(set) != "m: rolling restart" {
		t.Error(effects(set))
	}
	l.until("both anew", "m", func(m fleet.Model) bool {
		if len(m.Backends) != 2 || !serves(m) {
			t.Errorf("not one of two answers: %+v", m)
		}
		return routable(2)(m) && l.model("m").Restarts == 2
	})
	for n, pid := range l.pids("m") {
		if pid == before[n] {
			t.Errorf("replica %d is the process of before", n)
		}
		if body := get(t, fmt.Sprintf("http://127.0.0.1:%d/env?name=A", port+n)); body != "new" {
			t.Errorf("replica %d runs with %q", n, body)
		}
	}
	if _, body := l.do(http.MethodGet, "/metrics", ""); !strings.Contains(body, `fluidmcp_model_restarts_total{model="m",reason="reconfigured"} 2`) {
		t.Error("no metric tells why")
	}
}

// A command that changes together with the number of replicas is not begun before the new ones are there: the one server of before is
// all that answers until then.
func TestAnotherCommandAndMoreReplicas(t *testing.T) {
	port := freePort(t)
	l := live(t, quick(), `"m": {`+fake(port, "")+`}`)
	l.until("one", "m", routable(1))
	l.apply(`"m": {` + strings.Replace(fake(port, `, "replicas": 3`), `"args": [`, `"env": {"A": "new"}, "args": [`, 1) + `}`)
	l.until("three, the first of them anew", "m", func(m fleet.Model) bool {
		if !serves(m) {
			t.Errorf("nothing answers: %+v", m)
		}
		return routable(3)(m) && l.model("m").Restarts == 1
	})
}

// A command that does not come up costs one replica and not all: the others keep the one of before.
func TestBadCommandStopsTheRollout(t *testing.T) {
	port := freePort(t)
	with := func(flag string) string {
		return `"m": {` + strings.Replace(fake(port, `, "replicas": 2, "restart_policy": "never"`), `"args": [`, `"args": [`+flag, 1) + `}`
	}
	l := live(t, quick(), with(""))
	l.until("both", "m", routable(2))
	before := l.pids("m")
	l.apply(with(`"--crash", `))
	eventually(t, "the first has failed", func() bool { return l.model("m").Instances[0].Phase == fleet.Failed })
	if m := l.model("m"); m.Phase != fleet.Ready || m.Instances[1].PID != before[1] {
		t.Errorf("%+v", m)
	}
	eventually(t, "the second says that it is not as the file has it", func() bool {
		m := l.model("m")
		return m.Instances[0].Outdated == "" &&
			strings.HasPrefix(m.Instances[1].Outdated, "it runs with the command that the models file had before: m-0 does not come back: ")
	})
	// Both are said to change: what runs counts, not what the file said.
	if set := l.apply(with(`"--name", "fake", `)); len(set.Models[0].Servers) != 2 {
		t.Errorf("%+v", set)
	}
	l.until("both again", "m", routable(2))
	eventually(t, "the second has come to its turn", func() bool { return l.model("m").Rollout.State == "done" && l.pids("m")[1] != before[1] })
	l.apply(with(`"--crash", `))
	eventually(t, "the first has failed", func() bool { return l.model("m").Instances[0].Phase == fleet.Failed })
	second := l.pids("m")[1]
	l.apply(with(`"--name", "fake", `)) // back to what the second one runs with
	l.until("both again", "m", routable(2))
	if m := l.model("m"); m.Instances[1].Outdated != "" {
		t.Errorf("%+v", m.Instances[1])
	}
	if l.pids("m")[1] != second {
		t.Error("the second was restarted for what it runs with already")
	}
}

// What is no longer in the file is drained, ended and gone; what is new starts.
func TestModelsComeAndGo(t *testing.T) {
	port, other := freePort(t), freePort(t)
	m, n := `"m": {`+fake(port, "")+`}`, `"n": {`+fake(other, "")+`}`
	l := live(t, quick(), m)
	up := phase(t, l.feed, "m", fleet.Ready)
	g := l.gateway("g")
	g.beat(up, 1)
	if set := l.apply(n); effects(set) != "m: drain and remove, n: start" {
		t.Error(effects(set))
	}
	now := until(t, l.feed, "m draining and n ready", func(s fleet.Snapshot) bool {
		return find(s, "m").Phase == fleet.Draining && find(s, "n").Phase == fleet.Ready
	})
	if gone := find(now, "m"); gone.Reason != fleet.Removed || gone.Coming() {
		t.Errorf("gateways are told that it comes back: %+v", gone)
	}
	g.beat(now, 1)
	l.stillDraining()
	if status, _ := l.do(http.MethodPost, "/api/llm/models/m/start", ""); status != http.StatusAccepted {
		t.Errorf("start: %d", status)
	}
	l.stillDraining() // a person cannot keep what the file does not want
	pid := l.pids("m")[0]
	g.beat(now, 0)
	until(t, l.feed, "m gone", func(s fleet.Snapshot) bool { return find(s, "m").ID == "" })
	if running(pid) {
		t.Error("its process is still there")
	}
	if status, _ := l.do(http.MethodGet, "/api/llm/models/m", ""); status != http.StatusNotFound {
		t.Errorf("the model is still shown: %d", status)
	}
	if _, body := l.do(http.MethodGet, "/metrics", ""); strings.Contains(body, `model="m"`) {
		t.Error("metrics still have the model")
	}
	l.apply(m, n)
	phase(t, l.feed, "m", fleet.Ready)
	g.leave()
}

// A model that comes back while it is being drained is started once that is over.
func TestModelComesBackWhileItDrains(t *testing.T) {
	m, n := `"m": {`+fake(freePort(t), "")+`}`, `"n": {`+fake(freePort(t), "")+`}`
	l := live(t, quick(), m, n)
	up := phase(t, l.feed, "m", fleet.Ready)
	first := l.pids("m")[0]
	g := l.gateway("g")
	g.beat(up, 1)
	l.apply(n)
	g.beat(phase(t, l.feed, "m", fleet.Draining), 1)
	if set := l.apply(m, n); effects(set) != "m: start" {
		t.Error(effects(set))
	}
	until(t, l.feed, "gateways to be told that m comes back", func(s fleet.Snapshot) bool { return find(s, "m").Coming() })
	l.stillDraining()
	g.leave()
	until(t, l.feed, "m anew", func(s fleet.Snapshot) bool { return find(s, "m").Phase == fleet.Ready && l.pids("m")[0] != first })
}

func TestReplicasComeAndGo(t *testing.T) {
	port := freePort(t)
	of := func(replicas string) string { return `"m": {` + fake(port, `, "replicas": `+replicas) + `}` }
	l := live(t, quick(), of("1"))
	l.until("one", "m", routable(1))
	first := l.pids("m")[0]
	l.apply(of("2"))
	l.until("two", "m", routable(2))
	second := l.pids("m")[1]
	l.apply(of("1"))
	l.until("one again", "m", routable(1))
	if l.pids("m")[0] != first || running(second) {
		t.Errorf("first %d, now %v; the second runs: %t", first, l.pids("m"), running(second))
	}
}

// What a person has stopped stays so, whatever the file says, and comes up with what it says by then.
func TestStoppedStaysStopped(t *testing.T) {
	port := freePort(t)
	of := func(more string) string {
		return `"m": {` + strings.Replace(fake(port, `, "replicas": 2`), `"args": [`, more+`"args": [`, 1) + `}`
	}
	l := live(t, quick(), strings.Replace(of(""), `"replicas": 2`, `"replicas": 1`, 1))
	phase(t, l.feed, "m", fleet.Ready)
	l.do(http.MethodPost, "/api/llm/models/m/stop", "")
	phase(t, l.feed, "m", fleet.Stopped)
	l.apply(of(`"env": {"A": "new"}, `))
	l.until("two", "m", func(m fleet.Model) bool { return len(m.Backends) == 2 })
	for range 5 {
		if m := l.model("m"); m.Phase != fleet.Stopped || m.Instances[1].Phase != fleet.Stopped || m.Desired != unit.Stopped {
			t.Fatalf("%+v", m)
		}
	}
	l.do(http.MethodPost, "/api/llm/models/m/start", "")
	l.until("both", "m", routable(2))
	for n := range 2 {
		if body := get(t, fmt.Sprintf("http://127.0.0.1:%d/env?name=A", port+n)); body != "new" {
			t.Errorf("replica %d runs with %q", n, body)
		}
	}
}

// Another address of a server elsewhere is another server: it has to be found well before requests go there.
func TestServersElsewhereChange(t *testing.T) {
	one, other := partner(t), partner(t)
	l := live(t, quick(), external(one))
	phase(t, l.feed, "org/partner", fleet.Ready)
	if set := l.apply(external(other)); effects(set) != "org/partner: replace" {
		t.Error(effects(set))
	}
	l.until("the other one", "org/partner", func(m fleet.Model) bool {
		return m.Phase == fleet.Ready && len(m.Backends) == 1 && m.Backends[0].URL == other
	})
	if set := l.apply(strings.Replace(external(other), `"sk-partner"`, `"sk-wrong"`, 1)); effects(set) != "org/partner: none" {
		t.Error(effects(set))
	}
	status, body := l.do(http.MethodPost, "/api/llm/models/org/partner/health-check", "")
	if status != http.StatusOK || !strings.Contains(body, `"healthy":false`) {
		t.Errorf("the new key is not used: %s", body)
	}
	// From a server elsewhere to one that is started here.
	l.apply(`"org/partner": {` + fake(freePort(t), "") + `}`)
	eventually(t, "a process", func() bool {
		status, body := l.do(http.MethodGet, "/api/llm/models/org/partner", "")
		return status == http.StatusOK && strings.Contains(body, `"driver":"process"`) && strings.Contains(body, `"phase":"ready"`)
	})
}

// The end of the supervisor does not wait for a change that goes on, and nothing is left of either.
func TestEndDuringAChange(t *testing.T) {
	cfg := quick()
	cfg.DrainTimeout = 300 * time.Millisecond
	port := freePort(t)
	l := live(t, cfg, `"m": {`+fake(port, `, "replicas": 2`)+`}`)
	up := l.until("both", "m", routable(2))
	l.gateway("g").beat(up, 1)
	before := l.pids("m")
	l.apply(`"m": {`+strings.Replace(fake(port, `, "replicas": 2`), `"args": [`, `"env": {"A": "new"}, "args": [`, 1)+`}`, `"n": {`+fake(freePort(t), "")+`}`)
	l.end()
	for _, pid := range before {
		if running(pid) {
			t.Errorf("process %d is left", pid)
		}
	}
}

// A file that is taken back while its rollout waits for the first drain leaves the others alone.
func TestRevertedRollout(t *testing.T) {
	port := freePort(t)
	of := func(env string) string {
		return `"m": {` + strings.Replace(fake(port, `, "replicas": 2`), `"args": [`, env+`"args": [`, 1) + `}`
	}
	l := live(t, quick(), of(""))
	up := l.until("both", "m", routable(2))
	before := l.pids("m")
	g := l.gateway("g")
	g.beat(up, 1) // on m-0
	l.apply(of(`"env": {"A": "new"}, `))
	g.beat(l.until("the drain of the first", "m", func(m fleet.Model) bool { return !m.Backends[0].Routable }), 1)
	if set := l.set(http.MethodPatch, "/api/llm/models/m", `{"limits": {"queue": 3}}`, http.StatusAccepted); effects(set) != "m: none" {
		t.Errorf("what is under way is told again: %+v", set)
	}
	if set := l.apply(of("")); effects(set) != "m: none" {
		t.Error(effects(set))
	}
	g.leave()
	l.until("both again", "m", func(m fleet.Model) bool { return routable(2)(m) && l.pids("m")[0] != before[0] })
	if now := l.pids("m"); now[1] != before[1] {
		t.Errorf("the second was restarted: %v, before %v", now, before)
	}
	if body := get(t, fmt.Sprintf("http://127.0.0.1:%d/env?name=A", port)); body != "" {
		t.Errorf("the first runs with %q", body)
	}
}
