package integration

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
)

// The models of the chaos stack, all of them the same three servers. Mocks are "mock-0" and so on.
const (
	trio    = "trio"    // what most scenarios ask; gives up on a server early
	narrow  = "narrow"  // lets few requests through at a time, so that the others queue
	patient = "patient" // waits as long as the gateway by itself does
	servers = 3

	recovery = 90 * time.Second // the longest that anything may take to come back, so that a failure ends
)

// chaos is a stack whose gateway reaches each of three mocks through a proxy that can be told to misbehave.
type chaos struct {
	*stack
	proxies []*toxiproxy.Proxy
	calm    levels // before anything happened
	before  scrape // of the gateway, before the scenario
}

// levels are what has to be back where it was once all is over.
type levels struct{ inflight, queued, goroutines, files float64 }

// startChaos runs fluidmcp with three mocks. extra are further models, by what servers of theirs can be reached. The log goes
// to stderr, or to the log of the test when that is nil.
func startChaos(t *testing.T, stderr *os.File, extra func(addresses []string) map[string]any) *chaos {
	ports := freePorts(t, 2+servers)
	c := &chaos{stack: &stack{
		gateway:    fmt.Sprintf("http://127.0.0.1:%d", ports[0]),
		supervisor: fmt.Sprintf("http://127.0.0.1:%d", ports[1]),
		processes:  true,
		mocks:      map[string]string{},
	}}
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	models := map[string]any{}
	var addresses []string
	for i, port := range ports[2:] {
		name := fmt.Sprintf("mock-%d", i)
		c.mocks[name] = fmt.Sprintf("http://127.0.0.1:%d", port)
		models[name] = map[string]any{"command": "mockvllm", "args": []any{"serve", "mock-model", "--port", port, "--mock-itl", "50ms"}}
		proxy := toxiproxy.NewProxy(server, name, "127.0.0.1:0", fmt.Sprintf("127.0.0.1:%d", port))
		if err := proxy.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(proxy.Stop)
		c.proxies = append(c.proxies, proxy)
		addresses = append(addresses, "http://"+proxy.Listen+"/v1")
	}
	early := map[string]any{"connect": 1, "first_byte": 5, "idle": 5}
	models[trio] = elsewhere(addresses, map[string]any{"timeouts": early})
	models[narrow] = elsewhere(addresses, map[string]any{"timeouts": early, "limits": map[string]any{"inflight": 6, "queue": 200}})
	models[patient] = elsewhere(addresses, nil)
	if extra != nil {
		for id, model := range extra(addresses) {
			models[id] = model
		}
	}

	cmd := exec.Command(fluidmcp(t), "run", modelsFile(t, models), "--start-server",
		"--port", fmt.Sprint(ports[0]), "--supervisor-port", fmt.Sprint(ports[1]))
	// The gateway has to cope by itself: the supervisor does not look at a server again that was ready once. It keeps an unused
	// connection for 4 s, so that between two probes there is a moment without any.
	cmd.Env = append(os.Environ(), "GATEWAY_PROBE_INTERVAL=6s", "SUPERVISOR_PROBE_INTERVAL=1h")
	if stderr != nil {
		cmd.Stderr = stderr
	}
	run := start(t, cmd)
	t.Cleanup(func() {
		run.end(t, syscall.SIGINT)
		if run.err != nil {
			t.Errorf("fluidmcp ended with %v; the race detector uses exit code 66", run.err)
		}
	})
	eventually(t, func() error {
		if up := c.serversUp(t, patient); up != servers {
			return fmt.Errorf("%v servers are up", up)
		}
		return errors.Join(c.ask(t, trio), c.ask(t, narrow), c.ask(t, patient))
	})
	c.calm = c.quiet(t)
	return c
}

// elsewhere is a model that servers at these addresses answer for.
func elsewhere(addresses []string, more map[string]any) map[string]any {
	var list []any
	for _, address := range addresses {
		list = append(list, map[string]any{"base_url": address})
	}
	model := map[string]any{"endpoints": map[string]any{"servers": list}, "served_name": "mock-model"}
	for name, value := range more {
		model[name] = value
	}
	return model
}

// serversUp counts the servers of a model that the gateway thinks can be asked, or -1 while it cannot be asked itself.
func (c *chaos) serversUp(t *testing.T, model string) float64 {
	t.Helper()
	if _, err := send(t, http.MethodGet, c.gateway+"/metrics", nil); err != nil {
		return -1 // it is about to start
	}
	return c.scrape(t, c.gateway).sum("fluidmcp_backend_up", "model", model)
}

// levels reads them now.
func (c *chaos) levels(t *testing.T) levels {
	t.Helper()
	now := c.scrape(t, c.gateway)
	return levels{now.sum("fluidmcp_inflight_requests"), now.sum("fluidmcp_queued_requests"), now.sum("go_goroutines"), now.sum("process_open_fds")}
}

// quiet waits until the levels fall no more and returns the lowest. A probe may be under way at any moment.
func (c *chaos) quiet(t *testing.T) levels {
	t.Helper()
	least, since := c.levels(t), 0
	eventuallyWithin(t, recovery, func() error {
		now := c.levels(t)
		if now.goroutines < least.goroutines || now.files < least.files {
			least, since = levels{now.inflight, now.queued, min(now.goroutines, least.goroutines), min(now.files, least.files)}, 0
		}
		if since++; since < 200 { // ten seconds or more, in which there is a moment between two probes
			return fmt.Errorf("the levels still fall: %+v", now)
		}
		return nil
	})
	return least
}

// settle fails the test unless everything comes back to where it was: all servers are used again, nothing is in flight, and no
// goroutine or connection is left over.
func (c *chaos) settle(t *testing.T) {
	t.Helper()
	eventuallyWithin(t, recovery, func() error {
		if up := c.serversUp(t, trio); up != servers {
			return fmt.Errorf("%v servers are up", up)
		}
		if now := c.levels(t); now.inflight > 0 || now.queued > 0 || now.goroutines > c.calm.goroutines || now.files > c.calm.files {
			return fmt.Errorf("%+v, and before %+v", now, c.calm)
		}
		return nil
	})
}

// met fails the test when the gateway has not noticed the fault of the scenario, so that the scenario shows nothing.
func (c *chaos) met(t *testing.T, model string) {
	t.Helper()
	now := c.scrape(t, c.gateway)
	failed := func(of scrape) float64 {
		const attempts = "fluidmcp_upstream_attempts_total"
		return of.sum(attempts, "model", model) - of.sum(attempts, "model", model, "outcome", "ok")
	}
	if failed(now) == failed(c.before) && now.sum("fluidmcp_backend_up", "model", model) == servers {
		t.Error("no attempt failed, and no server was found to be down")
	}
}

// poison puts a toxic on the way to or from a server. heal removes it. stream is "upstream" for what the gateway
// sends and "downstream" for what it gets.
func (c *chaos) poison(t *testing.T, server int, stream, kind, attributes string) {
	t.Helper()
	toxics := c.proxies[server].Toxics
	if _, err := toxics.AddToxicJson(strings.NewReader(fmt.Sprintf(`{"stream": %q, "type": %q, "attributes": {%s}}`, stream, kind, attributes))); err != nil {
		t.Fatal(err)
	}
}

// heal takes everything back that was done to the proxies.
func (c *chaos) heal(t *testing.T) {
	t.Helper()
	for _, proxy := range c.proxies {
		proxy.Toxics.ResetToxics(t.Context())
		if err := proxy.Start(); err != nil && !errors.Is(err, toxiproxy.ErrProxyAlreadyStarted) {
			t.Fatal(err)
		}
	}
}

// replace puts a listener that accepts nobody in the place of a proxy, until the function that it returns is called. The system
// completes connections up to its backlog, and leaves further ones without an answer.
func (c *chaos) replace(t *testing.T, server, backlog int) (address string, end func()) {
	t.Helper()
	proxy := c.proxies[server]
	proxy.Stop()
	at, err := net.ResolveTCPAddr("tcp", proxy.Listen)
	if err != nil {
		t.Fatal(err)
	}
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	err = errors.Join(syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1),
		syscall.Bind(fd, &syscall.SockaddrInet4{Port: at.Port, Addr: [4]byte{127, 0, 0, 1}}), syscall.Listen(fd, backlog))
	if err != nil {
		t.Fatal(errors.Join(err, syscall.Close(fd)))
	}
	return proxy.Listen, func() {
		if err := syscall.Close(fd); err != nil {
			t.Error(err)
		}
	}
}
