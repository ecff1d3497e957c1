package integration

import (
	"fmt"
	"os"
	"syscall"
	"testing"
)

// TestFewerServersWithAnotherCommand changes command and number of servers of a model at once, under load and without room for one
// more server. Those that go serve until those that stay are there, and nobody who uses the model sees anything of it.
func TestFewerServersWithAnotherCommand(t *testing.T) {
	t.Parallel()
	ports := freePorts(t, 2)
	s := &stack{
		gateway:    fmt.Sprintf("http://127.0.0.1:%d", ports[0]),
		supervisor: fmt.Sprintf("http://127.0.0.1:%d", ports[1]),
		processes:  true,
	}
	first := freePorts(t, 4)[0]
	models := func(replicas int, load string) map[string]any {
		return map[string]any{rolled: map[string]any{"command": "mockvllm", "replicas": replicas, "rollout": map[string]any{"surge": false},
			"args":     []any{"serve", "mock-model", "--port", first, "--mock-itl", "50ms", "--mock-load-time", load},
			"timeouts": map[string]any{"connect": 30}}} // one that has no time to accept connections is not a dead one
	}
	file := modelsFile(t, models(3, "500ms"))
	c := launch(t, "run", file, "--start-server", "--port", fmt.Sprint(ports[0]), "--supervisor-port", fmt.Sprint(ports[1]))
	c.endsWell(t, syscall.SIGINT)
	eventually(t, func() error { return s.ask(t, rolled) })
	eventually(t, func() error { return s.allServersReady(t, rolled) })
	counted := s.scrape(t, s.gateway)
	streams, plain := arrive(t, s, rolled, crowd/5, true), arrive(t, s, rolled, crowd/5, false)
	for n, replicas := range []int{1, 3, 1} {
		before := s.status(t, rolled).Instances[0].PID
		next, err := os.ReadFile(modelsFile(t, models(replicas, fmt.Sprintf("50%dms", n+1))))
		if err == nil {
			err = os.WriteFile(file, next, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		eventually(t, func() error {
			now := s.status(t, rolled).Instances
			if len(now) != replicas || now[0].PID == before {
				return fmt.Errorf("want %d new servers, have %+v", replicas, now)
			}
			return s.allServersReady(t, rolled)
		})
	}
	answers := streams.goHome(t) + plain.goHome(t)
	s.scrape(t, s.gateway).grew(t, counted, 0, "fluidmcp_errors_total", "model", rolled)
	t.Logf("%d answers, all whole", answers)
}
