package integration

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/fluidmcp/fluidmcp/services/supervisor/driver/process/proc/proctest"
)

// disaster is one thing that breaks under load.
type disaster struct {
	name string
	run  func(t *testing.T, c *crashStack)
	// ready is what has to be before the traffic begins, and after all is over.
	before, after func(t *testing.T, c *crashStack)
}

// crashes come over the first server of each model, unless they concern everything. Each leaves the stack as it found it.
var crashes = [...]disaster{
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
	{name: "the kernel kills a server for memory", before: func(t *testing.T, c *crashStack) {
		c.group = proctest.MemoryGroup(t, crashMemory)
		c.restartSupervisor(t, "echo $$ >"+c.group+"/cgroup.procs; ") // and all that it starts
	}, run: memoryEaten, after: func(t *testing.T, c *crashStack) {
		c.restartSupervisor(t, "")
	}},
	{name: "a server hangs while it loads", before: func(t *testing.T, c *crashStack) {
		c.stall = 10 // which the others, who do start, need on a busy machine
		c.restartSupervisor(t, "")
	}, run: func(t *testing.T, c *crashStack) {
		c.note(t, "hang")
		for _, v := range c.victims(t) {
			v.server.Signal(syscall.SIGKILL)
		}
	}, after: func(t *testing.T, c *crashStack) {
		c.stall = patientStall
		c.restartSupervisor(t, "")
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
	{name: "the supervisor is ended with SIGTERM, as for an update", run: func(t *testing.T, c *crashStack) {
		c.restartSupervisor(t, "")
	}},
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

// crashStacks is on how many stacks the crashes happen side by side. Most of the time they wait.
const crashStacks = 2

// TestCrashes lets everything happen to a stack with clients that ask all the time, and holds what they saw against the table of
// docs/reliability.md. With -write it writes that.
func TestCrashes(t *testing.T) {
	t.Parallel()
	var rows [len(crashes)][]string // none where it could not happen here, or was not asked for
	var mu sync.Mutex
	var skipped []string
	next := make(chan int)
	var all sync.WaitGroup
	for range crashStacks {
		c := startCrashStack(t)
		all.Go(func() {
			for i := range next {
				t.Run(crashes[i].name, func(t *testing.T) {
					defer func() {
						if t.Skipped() {
							mu.Lock()
							defer mu.Unlock()
							skipped = append(skipped, crashes[i].name)
						}
					}()
					rows[i] = crashes[i].happen(t, c)
				})
			}
		})
	}
	for i := range crashes {
		next <- i
	}
	close(next)
	all.Wait()
	told := slices.DeleteFunc(rows[:], func(row []string) bool { return row == nil })
	if !t.Failed() && len(told) == len(crashes)-len(skipped) {
		compareTable(t, slices.Concat(told...), skipped)
	}
}

// happen has the disaster come over a stack, and returns its rows of the table.
func (d *disaster) happen(t *testing.T, c *crashStack) []string {
	if d.before != nil {
		d.before(t, c)
	}
	tallies, took := c.under(t, func() { d.run(t, c) }, func() error { return c.well(t) })
	c.clean(t)
	for _, model := range []string{twofold, onefold} {
		t.Logf("%s: begun %v, not begun %v, with retries %v, all well after %s", model, tallies[model].begun, tallies[model].fresh, tallies[model].again, took)
	}
	if d.after != nil {
		d.after(t, c)
	}
	c.forgive(t)
	return rowsOf(d.name, tallies, took)
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

// memoryEaten has somebody take all the memory that the stack may have. The kernel kills the servers for it first, and then the eater.
func memoryEaten(t *testing.T, c *crashStack) {
	for _, v := range c.victims(t) {
		adjust := fmt.Sprintf("/proc/%d/oom_score_adj", v.server.PID)
		if err := os.WriteFile(adjust, []byte("1000"), 0); err != nil {
			t.Fatal(err)
		}
	}
	// A busy machine takes long for much, and what is to be hit does not run for ever.
	used, err := proctest.Used(c.group)
	if err == nil {
		err = proctest.Limit(c.group, used+spareMemory)
	}
	if err != nil {
		t.Fatal(err)
	}
	eater := exec.CommandContext(t.Context(), "sh", "-c", `echo $$ >"$0"; exec tail /dev/zero`, c.group+"/cgroup.procs")
	if err := eater.Run(); err == nil || eater.ProcessState.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		t.Errorf("who eats the memory: %v, want that it is killed", err)
	}
	if err := proctest.Limit(c.group, crashMemory); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{twofold, onefold} {
		eventually(t, func() error {
			if why := c.status(t, id).Instances[0].LastFailure; why == nil || why.Reason != "HostOOMKilled" {
				return fmt.Errorf("the server of %s failed for %+v", id, why)
			}
			return nil
		})
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
