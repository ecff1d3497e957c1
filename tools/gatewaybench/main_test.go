package main

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/fluidmcp/fluidmcp/tools/gatewaybench/report"
)

// TestMain lets the test binary be what gatewaybench starts itself as.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && roles[os.Args[1]] != nil {
		main()
		return
	}
	goleak.VerifyTestMain(m)
}

// call runs the program and returns what it prints.
func call(t *testing.T, args ...string) (string, error) {
	t.Helper()
	var out, progress strings.Builder
	err := run(t.Context(), append([]string{"--logs", t.TempDir(), "--cache", t.TempDir()}, args...), &out, &progress)
	t.Logf("%s", progress.String())
	return out.String(), err
}

// ours writes a file with our row, whose gateway it builds.
func ours(t *testing.T) string {
	t.Helper()
	if _, err := exec.LookPath("taskset"); err != nil {
		t.Skip("taskset is not installed")
	}
	bin := filepath.Join(t.TempDir(), "gateway")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", bin, "../../services/gateway/cmd/gateway").CombinedOutput(); err != nil {
		t.Fatalf("build the gateway: %v\n%s", err, out)
	}
	file := filepath.Join(t.TempDir(), "rows.json")
	text := fmt.Sprintf(`[{"name": "ours", "command": [%q], "feed": true, "env": {"GATEWAY_ADDR": "127.0.0.1:{port}",
		"GATEWAY_SUPERVISOR_URL": "http://127.0.0.1:{extra_port}"}}]`, bin)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestVisit measures our gateway once. The figures depend on the machine, but not that they are there, nor what is counted.
// Only the processor time of so short a run of requests may be less than the system's unit of 10 ms.
func TestVisit(t *testing.T) {
	t.Parallel()
	out, err := call(t, "--row", ours(t), "--only", "vllm-router,ours", "--rounds", "1", "--seconds", "0.2", "--streams", "8", "--idle", "20", "--json")
	if err != nil {
		t.Fatal(err)
	}
	var got report.Report
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	if missing := got.Row("vllm-router"); missing.Visits != nil || !strings.Contains(missing.Missing, "install.sh") {
		t.Errorf("a gateway that is not installed: %+v", missing)
	}
	row := got.Row("ours")
	if len(row.Visits) != 1 || row.Failures != nil {
		t.Fatalf("visits: %+v", row)
	}
	v := row.Visits[0]
	for name, x := range map[string]float64{"requests/s": v.PerSecond, "CPU a chunk": v.ChunkCPU,
		"first event": v.FirstP99, "first event added": math.Abs(v.FirstAddedP50) + math.Abs(v.FirstAddedP99), "idle": v.IdleMB, "streams": v.StreamsMB, "crowd": v.CrowdMB, "gap": v.LongestGap, "back": v.Probes.Back} {
		if x <= 0 {
			t.Errorf("%s: %v", name, x)
		}
	}
	if v.Failed != 0 || v.Unfinished != 0 || v.IdleOpened != 20 || v.IdleLost != 0 {
		t.Errorf("counts: %+v", v)
	}
	p := v.Probes
	if !strings.HasPrefix(p.Killed, "an error event after") || !strings.HasSuffix(p.LeftPlain, " ms") || !strings.HasSuffix(p.LeftStream, " ms") ||
		p.NextRequest != "200" {
		t.Errorf("probes: %+v", p)
	}
}

func TestSoak(t *testing.T) {
	t.Parallel()
	b, err := newBench(options{streams: 4, out: t.TempDir()}, t.Output())
	if err != nil {
		t.Fatal(err)
	}
	all, err := readChosen([]string{ours(t)}, "ours")
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := b.soak(t.Context(), all[0], ramp, &out); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) < 4 || !strings.Contains(lines[len(lines)-1], "streams, 0 failed") {
		t.Errorf("printed %s", out.String())
	}
}

// TestReverseProxy starts the row that this program is itself.
func TestReverseProxy(t *testing.T) {
	t.Parallel()
	b, err := newBench(options{out: t.TempDir()}, t.Output())
	if err != nil {
		t.Fatal(err)
	}
	all, err := readChosen(nil, "reverseproxy")
	if err != nil {
		t.Fatal(err)
	}
	if b.model, err = b.startUpstream(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer func() { b.model.Stop() }()
	g, err := b.startGateway(t.Context(), all[0])
	if err != nil {
		t.Fatal(err)
	}
	defer g.stop()
	if got, err := b.kill(t.Context(), g); err != nil || !strings.HasPrefix(got, "a broken transfer after") {
		t.Errorf("upstream killed: %q, %v", got, err)
	}
	if status, err := g.ask(t.Context()); status != 502 {
		t.Errorf("upstream down: %d, %v", status, err)
	}
}

func TestRefuses(t *testing.T) {
	f := func(want string, args ...string) {
		t.Helper()
		if _, err := call(t, args...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", args, err, want)
		}
	}
	f("no row \"none\"", "--only", "none")
	f("--rounds takes", "--rounds", "0")
	f("--seconds 0.1", "--seconds", "61")
	f("--soak takes", "--soak", "1441")
	f("--streams takes", "--streams", "2001")
	f("unknown argument", "more")
	f("not built", "--only", "ours", "--soak", "1")
	f("no such file", "--row", "missing.json")
}

func TestList(t *testing.T) {
	out, err := call(t, "--list")
	if err != nil || !strings.Contains(out, "litellm") || !strings.Contains(out, "install.sh") {
		t.Errorf("%v: %s", err, out)
	}
}
