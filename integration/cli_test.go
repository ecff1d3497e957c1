package integration

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The first command of the README, with its file and its ports as they are.
func TestRunExample(t *testing.T) {
	t.Parallel()
	takeExamplePorts(t)
	c := launch(t, "run", "examples/vllm-mock-config.json", "--file", "--start-server")
	c.waitLine(t, "starting")
	c.waitLine(t, "ready")
	for _, path := range []string{"/llm/mock-llm/chat/completions", "/metrics", "/health", "/ui/", "/docs/"} {
		c.waitLine(t, "http://localhost:8099"+path)
	}
	s := &stack{gateway: "http://localhost:8099", supervisor: "http://localhost:8098", mocks: map[string]string{mockLLM: "http://localhost:8001"}}
	healthEverywhere(t, s)
	guideRequest(t, s)
	if page := do(t, "GET", s.gateway+"/ui/", nil).want(t, http.StatusOK); !bytes.Contains(page.body, []byte("<html")) {
		t.Errorf("/ui/ is not a page: %.100s", page.body)
	}
	pid := s.status(t, mockLLM).Instances[0].PID
	c.end(t, syscall.SIGINT)
	if c.err != nil {
		t.Errorf("after Ctrl-C: %v", c.err)
	}
	if alive(pid) {
		t.Errorf("model server %d is left", pid)
	}
}

// The other file of docs/testing-without-a-gpu.md.
func TestRunMultiExample(t *testing.T) {
	t.Parallel()
	takeExamplePorts(t)
	c := launch(t, "run", "examples/vllm-multi-mock-config.json", "--file", "--start-server")
	s := &stack{gateway: "http://localhost:8099"}
	for _, model := range []string{mockGPT, mockLlama} {
		eventually(t, func() error { return s.ask(t, model) })
		var got completion
		do(t, "POST", s.gateway+"/v1/chat/completions", withModel(model, hello)).want(t, http.StatusOK).decode(t, &got)
		if got.Model != model {
			t.Errorf("%s answers as %s", model, got.Model)
		}
	}
	c.end(t, syscall.SIGTERM)
	if c.err != nil {
		t.Errorf("after SIGTERM: %v", c.err)
	}
}

// alive tells whether a process exists and is more than a zombie.
func alive(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	return !strings.HasPrefix(rest, "Z")
}

// runOne starts fluidmcp with one mock model and returns it with the process id of the model server.
func runOne(t *testing.T, mockFlags ...string) (*command, *stack, int) {
	t.Helper()
	ports := freePorts(t, 3)
	file := modelsFile(t, map[string]any{mockLLM: map[string]any{"command": "mockvllm",
		"args": append([]string{"serve", "mock-model", "--port", strconv.Itoa(ports[2])}, mockFlags...)}})
	c := launch(t, "run", file, "--start-server", "--port", strconv.Itoa(ports[0]), "--supervisor-port", strconv.Itoa(ports[1]))
	s := &stack{gateway: fmt.Sprintf("http://127.0.0.1:%d", ports[0]), mocks: map[string]string{mockLLM: fmt.Sprintf("http://127.0.0.1:%d", ports[2])}}
	c.waitLine(t, "ready")
	eventually(t, func() error { return s.ask(t, mockLLM) })
	return c, s, s.status(t, mockLLM).Instances[0].PID
}

func TestCtrlCLetsRequestsFinish(t *testing.T) {
	t.Parallel()
	c, s, pid := runOne(t, "--mock-itl", tokenGap.String())
	first := make(chan struct{})
	done := make(chan []event)
	go func() {
		resp, err := open(t, "POST", s.gateway+"/llm/mock-llm/chat/completions", map[string]any{"messages": user("a b c d e f g"), "stream": true})
		if err != nil {
			t.Error(err)
		}
		defer resp.Body.Close()
		var all []event
		if err := events(resp.Body, func(e event) {
			if all = append(all, e); len(all) == 2 {
				close(first)
			}
		}); err != nil {
			t.Error(err)
		}
		done <- all
	}()
	<-first
	c.end(t, syscall.SIGINT)
	if text := streamedText(t, <-done); text != "Mock response to: a b c d e f g..." {
		t.Errorf("the running stream ended as %q", text)
	}
	if c.err != nil || alive(pid) {
		t.Errorf("exit %v, model server alive %v", c.err, alive(pid))
	}
}

func TestSecondCtrlCEndsAtOnce(t *testing.T) {
	t.Parallel()
	c, s, pid := runOne(t)
	do(t, "PUT", s.mocks[mockLLM]+"/mock/faults", `{"rules":[{"do":{"delay":"10m"}}]}`).want(t, http.StatusOK)
	go func() { _, _ = send(t, "POST", s.gateway+"/llm/mock-llm/chat/completions", hello) }()
	eventually(t, func() error {
		if n := s.inflight(t, mockLLM); n != 1 {
			return fmt.Errorf("%v in flight", n)
		}
		return nil
	})
	if err := c.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	c.waitLine(t, "Ctrl-C again")
	eventually(t, func() error {
		_ = c.Process.Signal(syscall.SIGINT) // too soon after the first it counts as the same
		select {
		case <-c.exited:
			return nil
		default:
			return errors.New("fluidmcp runs on")
		}
	})
	if c.err == nil {
		t.Error("ending at once is reported as success")
	}
	eventually(t, func() error { return gone(pid) })
}

func gone(pid int) error {
	if alive(pid) {
		return fmt.Errorf("model server %d is alive", pid)
	}
	return nil
}

func TestKillNineLeavesNoModel(t *testing.T) {
	t.Parallel()
	c, _, pid := runOne(t)
	c.end(t, syscall.SIGKILL)
	eventually(t, func() error { return gone(pid) })
}

// refuse runs fluidmcp with arguments that it has to refuse and returns what it said.
func refuse(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), fluidmcp(t), args...)
	cmd.WaitDelay = time.Second
	out, err := cmd.CombinedOutput()
	if err == nil {
		t.Errorf("fluidmcp %v was accepted:\n%s", args, out)
	}
	return string(out)
}

func TestRunRefuses(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	port := strconv.Itoa(taken.Addr().(*net.TCPAddr).Port)
	free := strconv.Itoa(freePorts(t, 1)[0])
	f := func(content string, extra []string, wants ...string) {
		t.Helper()
		path := filepath.Join(t.TempDir(), "models.json")
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		args := append([]string{"run", path, "--file", "--start-server", "--supervisor-port", free, "--port", "0"}, extra...)
		out := refuse(t, args...)
		for _, want := range wants {
			if !strings.Contains(out, want) {
				t.Errorf("%s\nis refused without a word of %q:\n%s", content, want, out)
			}
		}
	}
	good := `{"llmModels":{"m":{"command":"mockvllm","args":["serve","x","--port","` + free + `"]}}}`
	f("not json", nil, "models.json", "1:")
	f(good, []string{"--port", port}, "port "+port, "in use")
	f(`{"llmModels":{"m":{"command":"mockvllm","args":["serve","x","--port","`+port+`"]}}}`, nil, "port "+port, "in use by another process", "give the model endpoints alone")
	f(good, []string{"--port", free, "--supervisor-port", free}, "port "+free+" of the supervisor is in use by the gateway", `of model "m" is in use by the gateway`)
	// Everything at once: an unknown field, a bad type, a port used twice, and the gateway's port taken.
	f(`{"llmModels":{
		"a":{"comand":"mockvllm","args":["serve","x","--port","7001"]},
		"b":{"command":"mockvllm","args":"serve"},
		"c":{"command":"mockvllm","args":["serve","x","--port","7002"]},
		"d":{"command":"mockvllm","args":["serve","x","--port","7002"]}}}`,
		[]string{"--port", port},
		"llmModels.a.comand", `"command"`, "llmModels.b.args", "7002", "port "+port)

	if out := refuse(t, "run", "does-not-exist.json", "--file", "--start-server"); !strings.Contains(out, "does-not-exist.json") {
		t.Errorf("missing file: %s", out)
	}
}

func TestRunWithoutStartPrintsThePlan(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"run", "examples/vllm-multi-mock-config.json", "--file"}, {"run", "examples/vllm-multi-mock-config.json"}} {
		cmd := exec.CommandContext(t.Context(), fluidmcp(t), args...)
		cmd.Dir = ".."
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		for _, want := range []string{"mock-gpt", "mock-llama", "8001", "8002", "--start-server"} {
			if !strings.Contains(string(out), want) {
				t.Errorf("fluidmcp %v does not mention %s:\n%s", args, want, out)
			}
		}
	}
}
