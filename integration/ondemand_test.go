package integration

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// loadTime is that of the mocks here: long enough for requests to meet a model that is loading.
const loadTime = "500ms"

// startOnDemand runs fluidmcp with models, each given by what its entry has beside the command, and with the groups. The entry of a
// model may have args of its own.
func startOnDemand(t *testing.T, models map[string]map[string]any, groups map[string]any) *stack {
	t.Helper()
	ports := freePorts(t, 2+len(models))
	s := &stack{gateway: fmt.Sprintf("http://127.0.0.1:%d", ports[0]), supervisor: fmt.Sprintf("http://127.0.0.1:%d", ports[1]),
		processes: true, mocks: map[string]string{}}
	n := 2
	for id, m := range models {
		s.mocks[id] = fmt.Sprintf("http://127.0.0.1:%d", ports[n])
		if m["command"] == nil {
			m["command"] = "mockvllm"
			m["args"] = []string{"serve", id, "--port", fmt.Sprint(ports[n]), "--mock-load-time", loadTime}
		}
		m["start"] = "on_demand"
		n++
	}
	file := map[string]any{"llmModels": models}
	if groups != nil {
		file["swapGroups"] = groups
	}
	content, err := json.Marshal(file)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "models.json")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(fluidmcp(t), "run", path, "--start-server", "--port", fmt.Sprint(ports[0]), "--supervisor-port", fmt.Sprint(ports[1]))
	cmd.Env = append(os.Environ(), "GATEWAY_KEEP_ALIVE_INTERVAL=50ms", "SUPERVISOR_PROBE_STARTING=20ms")
	c := start(t, cmd)
	c.endsWell(t, syscall.SIGINT)
	eventually(t, func() error {
		a, err := send(t, "GET", s.gateway+"/ready", nil)
		if err == nil && a.status != http.StatusOK {
			err = fmt.Errorf("%d %s", a.status, a.body)
		}
		return err
	})
	return s
}

// waitStopped waits until a model on demand rests for a reason, or for any where that is "".
func (s *stack) waitStopped(t *testing.T, model, reason string) modelStatus {
	t.Helper()
	var m modelStatus
	eventually(t, func() error {
		if m = s.status(t, model); m.Phase != "stopped" || reason != "" && m.Reason != reason {
			return fmt.Errorf("%s is %s (%s), want stopped (%s)", model, m.Phase, m.Reason, reason)
		}
		return nil
	})
	return m
}

// starts counts those of a model's server, once there was one.
func (s *stack) starts(t *testing.T, model string) int { return s.status(t, model).Restarts + 1 }

// Nothing runs until somebody asks; then a crowd of requests makes one start, all of them are answered, and once nobody asks any
// more nothing runs again. All that as often as it happens.
func TestModelOnDemand(t *testing.T) {
	t.Parallel()
	const crowd = 1000
	s := startOnDemand(t, map[string]map[string]any{"m": {"idle_timeout": "5s", "limits": map[string]any{"queue": crowd, "keep_alive": true}}}, nil)
	if m := s.waitStopped(t, "m", "OnDemand"); m.Desired != "on_demand" || m.Instances[0].PID != 0 {
		t.Fatalf("before anybody asked: %+v", m)
	}
	if list := do(t, "GET", s.gateway+"/v1/models", nil).want(t, http.StatusOK); !strings.Contains(string(list.body), `"id":"m"`) {
		t.Errorf("it is not listed: %s", list.body)
	}
	var all sync.WaitGroup
	var answered atomic.Int64
	for range crowd {
		all.Go(func() {
			if err := s.ask(t, "m"); err != nil {
				t.Error(err)
				return
			}
			answered.Add(1)
		})
	}
	all.Wait()
	if n := s.starts(t, "m"); answered.Load() != crowd || n != 1 {
		t.Fatalf("%d of %d requests were answered, after %d starts", answered.Load(), crowd, n)
	}
	for n := range 2 {
		if m := s.waitStopped(t, "m", "Idle"); m.Instances[0].PID != 0 {
			t.Errorf("it rests with process %d", m.Instances[0].PID)
		}
		// A stream hears that it waits, and then gets all that it asked for.
		resp, err := open(t, "POST", s.gateway+"/llm/m/chat/completions", map[string]any{"messages": user("ping"), "stream": true})
		if err != nil {
			t.Fatal(err)
		}
		whole, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || !strings.HasPrefix(string(whole), ": waiting\n\n") || !strings.HasSuffix(string(whole), "data: [DONE]\n\n") {
			t.Errorf("the stream: %q, %v", whole, err)
		}
		if got := s.starts(t, "m"); got != n+2 {
			t.Errorf("%d starts", got)
		}
	}
	// What an administrator looks at, and who leaves while it waits, starts nothing for ever.
	s.waitStopped(t, "m", "Idle")
	if said := get(t, s.gateway+"/llm/m/metrics"); !strings.Contains(said, `"model_loading"`) {
		t.Errorf("its metrics: %s", said)
	}
	if m := s.status(t, "m"); m.Phase != "stopped" || s.starts(t, "m") != 3 {
		t.Errorf("after a look at its metrics: %+v", m)
	}
	s.command(t, "m", "stop").want(t, http.StatusAccepted)
	eventually(t, func() error {
		a := do(t, "POST", s.gateway+"/llm/m/chat/completions", hello)
		if a.status != http.StatusServiceUnavailable || !strings.Contains(string(a.body), "model_stopped") {
			return fmt.Errorf("stopped by a person: %d %s", a.status, a.body)
		}
		return nil
	})
	s.command(t, "m", "start").want(t, http.StatusAccepted)
	eventually(t, func() error { return s.ask(t, "m") })
	if m := s.status(t, "m"); m.Desired != "on_demand" {
		t.Errorf("after a start by a person: %+v", m)
	}
}

// Everybody who waits for a model that cannot be started is told why.
func TestModelOnDemandThatFails(t *testing.T) {
	t.Parallel()
	s := startOnDemand(t, map[string]map[string]any{"m": {"command": "no-such-program", "endpoints": map[string]string{"base_url": "http://127.0.0.1:1/v1"}}}, nil)
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			a, err := send(t, "POST", s.gateway+"/llm/m/chat/completions", hello)
			if err != nil {
				t.Error(err)
				return
			}
			if a.status != http.StatusServiceUnavailable || !strings.Contains(string(a.body), `"model_failed"`) || !strings.Contains(string(a.body), "StartFailed: start no-such-program") {
				t.Errorf("%d %s", a.status, a.body)
			}
		})
	}
	all.Wait()
	if m := s.status(t, "m"); m.Phase != "failed" || m.Desired != "on_demand" {
		t.Errorf("%+v", m)
	}
}

// Two models with room for one are asked for in turn and at the same time. No request fails, and never are both loaded.
func TestModelsThatSwap(t *testing.T) {
	t.Parallel()
	member := func() map[string]any { return map[string]any{"swap_group": "gpu-0"} }
	s := startOnDemand(t, map[string]map[string]any{"a": member(), "b": member()}, map[string]any{"gpu-0": map[string]any{"residency": "500ms"}})
	for range 3 { // in turn
		for _, model := range []string{"a", "b"} {
			if err := s.ask(t, model); err != nil {
				t.Fatal(err)
			}
		}
	}
	s.waitStopped(t, "a", "Evicted")
	retired := func() float64 {
		return s.scrape(t, s.supervisor).sum("fluidmcp_model_retirements_total", "reason", "evicted")
	}
	const swaps = 3
	before, begin := retired(), time.Now()
	stop := make(chan struct{})
	var all sync.WaitGroup
	var answered atomic.Int64
	for n := range 8 { // at the same time, always more to do on both
		all.Go(func() {
			for {
				select {
				case <-stop:
					return
				case <-time.After(10 * time.Millisecond):
				}
				if err := s.ask(t, []string{"a", "b"}[n%2]); err != nil {
					t.Error(err)
					return
				}
				answered.Add(1)
			}
		})
	}
	for n := range 4 { // and who cannot wait leaves
		all.Go(func() {
			brief := http.Client{Timeout: time.Duration(n+1) * 100 * time.Millisecond}
			if resp, err := brief.Post(s.gateway+"/llm/"+[]string{"a", "b"}[n%2]+"/chat/completions", "application/json", strings.NewReader(`{"messages": []}`)); err == nil {
				resp.Body.Close()
			}
		})
	}
	eventually(t, func() error {
		if n := retired() - before; n < swaps && !t.Failed() {
			return fmt.Errorf("%v swaps", n)
		}
		return nil
	})
	took := time.Since(begin).Round(time.Millisecond)
	close(stop)
	all.Wait()
	loaded := map[string]bool{}
	for _, e := range s.happened(t, s.gateway) {
		switch e.Phase {
		case "starting":
			loaded[e.Model] = true
		case "stopped", "pending", "backoff", "failed":
			delete(loaded, e.Model)
		}
		if len(loaded) > 1 {
			t.Fatalf("both are loaded after %s by %s", e, e.By)
		}
	}
	t.Logf("%d requests for two models with room for one were answered in %s, with %v swaps", answered.Load(), took, retired()-before)
}

// A model that sleeps keeps its process, wakes up for the next request, and is started anew when it has died.
func TestModelThatSleeps(t *testing.T) {
	t.Parallel()
	s := startOnDemand(t, map[string]map[string]any{"m": {"idle_timeout": "4s", "sleep": true}}, nil)
	pid := s.awake(t, "m").PID
	for range 2 {
		m := s.waitStopped(t, "m", "Idle")
		if !m.Instances[0].Asleep || m.Instances[0].PID != pid {
			t.Fatalf("%+v", m)
		}
		if said := get(t, s.mocks["m"]+"/is_sleeping"); said != `{"is_sleeping":true}` {
			t.Errorf("the server says %s", said)
		}
		if m := s.awake(t, "m"); m.PID != pid {
			t.Errorf("it woke up as process %d, after %d", m.PID, pid)
		}
	}
	s.waitStopped(t, "m", "Idle")
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() error {
		if m := s.status(t, "m"); m.Instances[0].PID != 0 || m.Instances[0].Asleep || m.Phase != "stopped" {
			return fmt.Errorf("after it died in its sleep: %+v", m)
		}
		return nil
	})
	if m := s.awake(t, "m"); m.PID == pid {
		t.Errorf("process %d is said to have started anew", pid)
	}
}

// awake asks a model that sleeps when nobody does, and returns its server as it is then. Who takes too long to look asks again.
func (s *stack) awake(t *testing.T, model string) (server instanceStatus) {
	t.Helper()
	eventually(t, func() error {
		if err := s.ask(t, model); err != nil {
			t.Fatal(err)
		}
		m := s.status(t, model)
		if server = m.Instances[0]; server.Asleep || m.Phase != "ready" {
			return fmt.Errorf("after a request: %+v", m)
		}
		return nil
	})
	return server
}

// Two gateways want the same model, whose supervisor is killed while they wait for it. All of their clients are answered. One gateway is
// killed too; the other one is enough to know when nobody asks any more.
func TestModelOnDemandBehindTwoGateways(t *testing.T) {
	t.Parallel()
	ports := freePorts(t, 2)
	file := modelsFile(t, map[string]any{"m": map[string]any{
		"command": fluidmcp(t), "args": []string{"mockvllm", "serve", "m", "--port", fmt.Sprint(ports[1]), "--mock-load-time", "5s"},
		"served_name": "m", "endpoints": map[string]any{"base_url": fmt.Sprintf("http://127.0.0.1:%d/v1", ports[1])},
		"start": "on_demand", "idle_timeout": "1s"}})
	a := &apart{chaos: &chaos{stack: &stack{supervisor: fmt.Sprintf("http://127.0.0.1:%d", ports[0])}}}
	a.env = append(os.Environ(), fmt.Sprintf("SUPERVISOR_ADDR=127.0.0.1:%d", ports[0]), "SUPERVISOR_MODELS="+file, "SUPERVISOR_STATE_DIR="+t.TempDir(),
		"SUPERVISOR_PROBE_STARTING=50ms")
	a.supervise(t)
	var gates []*gatewayProcess
	for range 2 {
		g := startGateway(t, gatewayBinary, a.supervisor)
		gates = append(gates, g)
		a.gateway = g.url
		a.waitStopped(t, "m", "OnDemand")
	}
	var all sync.WaitGroup
	for starting := false; !starting && !t.Failed(); { // on a busy machine it may be there before anybody has looked, and answer all
		a.waitStopped(t, "m", "")
		var answered atomic.Int64
		for n := range 40 {
			at := *a.stack
			at.gateway = gates[n%2].url
			all.Go(func() {
				if err := at.ask(t, "m"); err != nil {
					t.Error(err)
				}
				answered.Add(1)
			})
		}
		eventually(t, func() error {
			m := a.status(t, "m")
			if starting = m.Phase == "starting"; !starting && answered.Load() == 0 {
				return fmt.Errorf("it is %s", m.Phase)
			}
			return nil
		})
		if !starting {
			all.Wait()
		}
	}
	a.supervised.end(t, syscall.SIGKILL)
	a.supervise(t)
	all.Wait()
	gates[0].end(t, syscall.SIGKILL)
	a.waitStopped(t, "m", "Idle")
	if err := a.ask(t, "m"); err != nil {
		t.Error(err)
	}
}

// get is the body of an answer that is not held against the API reference.
func get(t *testing.T, url string) string {
	t.Helper()
	resp, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	a, err := read(resp)
	resp.Body.Close()
	if err != nil {
		t.Fatal(err)
	}
	return string(a.body)
}
