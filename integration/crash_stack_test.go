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
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/fluidmcp/fluidmcp/services/supervisor/driver/process/proc"
)

// The models of a crash stack. Every server has a worker process, as vLLM's have.
const (
	twofold = "twofold" // has two servers
	onefold = "onefold" // has one
)

// crashStack is gateway, supervisor and model servers as processes that can be killed one by one. Whoever is killed of gateway and
// supervisor has to be started again by the test, as a service manager would.
type crashStack struct {
	*stack
	t          *testing.T // of the whole test: what is started lives on when a disaster is over
	folder     string     // for notes to the servers, see crashServer
	ports      []int      // of the servers: two of twofold, one of onefold
	supervised *command
	gated      *command
	known      map[proc.ID]bool // processes of model servers that ever were
	limit      string           // shell commands before the supervisor starts
	stall      int              // seconds without progress after which it gives up a start
	group      string           // of control, that bounds the memory of all these, when there is one
}

// patientStall is more seconds than a start stands still on a machine that has much to do.
const patientStall = 60

// Memory, in bytes.
const (
	crashMemory = 1 << 30  // more than the whole stack needs
	spareMemory = 32 << 20 // little enough to be eaten in no time
)

// crashServer stands in PATH for mockvllm, so that a server can be told by a file how its next start shall go wrong.
const crashServer = `#!/bin/sh
# $0 serve MODEL --port PORT ...
if rm "$NOTES/hang-$4" 2>/dev/null; then # it loads, and loads
	exec sleep 1000
fi
if rm "$NOTES/deaf-$4" 2>/dev/null; then # it does not end when asked to
	trap '' TERM
	"$FLUIDMCP" mockvllm "$@"
	exec sleep 1000
fi
exec "$FLUIDMCP" mockvllm "$@"
`

func startCrashStack(t *testing.T) *crashStack {
	ports := freePorts(t, 7)
	// Two servers of one model have ports that follow each other, and the extra one of a restart has the next.
	c := &crashStack{t: t, folder: t.TempDir(), ports: []int{ports[2], ports[3], ports[5]}, known: map[proc.ID]bool{}, stall: patientStall, stack: &stack{
		gateway: fmt.Sprintf("http://127.0.0.1:%d", ports[0]), supervisor: fmt.Sprintf("http://127.0.0.1:%d", ports[1]), processes: true,
	}}
	if err := os.WriteFile(filepath.Join(c.folder, "mockvllm"), []byte(crashServer), 0o700); err != nil {
		t.Fatal(err)
	}
	c.startSupervisor(t)
	c.startGateway(t)
	eventually(t, func() error { return c.well(t) })
	return c
}

// models is the file of the stack. A server that has no time to accept connections is not a dead one.
func (c *crashStack) models(t *testing.T) string {
	t.Helper()
	model := func(port int) map[string]any {
		return map[string]any{"command": "mockvllm", "args": []any{"serve", "mock-model", "--port", port, "--mock-itl", "20ms", "--mock-load-time", "1s", "--mock-worker"},
			"env": map[string]string{"NOTES": c.folder, "FLUIDMCP": fluidmcp(t)}, "timeouts": map[string]any{"stall": c.stall, "connect": 30}, "limits": map[string]any{"keep_alive": true}}
	}
	two := model(c.ports[0])
	two["replicas"] = 2
	return modelsFile(t, map[string]any{twofold: two, onefold: model(c.ports[2])})
}

func (c *crashStack) startSupervisor(t *testing.T) {
	t.Helper()
	cmd := exec.Command("sh", "-c", c.limit+`exec "$0"`, built(t, supervisorBinary))
	cmd.Env = append(os.Environ(), "PATH="+c.folder+":"+os.Getenv("PATH"), "SUPERVISOR_MODELS="+c.models(c.t), "SUPERVISOR_STATE_DIR="+filepath.Join(c.folder, "state"),
		"SUPERVISOR_ADDR="+strings.TrimPrefix(c.supervisor, "http://"))
	c.supervised = start(c.t, cmd)
}

func (c *crashStack) startGateway(t *testing.T) {
	t.Helper()
	cmd := exec.Command(built(t, gatewayBinary))
	cmd.Env = append(os.Environ(), "GATEWAY_ADDR="+strings.TrimPrefix(c.gateway, "http://"), "GATEWAY_SUPERVISOR_URL="+c.supervisor)
	c.gated = start(c.t, cmd)
}

// restartSupervisor ends the supervisor, and starts it with shell commands before it.
func (c *crashStack) restartSupervisor(t *testing.T, limit string) {
	t.Helper()
	c.supervised.end(t, syscall.SIGTERM)
	c.limit = limit
	c.startSupervisor(t)
	eventually(t, func() error { return c.well(t) })
}

// well is nil when every server of both models is ready and the gateway sends requests there.
func (c *crashStack) well(t *testing.T) error {
	t.Helper()
	for _, id := range []string{twofold, onefold} {
		a, err := send(t, http.MethodGet, c.gateway+"/api/llm/models/"+id, nil)
		if err != nil || a.status != http.StatusOK {
			return fmt.Errorf("%s: %d, %w", id, a.status, err)
		}
		var m modelStatus
		a.decode(t, &m)
		for _, i := range m.Instances {
			if i.Phase != "ready" {
				return fmt.Errorf("a server of %s is %s", id, i.Phase)
			}
		}
		if up := c.scrape(t, c.gateway).sum("fluidmcp_backend_up", "model", id); up != float64(len(m.Instances)) {
			return fmt.Errorf("the gateway sends requests to %v servers of %s", up, id)
		}
		if err := c.ask(t, id); err != nil {
			return err
		}
	}
	c.remember(t)
	return nil
}

// victim is a model server with what belongs to it.
type victim struct {
	server, guard proc.ID
	below         []proc.ID // what the server has started
}

// victims are the first server of each model.
func (c *crashStack) victims(t *testing.T) []victim {
	t.Helper()
	var all []victim
	for _, id := range []string{twofold, onefold} {
		all = append(all, family(c.status(t, id).Instances[0].PID))
	}
	return all
}

// family finds the guard of a server and what is below it.
func family(pid int) victim {
	table := proc.Read()
	server := table[pid]
	return victim{server: server.ID, guard: table[server.Parent].ID, below: table.Below(pid)}
}

// remember takes note of all processes of model servers.
func (c *crashStack) remember(t *testing.T) {
	t.Helper()
	for _, id := range []string{twofold, onefold} {
		for _, i := range c.status(t, id).Instances {
			v := family(i.PID)
			for _, id := range append(v.below, v.server) {
				c.known[id] = true
			}
		}
	}
}

// clean fails the test when a process is left that belongs to no server that runs.
func (c *crashStack) clean(t *testing.T) {
	t.Helper()
	now := map[proc.ID]bool{}
	for _, id := range []string{twofold, onefold} {
		for _, i := range c.status(t, id).Instances {
			v := family(i.PID)
			for _, id := range append(v.below, v.server) {
				now[id] = true
			}
		}
	}
	for id := range c.known {
		if !now[id] && id.Alive() {
			t.Errorf("process %d is left of a server that has ended", id.PID)
		}
	}
}

// guards are those of all servers.
func (c *crashStack) guards(t *testing.T) []proc.ID {
	t.Helper()
	var all []proc.ID
	for _, id := range []string{twofold, onefold} {
		for _, i := range c.status(t, id).Instances {
			all = append(all, family(i.PID).guard)
		}
	}
	return all
}

// everything are all processes of the stack: the services first, then what they have started.
func (c *crashStack) everything() []proc.ID {
	var all []proc.ID
	table := proc.Read()
	for _, service := range []*command{c.gated, c.supervised} {
		all = append(append(all, table[service.Process.Pid].ID), table.Below(service.Process.Pid)...)
	}
	return all
}

// forgive has the supervisor forget the failures of both models, so that the next failure is a first one again.
func (c *crashStack) forgive(t *testing.T) {
	t.Helper()
	for _, id := range []string{twofold, onefold} {
		c.command(t, id, "stop").want(t, http.StatusAccepted)
	}
	for _, id := range []string{twofold, onefold} {
		c.waitPhase(t, id, "stopped")
		c.command(t, id, "start").want(t, http.StatusAccepted)
	}
	eventually(t, func() error { return c.well(t) })
}

// impostor answers on the ports of servers as if it were them, and counts who falls for it.
type impostor struct {
	servers []*http.Server
	mu      sync.Mutex
	fooled  []string // paths of requests that are not for health
}

func (i *impostor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !slices.Contains([]string{"/health", "/v1/models", "/metrics"}, r.URL.Path) {
		i.mu.Lock()
		i.fooled = append(i.fooled, r.URL.Path)
		i.mu.Unlock()
	}
	fmt.Fprint(w, `{"data": [{"id": "mock-model"}]}`)
}

// take listens on a port as soon as it is free.
func (i *impostor) take(t *testing.T, port int) {
	t.Helper()
	var ln net.Listener
	eventually(t, func() (err error) {
		ln, err = net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		return err
	})
	srv := &http.Server{Handler: i, ReadHeaderTimeout: time.Minute}
	go func() {
		if err := srv.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	}()
	i.servers = append(i.servers, srv)
}

func (i *impostor) leave() {
	for _, srv := range i.servers {
		_ = srv.Close()
	}
}
