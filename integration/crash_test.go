package integration

import (
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var write = flag.Bool("write", false, "write the table of docs/reliability.md anew")

// disaster is one thing that breaks under load.
type disaster struct {
	name string
	run  func(t *testing.T, c *crashStack)
	// ready is what has to be before the traffic begins, and after all is over.
	before, after func(t *testing.T, c *crashStack)
}

// crashes come over the first server of each model, unless they concern everything. Each leaves the stack as it found it.
var crashes = []disaster{
	{name: "SIGKILL of a model server", run: func(t *testing.T, c *crashStack) {
		for _, v := range c.victims(t) {
			v.server.Signal(syscall.SIGKILL)
		}
	}},
	{name: "SIGKILL of its worker process", run: func(t *testing.T, c *crashStack) {
		for _, v := range c.victims(t) {
			for _, worker := range v.below {
				worker.Signal(syscall.SIGKILL)
			}
		}
	}},
	{name: "SIGKILL of its guard", run: func(t *testing.T, c *crashStack) {
		for _, v := range c.victims(t) {
			v.guard.Signal(syscall.SIGKILL)
		}
	}},
	{name: "the GPU's memory runs out", run: func(t *testing.T, c *crashStack) {
		c.fault(t, `{"rules": [{"do": {"oom": 0}}]}`)
	}},
	{name: "a server hangs while it loads", run: func(t *testing.T, c *crashStack) {
		c.note(t, "hang")
		for _, v := range c.victims(t) {
			v.server.Signal(syscall.SIGKILL)
		}
	}},
	{name: "a server does not end on SIGTERM", before: func(t *testing.T, c *crashStack) {
		c.note(t, "deaf")
		c.forgive(t)
	}, run: func(t *testing.T, c *crashStack) {
		before := c.guards(t)
		c.command(t, twofold, "restart").want(t, http.StatusAccepted) // one after the other
		c.command(t, onefold, "restart?force=true").want(t, http.StatusAccepted)
		for _, guard := range before {
			eventuallyWithin(t, recovery, func() error {
				if guard.Alive() {
					return fmt.Errorf("process %d still runs", guard.PID)
				}
				return nil
			})
		}
	}},
	{name: "somebody takes the port of a dead server", run: portStolen},
	{name: "SIGKILL of the supervisor", run: func(t *testing.T, c *crashStack) {
		c.supervised.end(t, syscall.SIGKILL)
		c.startSupervisor(t)
	}},
	{name: "SIGKILL of the supervisor and all guards", run: func(t *testing.T, c *crashStack) {
		guards := c.guards(t)
		_ = c.supervised.Process.Signal(syscall.SIGSTOP) // nobody may get ahead of another
		for _, g := range guards {
			g.Signal(syscall.SIGKILL)
		}
		c.supervised.end(t, syscall.SIGKILL)
		c.startSupervisor(t)
	}},
	{name: "SIGKILL of the gateway", run: func(t *testing.T, c *crashStack) {
		c.gated.end(t, syscall.SIGKILL)
		c.startGateway(t)
	}},
	{name: "SIGKILL of everything", run: func(t *testing.T, c *crashStack) {
		for _, id := range c.everything() {
			id.Signal(syscall.SIGKILL)
		}
		<-c.gated.exited
		<-c.supervised.exited
		c.startSupervisor(t)
		c.startGateway(t)
	}},
	{name: "the disk is full, and a model server is killed", before: func(t *testing.T, c *crashStack) {
		c.restartSupervisor(t, "ulimit -f 0; ") // of every file
	}, run: func(t *testing.T, c *crashStack) {
		for _, v := range c.victims(t) {
			v.server.Signal(syscall.SIGKILL)
		}
	}, after: func(t *testing.T, c *crashStack) {
		if said := c.supervised.said(); !strings.Contains(said, "file too large") {
			t.Error("the log does not tell of the disk")
		}
		c.restartSupervisor(t, "")
	}},
}

// TestCrashes lets everything happen to one stack with clients that ask all the time, and holds what they saw against the table of
// docs/reliability.md. With -write it writes that.
func TestCrashes(t *testing.T) {
	c := startCrashStack(t)
	var rows []string
	for _, crash := range crashes {
		t.Run(crash.name, func(t *testing.T) {
			if crash.before != nil {
				crash.before(t, c)
			}
			tallies, took := c.under(t, func() { crash.run(t, c) }, func() error { return c.well(t) })
			c.clean(t)
			for _, model := range []string{twofold, onefold} {
				t.Logf("%s: begun %v, not begun %v, with retries %v, all well after %s", model, tallies[model].begun, tallies[model].fresh, tallies[model].again, took)
				rows = append(rows, row(crash.name, model, tallies[model], took))
			}
			if crash.after != nil {
				crash.after(t, c)
			}
			c.forgive(t)
		})
	}
	if !t.Failed() && len(rows) == 2*len(crashes) {
		compareTable(t, rows)
	}
}

// portStolen has somebody listen on the ports of the dead servers, and answer as if it were them, until the supervisor says so.
func portStolen(t *testing.T, c *crashStack) {
	thief := &impostor{}
	for _, v := range c.victims(t) {
		v.server.Signal(syscall.SIGKILL)
	}
	for _, id := range []string{twofold, onefold} { // gateways send nothing there once the supervisor knows
		eventually(t, func() error {
			if i := c.status(t, id).Instances[0]; i.Phase != "backoff" {
				return fmt.Errorf("the server of %s is %s", id, i.Phase)
			}
			return nil
		})
	}
	thief.take(t, c.ports[0])
	thief.take(t, c.ports[2])
	for _, id := range []string{twofold, onefold} {
		eventually(t, func() error {
			if m := c.status(t, id); m.Instances[0].Reason != "PortInUse" {
				return fmt.Errorf("the server of %s is %s for %s", id, m.Instances[0].Phase, m.Instances[0].Reason)
			}
			return nil
		})
	}
	thief.leave()
	if len(thief.fooled) > 0 {
		t.Errorf("a stranger got %v", thief.fooled)
	}
}

// note tells the next start of the first server of each model what to do, see crashServer.
func (c *crashStack) note(t *testing.T, what string) {
	t.Helper()
	for _, port := range []int{c.ports[0], c.ports[2]} {
		if err := os.WriteFile(filepath.Join(c.folder, fmt.Sprintf("%s-%d", what, port)), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// fault has the first server of each model misbehave.
func (c *crashStack) fault(t *testing.T, rules string) {
	t.Helper()
	for _, port := range []int{c.ports[0], c.ports[2]} {
		do(t, http.MethodPut, fmt.Sprintf("http://127.0.0.1:%d/mock/faults", port), rules).want(t, http.StatusOK)
	}
}

// row is what a crash did to the requests of one model, in words that are the same each time.
func row(name, model string, got *crashTally, took time.Duration) string {
	servers := map[string]string{twofold: "two", onefold: "one"}[model]
	return fmt.Sprintf("| %s | %s | %s | %s | %s | %.1f s |", name, servers, fate(got.begun, "all complete"), fate(got.fresh, "none lost"), fate(got.again, "none lost"), took.Seconds())
}

// fate words what became of requests.
func fate(of map[outcome]int, well string) string {
	bad := 0
	for o, n := range of {
		if o != whole {
			bad += n
		}
	}
	switch {
	case bad == 0:
		return well
	case of[lost] > 0:
		return "lost"
	case of[broken] > 0:
		return "broken off"
	case of[refused] > 0:
		return "refused meanwhile"
	}
	return "those on a dead server cut, with an error event"
}

const tableHead = `| what happens | servers | streams that had begun | requests that had not | the same, from a client that tries again | all well after |
|---|---|---|---|---|--:|
`

// compareTable holds the rows against the document, but for the last column, which is another each time.
func compareTable(t *testing.T, rows []string) {
	t.Helper()
	const path, begin, end = "../docs/reliability.md", "<!-- generated: crashes -->\n\n", "\n<!-- end -->"
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, found := strings.Cut(string(text), begin)
	documented, tail, closed := strings.Cut(rest, end)
	if !found || !closed {
		t.Fatalf("%s has no table between its marks", path)
	}
	table := tableHead + strings.Join(rows, "\n") + "\n"
	if *write {
		if err := os.WriteFile(path, []byte(head+begin+table+end+tail), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(timeless(documented), timeless(table)); diff != "" {
		t.Errorf("%s says something else (-document +seen); go test ./integration -run TestCrashes -write writes it:\n%s", path, diff)
	}
}

// timeless leaves out the last column.
func timeless(table string) []string {
	var rows []string
	for line := range strings.Lines(table) {
		cells := strings.Split(strings.TrimSpace(line), "|")
		rows = append(rows, strings.Join(cells[:max(0, len(cells)-2)], "|"))
	}
	return rows
}
