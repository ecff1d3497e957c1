package process_test

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"go.uber.org/zap/zaptest"

	"github.com/fluidmcp/fluidmcp/services/supervisor/driver/process"
	"github.com/fluidmcp/fluidmcp/services/supervisor/driver/process/ledger"
	"github.com/fluidmcp/fluidmcp/services/supervisor/driver/process/proc"
)

// supervisor is one that a test may kill.
type supervisor struct {
	*exec.Cmd
	in    io.WriteCloser
	lines *bufio.Scanner
}

// startSupervisor starts one with a server and reads the pids of so many processes: those of the server and of what it starts.
func startSupervisor(t *testing.T, ledgerPath string, n int, args ...string) (*supervisor, []int) {
	t.Helper()
	s := &supervisor{Cmd: exec.Command(self(t), append([]string{"supervisor", ledgerPath}, args...)...)}
	out, err := s.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if s.in, err = s.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	s.Stderr = os.Stderr
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	s.lines = bufio.NewScanner(out)
	t.Cleanup(s.kill)
	return s, pids(t, s.lines, n)
}

func (s *supervisor) kill() {
	_ = s.Process.Kill()
	_ = s.Wait() // says that it was killed
	_ = s.in.Close()
}

// look has it look at its server's processes, and returns the server's pid.
func (s *supervisor) look(t *testing.T) (pid int) {
	t.Helper()
	if _, err := fmt.Fprintln(s.in, "look"); err != nil {
		t.Fatal(err)
	}
	for s.lines.Scan() {
		if _, err := fmt.Sscanf(s.lines.Text(), "server %d", &pid); err == nil {
			return pid
		}
	}
	t.Fatal("the supervisor has ended")
	return 0
}

// TestKilledSupervisorLeavesNoServer kills a supervisor as nothing can prepare for, and looks for its server and what the server has
// started, with servers that end when told, with some that do not listen, and with some whose child has gone its own way.
func TestKilledSupervisorLeavesNoServer(t *testing.T) {
	for name, args := range map[string][]string{"willing": {"child"}, "deaf": {"deaf", "child"}, "scattered": {"daemon"}} {
		t.Run(name, func(t *testing.T) {
			s, all := startSupervisor(t, "", 2, args...)
			s.kill()
			for _, pid := range all {
				dead(t, pid)
			}
		})
	}
}

// TestKilledGuardTakesItsServerAlong has the supervisor see an end like any other.
func TestKilledGuardTakesItsServerAlong(t *testing.T) {
	d := serverDriver(t, "child", "daemon")
	s, lines := start(t, d)
	all := pids(t, lines, 3)
	if known := d.Ledger.Look(d.Name); len(known) != 3 || known[0].PID != s.PID() {
		t.Errorf("the ledger has %v, and those that run are %v", known, all)
	}
	kill(t, guardOf(t, s.PID()), syscall.SIGKILL)
	if x := exit(t, s); x.Signal != "killed" || x.Code != 137 {
		t.Errorf("exit %+v", x)
	}
	for _, pid := range all {
		dead(t, pid)
	}
}

// TestKilledWithItsGuards kills supervisor and guard in one go, as `pkill -9 fluidmcp` does. The kernel kills the server, and what
// that has started is for the next supervisor to end.
func TestKilledWithItsGuards(t *testing.T) {
	path := filepath.Join(t.TempDir(), "running.json")
	s, all := startSupervisor(t, path, 3, "child", "daemon")
	leader := s.look(t)
	guard := guardOf(t, leader)
	kill(t, s.Process.Pid, syscall.SIGSTOP) // so that it cannot end what is left of its server itself
	kill(t, guard, syscall.SIGKILL)
	s.kill()
	dead(t, leader)
	for _, pid := range all {
		if pid != leader && !alive(pid) {
			t.Fatalf("process %d is gone, so there is nothing to see", pid)
		}
	}
	if found := ledger.Open(path, zaptest.NewLogger(t)).EndLeft(t.Context(), process.GuardGrace); len(found) != 1 || found[0] != "m-0" {
		t.Errorf("found %v", found)
	}
	for _, pid := range all {
		dead(t, pid)
	}
}

// TestSignalsToEverybodyEndNobody sends the guard what service managers send to all processes of a service.
func TestSignalsToEverybodyEndNobody(t *testing.T) {
	s, lines := start(t, serverDriver(t))
	pids(t, lines, 1)
	guard := guardOf(t, s.PID())
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP} {
		kill(t, guard, sig)
	}
	s.Stop()
	if x := exit(t, s); x.Signal != "terminated" {
		t.Errorf("exit %+v: the server was not ended by Stop", x)
	}
}

// TestOrphansAreReaped kills a process that has lost its parent: it may not stay as a zombie while its server runs.
func TestOrphansAreReaped(t *testing.T) {
	s, lines := start(t, serverDriver(t, "daemon"))
	all := pids(t, lines, 2)
	orphan := all[0] + all[1] - s.PID()
	kill(t, orphan, syscall.SIGKILL)
	eventually(t, "the orphan's end", func() bool { return syscall.Kill(orphan, 0) != nil })
	if !alive(s.PID()) {
		t.Error("the server has ended with it")
	}
}

func TestGuardIsForSupervisorsAlone(t *testing.T) {
	for _, args := range [][]string{{"guard"}, {"guard", "sleep", "1"}} {
		out, err := exec.Command(self(t), args...).CombinedOutput()
		if err == nil || !strings.Contains(string(out), "started by a supervisor") {
			t.Errorf("%v: %v %s", args, err, out)
		}
	}
}

// guardOf is the parent of a server.
func guardOf(t *testing.T, server int) int {
	t.Helper()
	guard := proc.Read()[server].Parent
	if guard <= 1 || guard == os.Getpid() {
		t.Fatalf("the parent of %d is %d", server, guard)
	}
	return guard
}

func kill(t *testing.T, pid int, sig syscall.Signal) {
	t.Helper()
	if err := syscall.Kill(pid, sig); err != nil {
		t.Fatal(err)
	}
}
