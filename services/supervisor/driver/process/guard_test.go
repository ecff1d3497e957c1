package process_test

import (
	"bufio"
	"io"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/fluidmcp/fluidmcp/services/supervisor/driver/process"
)

// TestKilledSupervisorLeavesNoServer kills a supervisor as nothing can prepare for, and looks for its server and the server's own
// child, once with servers that end when told and once with servers that do not listen.
func TestKilledSupervisorLeavesNoServer(t *testing.T) {
	for _, args := range [][]string{{"child"}, {"deaf", "child"}} {
		cmd := exec.Command(self(t), append([]string{"supervisor"}, args...)...)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		in, err := cmd.StdinPipe() // never written to, it holds the supervisor
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		all := pids(t, bufio.NewScanner(out), 2)
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait() // says that it was killed
		_ = in.Close()
		for _, pid := range all {
			dead(t, pid)
		}
	}
}

func TestGuardForgetsWhatHasEnded(t *testing.T) {
	guard := process.NewGuard([]string{self(t), "guard"}, zap.NewNop())
	if err := guard.Start(); err != nil {
		t.Fatal(err)
	}
	first, lines := start(t, &process.Driver{Argv: []string{self(t), "server"}, Guard: guard})
	pids(t, lines, 1)
	first.Stop()
	exit(t, first)
	second, lines := start(t, &process.Driver{Argv: []string{self(t), "server"}, Guard: guard})
	pid := pids(t, lines, 1)[0]
	guard.Close() // as the end of this process would
	if x := exit(t, second); x.Signal != "terminated" {
		t.Errorf("the guard's end left the server with %+v", x)
	}
	dead(t, pid)
}

// TestGuardIsReplaced kills the guard: the next server that starts finds out, and a new guard knows the old servers too.
func TestGuardIsReplaced(t *testing.T) {
	// The shell tells the guard's pid before it becomes the guard.
	pidFile := t.TempDir() + "/pid"
	guard := process.NewGuard([]string{"sh", "-c", `echo $$ >>"$0"; exec "$1" guard`, pidFile, self(t)}, zap.NewNop())
	if err := guard.Start(); err != nil {
		t.Fatal(err)
	}
	first, lines := start(t, &process.Driver{Argv: []string{self(t), "server"}, Guard: guard})
	pids(t, lines, 1)
	pid := lastPID(t, pidFile)
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	dead(t, pid)
	second, lines := start(t, &process.Driver{Argv: []string{self(t), "server"}, Guard: guard})
	pids(t, lines, 1)
	guard.Close()
	for _, s := range []interface{ PID() int }{first, second} {
		dead(t, s.PID())
	}
	exit(t, first)
	exit(t, second)
}

func lastPID(t *testing.T, path string) int {
	t.Helper()
	out, err := exec.Command("tail", "-n", "1", path).Output()
	if err != nil {
		t.Fatal(err)
	}
	var pid int
	for _, c := range strings.TrimSpace(string(out)) {
		pid = 10*pid + int(c-'0')
	}
	return pid
}

func TestGuardRefusesWhatIsNotForIt(t *testing.T) {
	for _, input := range []string{"hello\n", "+\n", "+0\n", "+1\n", "-x\n", "*5\n"} {
		cmd := exec.Command(self(t), "guard")
		cmd.Stdin = strings.NewReader(input)
		cmd.Stderr = io.Discard
		begin := time.Now()
		if err := cmd.Run(); err == nil {
			t.Errorf("%q was taken, after %s", input, time.Since(begin))
		}
	}
}

func TestNilGuardGuardsNothing(t *testing.T) {
	var guard *process.Guard
	if err := guard.Start(); err != nil {
		t.Fatal(err)
	}
	s, lines := start(t, &process.Driver{Argv: []string{self(t), "server"}, Guard: guard})
	pids(t, lines, 1)
	guard.Close()
	s.Stop()
	exit(t, s)
}
