package integration

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// loud is a model whose server prints secrets before it begins.
const loud = "loud"

// loudSecrets are what its server knows and prints.
var loudSecrets = []string{"key-of-the-server", "token-of-the-hub", "password-of-a-proxy"}

// startLoud runs fluidmcp with that model, on the given ports, and keeps its state in a folder.
func startLoud(t *testing.T, ports []int, state string) (*stack, *command) {
	t.Helper()
	s := &stack{gateway: fmt.Sprintf("http://127.0.0.1:%d", ports[0]), supervisor: fmt.Sprintf("http://127.0.0.1:%d", ports[1])}
	script := fmt.Sprintf(`printf 'the key is %%.7s' "$VLLM_API_KEY"; printf '%%s\n' "$${VLLM_API_KEY#???????}"
		echo "the token is $HF_TOKEN" "at http://me:%s@proxy:80" >&2
		exec %s mockvllm serve mock-model --port %d`, loudSecrets[2], fluidmcp(t), ports[2])
	file := modelsFile(t, map[string]any{loud: map[string]any{
		"command": "sh", "args": []string{"-c", script}, "env": map[string]string{"HF_TOKEN": "${LOUD_TOKEN}", "VLLM_API_KEY": loudSecrets[0]},
		"api_key": loudSecrets[0], "served_name": "mock-model", "endpoints": map[string]string{"base_url": fmt.Sprintf("http://127.0.0.1:%d/v1", ports[2])},
	}})
	cmd := exec.Command(fluidmcp(t), "run", file, "--start-server", "--port", fmt.Sprint(ports[0]), "--supervisor-port", fmt.Sprint(ports[1]))
	cmd.Env = append(os.Environ(), "SUPERVISOR_STATE_DIR="+state, "LOUD_TOKEN="+loudSecrets[1])
	running := start(t, cmd)
	eventually(t, func() error { return s.ask(t, loud) })
	return s, running
}

// TestLogs follows a model's log at the terminal: lines come as they are printed, also those of the next server and of the next FluidMCP on
// the same address, each once, and no secret is among them, nor in what is kept on disk.
func TestLogs(t *testing.T) {
	t.Parallel()
	ports, state := freePorts(t, 3), t.TempDir()
	s, first := startLoud(t, ports, state)
	follower := start(t, exec.Command(fluidmcp(t), "logs", "-f", "--json", loud, "--url", s.gateway))
	follower.waitLine(t, "the key is ***")
	follower.waitLine(t, "Application startup complete.")

	do(t, "POST", s.gateway+"/llm/"+loud+"/chat/completions", hello).want(t, http.StatusOK)
	follower.waitLine(t, "POST /v1/chat/completions")
	s.command(t, loud, "restart?force=true").want(t, http.StatusAccepted)
	follower.waitLine(t, "Application shutdown complete.")
	follower.waitLine(t, "the token is ***")
	follower.waitLine(t, "Application startup complete.")

	first.end(t, syscall.SIGKILL)
	follower.waitLine(t, "broke off")
	eventually(t, func() error { // its guard ends the server
		ln, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", ports[2]))
		if err == nil {
			err = ln.Close()
		}
		return err
	})
	startLoud(t, ports, state)
	follower.waitLine(t, "the token is ***")
	follower.waitLine(t, "Application startup complete.")
	follower.end(t, syscall.SIGINT)
	if follower.err != nil {
		t.Errorf("Ctrl-C: fluidmcp logs ends with %v", follower.err)
	}
	offsets := map[int64]bool{}
	for text := range strings.Lines(follower.said()) {
		var line struct {
			Offset int64
			Line   string
		}
		if !strings.HasPrefix(text, "{") {
			continue // a note about the break
		}
		if err := json.Unmarshal([]byte(text), &line); err != nil || offsets[line.Offset] {
			t.Errorf("twice, or no JSON (%v): %s", err, text)
		}
		offsets[line.Offset] = true
	}
	if text := follower.said(); strings.Count(text, "Application startup complete.") != 3 || !strings.Contains(text, "http://me:***@proxy:80") {
		t.Errorf("three servers have started, but printed is\n%s", text)
	}

	all := do(t, "GET", s.gateway+"/api/llm/models/"+loud+"/logs?lines=10000", nil).want(t, http.StatusOK)
	shown, err := exec.CommandContext(t.Context(), fluidmcp(t), "logs", loud, "--url", s.gateway).CombinedOutput()
	if err != nil || !strings.Contains(string(shown), "the key is ***\nthe token is ***") {
		t.Errorf("fluidmcp logs: %v\n%s", err, shown)
	}
	printed := map[string]string{"followed": follower.said(), "the API": string(all.body), "the terminal": string(shown)}
	err = filepath.WalkDir(state, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		text, err := os.ReadFile(path)
		printed[path] = string(text)
		return err
	})
	if err != nil || len(printed) < 4 {
		t.Errorf("the folder of the state holds %d files: %v", len(printed)-3, err)
	}
	for where, text := range printed {
		for _, secret := range loudSecrets {
			if strings.Contains(text, secret) {
				t.Errorf("%s shows %q", where, secret)
			}
		}
	}
}

// TestProgressOfALoad rehearses a start that takes its time: the status says how far it is, and the log has the lines that tell.
func TestProgressOfALoad(t *testing.T) {
	t.Parallel()
	ports := freePorts(t, 3)
	s := &stack{gateway: fmt.Sprintf("http://127.0.0.1:%d", ports[0])}
	file := modelsFile(t, map[string]any{mockLLM: map[string]any{"command": "mockvllm", "args": []string{"serve", "m", "--port", fmt.Sprint(ports[2]), "--mock-load-time", "20s"}}})
	launch(t, "run", file, "--start-server", "--port", fmt.Sprint(ports[0]), "--supervisor-port", fmt.Sprint(ports[1])).waitLine(t, "starting")
	seen := map[string]float64{}
	follow := func() error {
		var status struct {
			Phase     string
			Instances []struct {
				Progress *struct {
					Stage   string
					Percent *float64
				}
			}
		}
		do(t, "GET", s.gateway+"/api/llm/models/"+mockLLM, nil).want(t, http.StatusOK).decode(t, &status)
		if p := status.Instances[0].Progress; p != nil && p.Percent != nil {
			seen[p.Stage] = max(seen[p.Stage], *p.Percent)
		}
		if status.Phase != "ready" {
			return fmt.Errorf("%s, seen %v", status.Phase, seen)
		}
		return nil
	}
	eventually(t, follow)
	for n := 0; seen["loading weights"] < 50 || seen["capturing graphs"] < 10; n++ { // who has no processor for a stage does not see it
		if n == 3 {
			t.Fatalf("the status has told %v", seen)
		}
		s.loadsAnew(t, mockLLM)
		eventually(t, follow)
	}
	text := string(do(t, "GET", s.gateway+"/api/llm/models/"+mockLLM+"/logs?lines=1000", nil).want(t, http.StatusOK).body)
	for _, line := range []string{"shards:  70% Completed", "Starting torch.compile", "PIECEWISE): 100%|██████████| 35/35", "Application startup complete."} {
		if !strings.Contains(text, line) {
			t.Errorf("the log lacks %q:\n%s", line, text)
		}
	}
	if strings.Contains(text, "1/35") {
		t.Errorf("the log has states of a bar that was written over:\n%s", text)
	}
}

// TestLogsEndWithTheGateway stops a gateway while a log is followed through it: the stream ends as a whole answer does, and at once.
func TestLogsEndWithTheGateway(t *testing.T) {
	t.Parallel()
	ports := freePorts(t, 3)
	s, running := startLoud(t, ports, t.TempDir())
	resp, err := open(t, "GET", s.gateway+"/api/llm/models/"+loud+"/logs?follow=true&lines=1", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	ended := make(chan error, 1)
	go func() { ended <- events(resp.Body, func(event) {}) }()
	running.end(t, syscall.SIGTERM) // fails where the follower holds it up for as long as a drain may take
	if err := <-ended; err != nil {
		t.Errorf("the stream is torn: %v", err)
	}
}
