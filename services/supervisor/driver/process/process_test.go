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

	"go.uber.org/zap/zaptest"

	"github.com/fluidmcp/fluidmcp/services/supervisor/driver/process"
	"github.com/fluidmcp/fluidmcp/services/supervisor/driver/process/ledger"
	"github.com/fluidmcp/fluidmcp/services/supervisor/driver/process/proc"
	"github.com/fluidmcp/fluidmcp/services/supervisor/runner"
	"github.com/fluidmcp/fluidmcp/services/supervisor/unit"
)

// patience bounds what must happen; it only ends a test that fails.
const patience = time.Minute

func self(t *testing.T) string {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// command has a driver for a command line.
func command(t *testing.T, argv ...string) *process.Driver {
	t.Helper()
	return &process.Driver{
		Argv: argv, Output: io.Discard, Guard: []string{self(t), "guard"}, Ledger: ledger.Open("", zaptest.NewLogger(t)), Name: "m-0",
	}
}

// serverDriver has a driver for this binary as a server, see main_test.go.
func serverDriver(t *testing.T, args ...string) *process.Driver {
	t.Helper()
	return command(t, append([]string{self(t), "server"}, args...)...)
}

// start starts a driver with its output on a pipe, whose lines it returns.
func start(t *testing.T, d *process.Driver) (runner.Server, *bufio.Scanner) {
	t.Helper()
	r, w := io.Pipe()
	d.Output = w
	s, err := d.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.Stop()
		_ = r.Close()
	})
	return s, bufio.NewScanner(r)
}

// run starts a shell script, waits for its end, and returns what it printed.
func run(t *testing.T, script string, change func(*process.Driver)) (string, unit.Exit) {
	t.Helper()
	var out strings.Builder
	d := command(t, "sh", "-c", script)
	d.Output = &out
	change(d)
	s, err := d.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	x := exit(t, s)
	return out.String(), x
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

func exit(t *testing.T, s runner.Server) unit.Exit {
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
	_, ok := proc.Of(pid)
	return ok
}

// dead polls until the process is gone.
func dead(t *testing.T, pid int) {
	t.Helper()
	eventually(t, fmt.Sprintf("the end of process %d", pid), func() bool { return !alive(pid) })
}

func eventually(t *testing.T, what string, so func() bool) {
	t.Helper()
	poll := time.NewTicker(5 * time.Millisecond)
	defer poll.Stop()
	for deadline := time.After(patience); !so(); {
		select {
		case <-poll.C:
		case <-deadline:
			t.Fatalf("%s never came", what)
		}
	}
}

func unchanged(*process.Driver) {}

func TestExitsAreReported(t *testing.T) {
	for script, want := range map[string]unit.Exit{
		"exit 0":        {Code: 0},
		"exit 7":        {Code: 7},
		"kill -KILL $$": {Code: 137, Signal: "killed"},
		"kill -SEGV $$": {Code: 139, Signal: "segmentation fault"},
	} {
		if _, got := run(t, script, unchanged); got.Code != want.Code || got.Signal != want.Signal || got.At.IsZero() {
			t.Errorf("%s: %+v, want %+v", script, got, want)
		}
	}
}

func TestOutputIsWholeAndInOrder(t *testing.T) {
	if out, _ := run(t, `echo one; echo two >&2; printf 'a\rb\rthree'`, unchanged); out != "one\ntwo\na\rb\rthree" {
		t.Errorf("output %q", out)
	}
}

// TestWhatAServerInherits has every kind of variable: what a server is known to need comes through, secrets of others do not.
func TestWhatAServerInherits(t *testing.T) {
	for _, name := range []string{"SUPERVISOR_TOKEN", "GATEWAY_ADDR", "AWS_SECRET_ACCESS_KEY", "KUBERNETES_SERVICE_HOST", "CI_JOB_TOKEN", "HF", "XPATH"} {
		t.Setenv(name, "secret")
	}
	for _, name := range []string{"HF_TOKEN", "https_proxy", "CUDA_VISIBLE_DEVICES", "VLLM_LOGGING_LEVEL", "LC_ALL", "XDG_CACHE_HOME", "CHANGED"} {
		t.Setenv(name, "old")
	}
	out, _ := run(t, "env", func(d *process.Driver) { d.Env = []string{"CUDA_VISIBLE_DEVICES=1", "CHANGED=new", "OWN=own"} })
	for _, line := range []string{"HF_TOKEN=old", "https_proxy=old", "VLLM_LOGGING_LEVEL=old", "LC_ALL=old", "XDG_CACHE_HOME=old",
		"CUDA_VISIBLE_DEVICES=1", "CHANGED=new", "OWN=own", "PATH=" + os.Getenv("PATH")} {
		if !strings.Contains("\n"+out, "\n"+line+"\n") {
			t.Errorf("the server lacks %s", line)
		}
	}
	if strings.Contains(out, "secret") || strings.Count(out, "CUDA_VISIBLE_DEVICES") != 1 {
		t.Errorf("the server has\n%s", out)
	}
}

func TestWhereAServerRuns(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "serve.sh"), []byte("#!/bin/sh\npwd; ulimit -c; ulimit -n; read line || echo no input"), 0o700); err != nil {
		t.Fatal(err)
	}
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf("%s\n0\n%d\nno input\n", dir, min(limit.Max, 65535))
	out, _ := run(t, "", func(d *process.Driver) { d.Argv, d.Dir = []string{"./serve.sh"}, dir })
	if out != want {
		t.Errorf("output %q, want %q", out, want)
	}
	// A name is looked up where the server's own PATH says.
	out, _ = run(t, "", func(d *process.Driver) {
		d.Argv, d.Dir, d.Env = []string{"serve.sh"}, dir, []string{"PATH=" + dir + ":/bin:/usr/bin"}
	})
	if out != want {
		t.Errorf("output %q, want %q", out, want)
	}
}

func TestStopEndsTheWholeGroup(t *testing.T) {
	s, lines := start(t, serverDriver(t, "child"))
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
	d := serverDriver(t, "deaf", "child", "daemon")
	d.Grace = 10 * time.Millisecond
	s, lines := start(t, d)
	all := pids(t, lines, 3)
	s.Stop()
	if x := exit(t, s); x.Signal != "killed" {
		t.Errorf("exit %+v", x)
	}
	for _, pid := range all {
		dead(t, pid)
	}
}

// TestServerTakesAllAlong kills only the process that was started, as the kernel does when memory is short.
func TestServerTakesAllAlong(t *testing.T) {
	s, lines := start(t, serverDriver(t, "child", "daemon"))
	all := pids(t, lines, 3)
	kill(t, s.PID(), syscall.SIGKILL)
	exit(t, s)
	for _, pid := range all { // Done says that nothing is left
		if alive(pid) {
			t.Errorf("process %d is left", pid)
		}
	}
}

func TestProgramsThatCannotRun(t *testing.T) {
	folder := t.TempDir()
	plain, junk := filepath.Join(folder, "plain"), filepath.Join(folder, "junk")
	if err := errors.Join(os.WriteFile(plain, []byte("no program"), 0o600), os.WriteFile(junk, []byte("no program"), 0o700)); err != nil {
		t.Fatal(err)
	}
	f := func(dir, program, what string) {
		t.Helper()
		d := command(t, program)
		d.Dir = dir
		_, err := d.Start(t.Context())
		found, ok := errors.AsType[*unit.Finding](err)
		if !ok || found.Reason != unit.StartFailed || !found.Permanent || !strings.Contains(found.Message, what) {
			t.Errorf("%s: %#v", program, err)
		}
	}
	f("", "no-such-program-anywhere", "executable file not found in $PATH")
	f("", "/no/such/program", "no such file or directory")
	f("", plain, "permission denied")
	f("", junk, "exec format error")
	f("/no/such/folder", "sh", "/no/such/folder/.: no such file or directory")
}

func TestGuardThatIsNone(t *testing.T) {
	d := command(t, "sleep", "60")
	for guard, want := range map[string]string{"true": "its guard ended at once", "echo": "its guard ended at once", "/no/such/guard": "no such file"} {
		d.Guard = []string{guard}
		if _, err := d.Start(t.Context()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", guard, err)
		}
	}
}
