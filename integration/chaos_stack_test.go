package integration

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
)

const (
	trio     = "trio"           // the model that all scenarios ask; its servers are mock-0, mock-1 and mock-2
	recovery = 90 * time.Second // the longest that anything may take to come back, so that a failure ends
)

// chaos is a stack whose gateway reaches each of three mocks through a proxy that can be told to misbehave.
type chaos struct {
	*stack
	pid     int // of fluidmcp
	proxies []*toxiproxy.Proxy
	servers int    // of trio that can be asked when all is well
	calm    levels // before anything happened
	before  scrape // of the gateway, before the scenario
	calmly  func() // ends the impatience of the scenario; nil without one
}

// chaosOptions are what differs from stack to stack.
type chaosOptions struct {
	stderr   *os.File       // for the log; nil is the log of the test
	limits   map[string]any // of trio
	nameless bool           // the first server of trio has a name that does not exist, instead of a proxy's address
}

// Timeouts of trio, in seconds. A server that has no processor for a while is not a silent one, so gateways are patient but where the
// scenario is about silence.
var (
	patientTimeouts   = map[string]any{"connect": 30, "first_byte": 60, "idle": 60}
	impatientTimeouts = map[string]any{"connect": 1, "first_byte": 10, "idle": 5}
)

// impatient has the gateway give up on silent servers soon, until the end of the scenario.
func (c *chaos) impatient(t *testing.T) {
	t.Helper()
	set := func(timeouts map[string]any) {
		do(t, http.MethodPatch, c.gateway+"/api/llm/models/"+trio, map[string]any{"timeouts": timeouts}).want(t, http.StatusAccepted)
	}
	set(impatientTimeouts)
	c.calmly = func() { set(patientTimeouts) }
}

// levels are what has to be back where it was once all is over.
type levels struct{ inflight, queued, goroutines, sockets float64 }

// startChaos runs fluidmcp with three mocks behind proxies. No other model shares the proxies: probes of two at a time would keep
// now one and now two connections alive.
func startChaos(t *testing.T, o chaosOptions) *chaos {
	ports := freePorts(t, 8)
	c := &chaos{servers: 3, stack: &stack{
		gateway:    fmt.Sprintf("http://127.0.0.1:%d", ports[0]),
		supervisor: fmt.Sprintf("http://127.0.0.1:%d", ports[1]),
		processes:  true,
		mocks:      map[string]string{},
	}}
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	models := map[string]any{}
	var list []map[string]any
	for i, port := range ports[2:5] {
		name := fmt.Sprintf("mock-%d", i)
		c.mocks[name] = fmt.Sprintf("http://127.0.0.1:%d", port)
		models[name] = map[string]any{"command": "mockvllm", "args": []any{"serve", "mock-model", "--port", port, "--mock-itl", "50ms"}}
		proxy := toxiproxy.NewProxy(server, name, fmt.Sprintf("127.0.0.1:%d", ports[5+i]), fmt.Sprintf("127.0.0.1:%d", port))
		if err := proxy.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(proxy.Stop)
		c.proxies = append(c.proxies, proxy)
		list = append(list, map[string]any{"base_url": "http://" + proxy.Listen + "/v1"})
	}
	timeouts := patientTimeouts
	if o.nameless {
		list[0]["base_url"] = "http://gone.invalid:8000/v1"
		c.servers--
		timeouts = impatientTimeouts // resolvers may take their time to say that there is no such name
	}
	models[trio] = map[string]any{"endpoints": map[string]any{"servers": list}, "served_name": "mock-model", "timeouts": timeouts}
	if o.limits != nil {
		models[trio].(map[string]any)["limits"] = o.limits
	}

	cmd := exec.Command(fluidmcp(t), "run", modelsFile(t, models), "--start-server",
		"--port", fmt.Sprint(ports[0]), "--supervisor-port", fmt.Sprint(ports[1]))
	// The gateway has to cope by itself: the supervisor does not look at a server again that was ready once. It keeps an unused
	// connection for 4 s, so that after probes there is a moment without any.
	cmd.Env = append(os.Environ(), "GATEWAY_PROBE_INTERVAL=6s", "SUPERVISOR_PROBE_INTERVAL=1h")
	if o.stderr != nil {
		cmd.Stderr = o.stderr
	}
	run := start(t, cmd)
	run.endsWell(t, syscall.SIGINT)
	c.pid = run.Process.Pid
	eventually(t, func() error {
		if up := c.serversUp(t); up != c.servers {
			return fmt.Errorf("%v servers are up", up)
		}
		return c.ask(t, trio)
	})
	c.calm = c.quiet(t)
	return c
}

// serversUp counts the servers of trio that the gateway would ask, or gives -1 while it cannot be asked itself.
func (c *chaos) serversUp(t *testing.T) int {
	t.Helper()
	if _, err := send(t, http.MethodGet, c.gateway+"/metrics", nil); err != nil {
		return -1 // it is about to start
	}
	now, up := c.scrape(t, c.gateway), 0
	for i := range c.proxies {
		id := fmt.Sprintf("%s-%d", trio, i)
		if now.sum("fluidmcp_backend_up", "backend", id) > 0 && now.sum("fluidmcp_backend_ejected", "backend", id) == 0 {
			up++
		}
	}
	return up
}

// levels reads them now.
func (c *chaos) levels(t *testing.T) levels {
	t.Helper()
	now := c.scrape(t, c.gateway)
	return levels{now.sum("fluidmcp_inflight_requests"), now.sum("fluidmcp_queued_requests"), now.sum("go_goroutines"), sockets(t, c.pid)}
}

// sockets counts those of a process. Its other files may become more: a log of crashes is opened with the first one, and stays so.
func sockets(t *testing.T, pid int) (n float64) {
	t.Helper()
	folder := fmt.Sprintf("/proc/%d/fd", pid)
	files, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if to, err := os.Readlink(filepath.Join(folder, file.Name())); err == nil && strings.HasPrefix(to, "socket:") { // else it is closed by now
			n++
		}
	}
	return n
}

// quiet returns the levels without traffic, which probes move a little all the time: the middle of many readings, the first of
// which may still see the connections of the start.
func (c *chaos) quiet(t *testing.T) levels {
	t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	var goroutines, sockets []float64
	for i := range 300 {
		<-tick.C
		if now := c.levels(t); i >= 100 {
			goroutines, sockets = append(goroutines, now.goroutines), append(sockets, now.sockets)
		}
	}
	slices.Sort(goroutines)
	slices.Sort(sockets)
	return levels{goroutines: goroutines[len(goroutines)/2], sockets: sockets[len(sockets)/2]}
}

// settle fails the test unless everything comes back to where it was: all servers are used again, nothing is in flight, and no
// goroutine or connection is left over.
func (c *chaos) settle(t *testing.T) {
	t.Helper()
	eventuallyWithin(t, recovery, func() error {
		if up := c.serversUp(t); up != c.servers {
			return fmt.Errorf("%v servers are up", up)
		}
		if now := c.levels(t); now.inflight > 0 || now.queued > 0 || now.goroutines > c.calm.goroutines || now.sockets > c.calm.sockets {
			return fmt.Errorf("%+v, and before %+v", now, c.calm)
		}
		return nil
	})
}

// unharmed has clients ask until the gateway has met the fault of the scenario, which a server that has just come back may be spared. All of
// them get their answers.
func (c *chaos) unharmed(t *testing.T) {
	t.Helper()
	eventuallyWithin(t, recovery, func() error {
		c.traffic(t, each).allWhole(t)
		return c.met(t)
	})
}

// met tells when the gateway has not noticed the fault of the scenario.
func (c *chaos) met(t *testing.T) error {
	t.Helper()
	now := c.scrape(t, c.gateway)
	failed := func(of scrape) float64 {
		const attempts = "fluidmcp_upstream_attempts_total"
		return of.sum(attempts, "model", trio) - of.sum(attempts, "model", trio, "outcome", "ok")
	}
	if failed(now) == failed(c.before) && now.sum("fluidmcp_backend_up", "model", trio) == float64(c.servers) {
		return errors.New("no attempt failed, and no server was found to be down")
	}
	return nil
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
	if c.calmly != nil {
		c.calmly()
		c.calmly = nil
	}
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
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0) // other tests start processes meanwhile
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
