package supervisor_test

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
	"github.com/fluidmcp/fluidmcp/services/supervisor/driver/process/proc"
)

// fakeGPU gives the machine a GPU of 24 GiB. The function says how many MiB of it are free.
func fakeGPU(t *testing.T) (free func(mib int)) {
	t.Helper()
	folder := t.TempDir()
	t.Setenv("PATH", folder+":"+os.Getenv("PATH"))
	return func(mib int) {
		t.Helper()
		script := fmt.Sprintf("#!/bin/sh\necho 0, GPU-a, 24576, %d\n", mib)
		if err := os.WriteFile(filepath.Join(folder, "next"), []byte(script), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(filepath.Join(folder, "next"), filepath.Join(folder, "nvidia-smi")); err != nil {
			t.Fatal(err)
		}
	}
}

// TestStartWaitsForMemoryOfTheGPU has a GPU whose memory another program holds and then gives back.
func TestStartWaitsForMemoryOfTheGPU(t *testing.T) {
	free := fakeGPU(t)
	free(2048)
	s := run(t, quick(), parse(t,
		fmt.Sprintf(`"m": {"command": "vllm", "args": ["serve", "fake", "--port", "%d"], "env": {"CUDA_VISIBLE_DEVICES": "0"}}`, freePort(t)),
		`"other": {`+fake(freePort(t), "")+`}`))
	feed := s.watch()
	waits := until(t, feed, "that it waits", func(s fleet.Snapshot) bool { return find(s, "m").Reason == "WaitingForMemory" })
	if m := find(waits, "m"); m.Phase != fleet.Pending || m.Message != "GPU 0 has 2.0 GiB free of the 22.1 that the model takes" {
		t.Errorf("while it waits: %+v", m)
	}
	phase(t, feed, "other", fleet.Ready)
	free(24000)
	phase(t, feed, "m", fleet.Ready)
	if m := s.model("m"); m.Restarts != 0 {
		t.Errorf("waiting counts as a failure: %+v", m)
	}
}

// TestStoppedModelHasGivenItsMemoryBack has a GPU that is slow to free what a server had.
func TestStoppedModelHasGivenItsMemoryBack(t *testing.T) {
	free := fakeGPU(t)
	free(24000)
	s := run(t, quick(), parse(t,
		fmt.Sprintf(`"m": {"command": "vllm", "args": ["serve", "fake", "--port", "%d"], "env": {"CUDA_VISIBLE_DEVICES": "0"}}`, freePort(t))))
	feed := s.watch()
	phase(t, feed, "m", fleet.Ready)
	pid := s.model("m").Instances[0].PID
	free(2048)
	s.post("/api/llm/models/m/stop", http.StatusAccepted)
	const message = "its server has ended, and its GPU gives the memory back"
	until(t, feed, "that it waits", func(s fleet.Snapshot) bool { return find(s, "m").Message == message })
	if m := s.model("m"); m.Phase != fleet.Stopping || running(pid) {
		t.Errorf("while it waits: %+v, its process runs: %t", m, running(pid))
	}
	free(24000)
	if m := find(phase(t, feed, "m", fleet.Stopped), "m"); m.Message != "" {
		t.Errorf("once it is free: %+v", m)
	}
}

// TestPortOfAnotherIsNotTheModels has a stranger who answers where the model should: it is named, not used, and once it is gone the
// model comes by itself.
func TestPortOfAnotherIsNotTheModels(t *testing.T) {
	ln, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", freePort(t)))
	if err != nil {
		t.Fatal(err)
	}
	stranger := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"data": [{"id": "fake"}]}`) })}
	go func() { _ = stranger.Serve(ln) }()
	t.Cleanup(func() { _ = stranger.Close() })
	s := run(t, quick(), parse(t, `"m": {`+fake(ln.Addr().(*net.TCPAddr).Port, "")+`}`))
	feed := s.watch()
	down := find(phase(t, feed, "m", fleet.Backoff), "m")
	if want := fmt.Sprintf("(pid %d)", os.Getpid()); down.Reason != "PortInUse" || !strings.Contains(down.Message, want) || down.Backends[0].Routable {
		t.Errorf("on a stranger's port: %+v", down)
	}
	_ = stranger.Close()
	phase(t, feed, "m", fleet.Ready)
}

// TestKilledGuardIsAFailureLikeAnyOther kills the parent of a model server.
func TestKilledGuardIsAFailureLikeAnyOther(t *testing.T) {
	s := run(t, quick(), parse(t, `"m": {`+fake(freePort(t), "")+`}`))
	feed := s.watch()
	phase(t, feed, "m", fleet.Ready)
	pid := s.model("m").Instances[0].PID
	if err := syscall.Kill(proc.Read()[pid].Parent, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	s.restarted(feed, "m", 1)
	if exit := s.model("m").Instances[0].LastExit; exit == nil || exit.Signal != "killed" {
		t.Errorf("last exit %+v", exit)
	}
	if _, left := proc.Of(pid); left { // a zombie is PID 1's to reap
		t.Errorf("process %d is left", pid)
	}
}

// TestWhatAPredecessorLeftIsEnded has a state directory from a supervisor that was killed, and in it two processes: one of its model
// servers, and one that only has the number of such.
func TestWhatAPredecessorLeftIsEnded(t *testing.T) {
	cfg := quick()
	cfg.StateDir = t.TempDir()
	left, stranger := sleeper(t), sleeper(t)
	file := fmt.Sprintf(`{"boot": %q, "servers": {"m-0": {"server": {"pid": %d, "start": %d}}, "m-1": {"server": {"pid": %d, "start": %d}}}}`,
		proc.Boot(), left.PID, left.Start, stranger.PID, stranger.Start-1)
	if err := os.WriteFile(filepath.Join(cfg.StateDir, "running.json"), []byte(file), 0o600); err != nil {
		t.Fatal(err)
	}
	s := run(t, cfg, parse(t, `"m": {`+fake(freePort(t), "")+`}`))
	phase(t, s.watch(), "m", fleet.Ready)
	if left.Alive() || !stranger.Alive() {
		t.Errorf("what was left lives: %t, the stranger lives: %t", left.Alive(), stranger.Alive())
	}
	now, err := os.ReadFile(filepath.Join(cfg.StateDir, "running.json"))
	if want := fmt.Sprintf(`"pid": %d`, s.model("m").Instances[0].PID); err != nil || !strings.Contains(string(now), want) || strings.Contains(string(now), "m-1") {
		t.Errorf("%v, %s lacks %s", err, now, want)
	}
}
