package integration

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
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
	exited chan struct{} // closed once it has ended, with all that it printed in lines, and err is set
	err    error

	mu    sync.Mutex
	lines []string      // that it has printed so far
	read  int           // how many of them waitLine has seen
	news  chan struct{} // closed with the next line
}

// said is all that the process has printed so far.
func (c *command) said() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return strings.Join(append(slices.Clone(c.lines), ""), "\n")
}

// hear takes in a line that the process prints.
func (c *command) hear(line string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lines = append(c.lines, line)
	close(c.news)
	c.news = make(chan struct{})
}

// find goes on with the lines from where it was until one has the text. news is closed when there are more.
func (c *command) find(text string) (line string, found bool, news <-chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.read < len(c.lines) {
		c.read++
		if line := c.lines[c.read-1]; strings.Contains(line, text) {
			return line, true, c.news
		}
	}
	return "", false, c.news
}

// launch starts fluidmcp with the given arguments.
func launch(t *testing.T, args ...string) *command {
	t.Helper()
	return start(t, exec.Command(fluidmcp(t), args...))
}

// start starts a program, copies what it says to the test's log, and ends it with the test. Its stderr stays where cmd has it.
func start(t testing.TB, cmd *exec.Cmd) *command {
	t.Helper()
	c := &command{Cmd: cmd, exited: make(chan struct{}), news: make(chan struct{})}
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
		lines := bufio.NewScanner(r)
		lines.Buffer(nil, 16<<20) // what it does not take would block the process
		for lines.Scan() {
			t.Log(lines.Text())
			c.hear(lines.Text())
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

// endsWell has the process end by a signal when the test is over, and not with an error.
func (c *command) endsWell(t *testing.T, sig syscall.Signal) {
	t.Helper()
	t.Cleanup(func() {
		c.end(t, sig)
		if c.err != nil {
			t.Errorf("fluidmcp ended with %v; the race detector uses exit code 66", c.err)
		}
	})
}

// waitLine reads what the process prints until a line has the text, and returns that line.
func (c *command) waitLine(t testing.TB, text string) string {
	t.Helper()
	timeout := time.After(time.Minute)
	for over := false; ; {
		line, found, news := c.find(text)
		if found {
			return line
		}
		if over {
			t.Fatalf("fluidmcp ended (%v) without printing %q", c.err, text)
		}
		select {
		case <-news:
		case <-c.exited:
			over = true
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
	c.endsWell(t, syscall.SIGINT)
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
