package process_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/fluidmcp/fluidmcp/services/supervisor/driver/process"
	"github.com/fluidmcp/fluidmcp/services/supervisor/unit"
)

// patience bounds what must happen; it only ends a test that fails.
const patience = 20 * time.Second

func self(t *testing.T) string {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// start starts a driver with its output on a pipe, whose lines it returns.
func start(t *testing.T, d *process.Driver) (unit.Server, *bufio.Scanner) {
	t.Helper()
	r, w := io.Pipe()
	d.Output = w
	s, err := d.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.Stop()
		_ = r.Close()
	})
	return s, bufio.NewScanner(r)
}

// pids reads the pids that n servers print.
func pids(t *testing.T, lines *bufio.Scanner, n int) []int {
	t.Helper()
	var out []int
	for len(out) < n && lines.Scan() {
		var pid int
		if _, err := fmt.Sscanf(lines.Text(), "pid %d", &pid); err == nil {
			out = append(out, pid)
		}
	}
	if len(out) < n {
		t.Fatalf("%d of %d servers printed their pid: %v", len(out), n, lines.Err())
	}
	return out
}

func exit(t *testing.T, s unit.Server) unit.Exit {
	t.Helper()
	select {
	case x := <-s.Done():
		return x
	case <-time.After(patience):
		t.Fatal("the server did not end")
		return unit.Exit{}
	}
}

// alive tells whether a process runs. An orphan that nobody reaps, as in a container without an init, does not.
func alive(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return false
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return !errors.Is(err, os.ErrNotExist)
	}
	_, state, _ := strings.Cut(string(stat), ") ")
	return !strings.HasPrefix(state, "Z")
}

// dead polls until the process is gone.
func dead(t *testing.T, pid int) {
	t.Helper()
	poll := time.NewTicker(5 * time.Millisecond)
	defer poll.Stop()
	for deadline := time.After(patience); alive(pid); {
		select {
		case <-poll.C:
		case <-deadline:
			t.Fatalf("process %d lives on", pid)
		}
	}
}

func TestExitsAreReported(t *testing.T) {
	for script, want := range map[string]unit.Exit{
		"exit 0":        {Code: 0},
		"exit 7":        {Code: 7},
		"kill -KILL $$": {Code: 137, Signal: "killed"},
		"kill -SEGV $$": {Code: 139, Signal: "segmentation fault"},
	} {
		d := process.Driver{Argv: []string{"sh", "-c", script}, Output: io.Discard}
		s, err := d.Start()
		if err != nil {
			t.Fatal(err)
		}
		got := exit(t, s)
		if got.Code != want.Code || got.Signal != want.Signal || got.At.IsZero() {
			t.Errorf("%s: %+v, want %+v", script, got, want)
		}
	}
}

func TestOutputIsWholeAndInOrder(t *testing.T) {
	var out strings.Builder
	d := process.Driver{Argv: []string{"sh", "-c", "echo one; echo two >&2; printf three"}, Output: &out}
	s, err := d.Start()
	if err != nil {
		t.Fatal(err)
	}
	exit(t, s)
	if out.String() != "one\ntwo\nthree" {
		t.Errorf("output %q", out.String())
	}
}

func TestEnvironmentAndDirectory(t *testing.T) {
	t.Setenv("SUPERVISOR_TOKEN", "secret")
	t.Setenv("GATEWAY_ADDR", "x")
	t.Setenv("KEPT", "kept")
	t.Setenv("CHANGED", "old")
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	d := process.Driver{
		Argv: []string{"sh", "-c", `echo "$SUPERVISOR_TOKEN-$GATEWAY_ADDR-$KEPT-$CHANGED-$OWN"; pwd`}, Dir: dir,
		Env: []string{"CHANGED=new", "OWN=own"}, Output: &out,
	}
	s, err := d.Start()
	if err != nil {
		t.Fatal(err)
	}
	exit(t, s)
	if want := "--kept-new-own\n" + dir + "\n"; out.String() != want {
		t.Errorf("output %q, want %q", out.String(), want)
	}
}

func TestStopEndsTheWholeGroup(t *testing.T) {
	s, lines := start(t, &process.Driver{Argv: []string{self(t), "server", "child"}})
	all := pids(t, lines, 2)
	s.Stop()
	s.Stop()
	if x := exit(t, s); x.Signal != "terminated" {
		t.Errorf("exit %+v", x)
	}
	for _, pid := range all {
		dead(t, pid)
	}
}

func TestDeafGroupIsKilled(t *testing.T) {
	s, lines := start(t, &process.Driver{Argv: []string{self(t), "server", "deaf", "child"}, Grace: 10 * time.Millisecond})
	all := pids(t, lines, 2)
	s.Stop()
	if x := exit(t, s); x.Signal != "killed" {
		t.Errorf("exit %+v", x)
	}
	for _, pid := range all {
		dead(t, pid)
	}
}

// TestLeaderTakesItsGroupAlong kills only the process that was started, as the kernel does when memory is short.
func TestLeaderTakesItsGroupAlong(t *testing.T) {
	s, lines := start(t, &process.Driver{Argv: []string{self(t), "server", "child"}})
	all := pids(t, lines, 2)
	if err := syscall.Kill(s.PID(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	exit(t, s)
	for _, pid := range all {
		dead(t, pid)
	}
}

func TestProgramsThatCannotRun(t *testing.T) {
	plain := filepath.Join(t.TempDir(), "plain")
	if err := os.WriteFile(plain, []byte("no program"), 0o600); err != nil {
		t.Fatal(err)
	}
	for program, what := range map[string]string{
		"no-such-program-anywhere": "executable file not found in $PATH",
		"/no/such/program":         "no such file or directory",
		plain:                      "permission denied",
	} {
		_, err := (&process.Driver{Argv: []string{program}, Output: io.Discard}).Start()
		found, ok := errors.AsType[*unit.Finding](err)
		if !ok || found.Reason != unit.StartFailed || !found.Permanent || !strings.Contains(found.Message, what) {
			t.Errorf("%s: %#v", program, err)
		}
	}
}
