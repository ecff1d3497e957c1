package process_test

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"strconv"
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

// TestGuardIsReplaced kills the guard: another takes its place and knows the servers that run.
func TestGuardIsReplaced(t *testing.T) {
	// The shell tells the guard's pid before it becomes the guard.
	pidFile := t.TempDir() + "/pids"
	guard := process.NewGuard([]string{"sh", "-c", `echo $$ >>"$0"; exec "$1" guard`, pidFile, self(t)}, zap.NewNop())
	if err := guard.Start(); err != nil {
		t.Fatal(err)
	}
	s, lines := start(t, &process.Driver{Argv: []string{self(t), "server"}, Guard: guard})
	pids(t, lines, 1)
	if err := syscall.Kill(guardPID(t, pidFile, 1), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	guardPID(t, pidFile, 2)
	guard.Close()
	dead(t, s.PID())
	exit(t, s)
}

// guardPID waits for the n-th guard to write its pid.
func guardPID(t *testing.T, path string, n int) int {
	t.Helper()
	poll := time.NewTicker(5 * time.Millisecond)
	defer poll.Stop()
	for deadline := time.After(patience); ; {
		data, err := os.ReadFile(path)
		if lines := strings.Split(string(data), "\n"); err == nil && len(lines) > n { // the last one is empty
			pid, err := strconv.Atoi(lines[n-1])
			if err != nil {
				t.Fatal(err)
			}
			return pid
		}
		select {
		case <-poll.C:
		case <-deadline:
			t.Fatalf("guard %d never came", n)
		}
	}
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
