package integration

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// binary builds the fluidmcp command once for all tests.
var binary = sync.OnceValues(func() (string, error) { return build("./cmd/fluidmcp", raceDetector()...) })

// quick is the same without the race detector, for what is measured.
var quick = sync.OnceValues(func() (string, error) { return build("./cmd/fluidmcp") })

// raceDetector is the flag for it where there is the C compiler that it needs.
func raceDetector() []string {
	if _, err := exec.LookPath("cc"); err != nil {
		return nil
	}
	return []string{"-race"}
}

// build compiles a program of the repository.
func build(program string, flags ...string) (string, error) {
	folder, err := os.MkdirTemp(buildDir, "")
	if err != nil {
		return "", err
	}
	path := filepath.Join(folder, filepath.Base(program))
	cmd := exec.Command("go", append(append([]string{"build", "-o", path}, flags...), program)...)
	cmd.Dir = ".."
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%s: %w\n%s", cmd, err, out)
	}
	return path, nil
}

func fluidmcp(t *testing.T) string { return built(t, binary) }

func built(t testing.TB, program func() (string, error)) string {
	t.Helper()
	path, err := program()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// command is a process under test.
type command struct {
	*exec.Cmd
	lines  chan string   // what it prints, line by line; closed at its end
	exited chan struct{} // closed once it has ended and err is set
	err    error

	mu  sync.Mutex
	all strings.Builder // that it has printed
}

// said is all that the process has printed so far.
func (c *command) said() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.all.String()
}

// launch starts fluidmcp with the given arguments.
func launch(t *testing.T, args ...string) *command {
	t.Helper()
	return start(t, exec.Command(fluidmcp(t), args...))
}

// start starts a program, copies what it says to the test's log, and ends it with the test. Its stderr stays where cmd has it.
func start(t testing.TB, cmd *exec.Cmd) *command {
	t.Helper()
	c := &command{Cmd: cmd, lines: make(chan string, 1000), exited: make(chan struct{})}
	r, w := io.Pipe()
	c.Stdout = w
	if c.Stderr == nil {
		c.Stderr = w
	}
	c.Dir = ".."
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // a Ctrl-C for the tests is not one for it
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	copied := make(chan struct{})
	go func() {
		defer close(copied)
		defer close(c.lines)
		for lines := bufio.NewScanner(r); lines.Scan(); {
			t.Log(lines.Text())
			c.mu.Lock()
			c.all.WriteString(lines.Text() + "\n")
			c.mu.Unlock()
			select {
			case c.lines <- lines.Text():
			default: // nobody reads them
			}
		}
	}()
	go func() {
		c.err = c.Wait()
		w.Close()
		<-copied
		close(c.exited)
	}()
	t.Cleanup(func() {
		c.end(t, syscall.SIGKILL)
	})
	return c
}

// end sends a signal and waits for the process to be gone.
func (c *command) end(t testing.TB, sig syscall.Signal) {
	t.Helper()
	_ = c.Process.Signal(sig) // it may have ended by itself
	select {
	case <-c.exited:
	case <-time.After(time.Minute):
		t.Errorf("fluidmcp did not end within a minute of %s", sig)
		_ = c.Process.Kill()
	}
}

// waitLine reads what the process prints until a line has the text, and returns that line.
func (c *command) waitLine(t testing.TB, text string) string {
	t.Helper()
	timeout := time.After(time.Minute)
	for {
		select {
		case line, ok := <-c.lines:
			if !ok {
				t.Fatalf("fluidmcp ended (%v) without printing %q", c.err, text)
			}
			if strings.Contains(line, text) {
				return line
			}
		case <-timeout:
			t.Fatalf("fluidmcp did not print %q within a minute", text)
		}
	}
}

// startBinary runs one fluidmcp with all models of the scenarios as its child processes.
func startBinary(t *testing.T) *stack {
	ports := freePorts(t, 5)
	s := &stack{
		gateway:    fmt.Sprintf("http://127.0.0.1:%d", ports[0]),
		supervisor: fmt.Sprintf("http://127.0.0.1:%d", ports[1]),
		processes:  true,
		mocks:      map[string]string{},
		revive:     func(*testing.T, string) {},
	}
	for i, model := range []string{mockLLM, mockGPT, mockLlama} {
		s.mocks[model] = fmt.Sprintf("http://127.0.0.1:%d", ports[2+i])
	}
	s.kill = func(t *testing.T, model string) {
		t.Helper()
		if err := syscall.Kill(s.status(t, model).Instances[0].PID, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
	}
	file := modelsFile(t, map[string]any{
		mockLLM: map[string]any{"command": "mockvllm", "args": []string{"serve", "mock-model", "--port", fmt.Sprint(ports[2]),
			"--enable-auto-tool-choice", "--tool-call-parser", "hermes"}},
		// As files in circulation have it: a Python script, which is mockvllm here.
		mockGPT: map[string]any{"command": "python", "args": []string{"tests/mock_vllm_server.py"},
			"env": map[string]string{"MODEL_NAME": "mock-gpt", "MOCKVLLM_ITL": tokenGap.String()}, "endpoints": map[string]string{"base_url": s.mocks[mockGPT] + "/v1"}},
		mockLlama: map[string]any{"command": "python", "args": []string{"tests/mock_vllm_server.py"},
			"env": map[string]string{"MODEL_NAME": "mock-llama"}, "endpoints": map[string]string{"base_url": s.mocks[mockLlama] + "/v1"}},
		slashed:   map[string]any{"endpoints": map[string]string{"base_url": s.mocks[mockLLM] + "/v1"}, "served_name": "mock-model"},
		impatient: map[string]any{"endpoints": map[string]string{"base_url": s.mocks[mockLLM] + "/v1"}, "served_name": "mock-model", "timeouts": map[string]any{"first_byte": 1}},
		pair: map[string]any{"endpoints": map[string]any{"servers": []map[string]string{{"base_url": s.mocks[mockLLM] + "/v1"},
			{"base_url": strings.Replace(s.mocks[mockLLM], "127.0.0.1", "0.0.0.0", 1) + "/v1"}}}, "served_name": "mock-model",
			"routing": map[string]any{"canary": []map[string]any{{"model": mockLLM, "percent": 100}}}},
	})
	c := launch(t, "run", file, "--file", "--start-server", "--port", fmt.Sprint(ports[0]), "--supervisor-port", fmt.Sprint(ports[1]))
	t.Cleanup(func() {
		c.end(t, syscall.SIGINT)
		if c.err != nil {
			t.Errorf("fluidmcp ended with %v; the race detector uses exit code 66", c.err)
		}
	})
	eventually(t, func() error { return s.allReady(t) })
	return s
}

func modelsFile(t *testing.T, models map[string]any) string {
	t.Helper()
	content, err := json.Marshal(map[string]any{"llmModels": models})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "models.json")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// allReady tells which model is not ready yet.
func (s *stack) allReady(t *testing.T) error {
	t.Helper()
	for _, model := range []string{mockLLM, mockGPT, mockLlama, slashed, impatient, pair} {
		if err := s.ask(t, model); err != nil {
			return err
		}
	}
	return nil
}
