package integration

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// proxyEscape runs a second proxy for the stack's project, at a socket that the test can reach, and asks the real engine through it for
// all that Docker's client can.
func proxyEscape(t *testing.T, c *control) {
	program := filepath.Join(buildDir, "dockerproxy")
	if out, err := exec.Command("go", "build", "-o", program, "../services/supervisor/cmd/dockerproxy").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	socket := filepath.Join(buildDir, "proxy.sock")
	cmd := exec.Command(program)
	cmd.Env = append(os.Environ(), "DOCKERPROXY_LISTEN="+socket, "DOCKERPROXY_PROJECT="+c.project)
	run := start(t, cmd)
	defer run.end(t, syscall.SIGTERM)
	client := func(args ...string) (string, error) {
		cmd := exec.Command("docker", append([]string{"--host", "unix://" + socket}, args...)...)
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	eventually(t, func() error {
		_, err := client("ps", "--all")
		return err
	})

	solo, stranger := c.project+"-solo", c.project+"-stranger"
	listed, err := client("ps", "--all", "--format", "{{.Names}}")
	if names := strings.Fields(listed); err != nil || len(names) != 3 || strings.Contains(listed, "stranger") || !strings.Contains(listed, solo) {
		t.Errorf("it lists %q, %v", names, err)
	}
	for _, args := range [][]string{
		{"run", "--rm", "--privileged", "-v", "/:/host", "mock"}, {"create", "mock"}, {"exec", solo, "/mockvllm", "--version"}, {"cp", solo + ":/etc", "-"},
		{"attach", solo}, {"commit", solo}, {"export", solo}, {"rm", "-f", solo}, {"rename", solo, "x"}, {"update", "--memory", "1g", solo}, {"pause", solo},
		{"top", solo}, {"diff", solo}, {"stats", "--no-stream", solo}, {"restart", solo}, {"kill", "--signal", "HUP", solo}, {"images"}, {"pull", "mock"}, {"build", "-"}, {"load"},
		{"volume", "ls"}, {"volume", "create", "x"}, {"network", "ls"}, {"network", "connect", "host", solo}, {"system", "prune", "-f"}, {"info"}, {"events", "--since", "1h", "--until", "0s"},
		{"plugin", "ls"}, {"swarm", "init"}, {"inspect", stranger}, {"logs", stranger}, {"stop", stranger}, {"start", stranger}, {"kill", stranger}, {"wait", stranger},
		{"stop", "../" + stranger}, {"stop", "..%2f" + stranger}, {"inspect", "--size", solo},
	} {
		out, err := client(args...)
		text := strings.ToLower(out)
		if err == nil || !slices.ContainsFunc([]string{"let through", "lets through", "403", "no such", "not found"}, func(no string) bool { return strings.Contains(text, no) }) {
			t.Errorf("docker %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
	// What is let through does work with Docker's own client.
	works := func(args ...string) {
		t.Helper()
		if out, err := client(args...); err != nil || strings.Contains(out, "MODEL_NAME") {
			t.Errorf("docker %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
	works("inspect", solo)
	works("logs", "--tail", "5", solo)
	ended := make(chan struct{})
	go func() { defer close(ended); works("wait", solo) }()
	eventually(t, func() error { // the supervisor starts it anew, perhaps before it was waited for
		works("stop", "--time", "5", solo)
		select {
		case <-ended:
			return nil
		case <-time.After(time.Second):
			return errors.New("nobody has seen that it ended")
		}
	})
	works("start", solo)
	if !c.inspect(t, "stranger").State.Running {
		t.Error("the stranger was stopped")
	}
	eventually(t, func() error { return c.ask(t, "solo") }) // the supervisor has it back
}
