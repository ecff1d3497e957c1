package integration

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// schemathesisFolder holds what the runs share; see the comments there for what they do not look at, and why.
const schemathesisFolder = "testdata/schemathesis"

// schemathesis makes up requests by the reference, sends them to running services and holds the answers against the reference.
type schemathesis struct {
	python string
	url    string // of the document
}

// TestSchemathesis finds server errors and answers that the reference does not know, with the same requests in every run.
func TestSchemathesis(t *testing.T) {
	t.Parallel()
	s := schemathesis{python: pythonWith(t, filepath.Join(schemathesisFolder, "requirements.txt"))}
	ports := freePorts(t, 7)
	at := func(n int) string { return fmt.Sprintf("http://127.0.0.1:%d", ports[n]) }
	mock := func(n int) map[string]any {
		return map[string]any{"command": "mockvllm", "args": []string{"serve", "mock-model", "--port", strconv.Itoa(ports[n]),
			"--enable-auto-tool-choice", "--tool-call-parser", "hermes",
			"--max-model-len", "4096"}} // a beam search without max_tokens goes on to that
	}
	external := map[string]any{"endpoints": map[string]string{"base_url": at(2) + "/v1"}, "served_name": "mock-model"}
	file := modelsFile(t, map[string]any{
		mockLLM:   mock(2),
		"spare":   mock(3), // to be started and stopped
		"partner": external,
	})
	c := start(t, immortal(exec.Command(fluidmcp(t), "run", file, "--start-server", "--port", strconv.Itoa(ports[0]), "--supervisor-port", strconv.Itoa(ports[1]))))
	eventually(t, func() error { return (&stack{gateway: at(0)}).ask(t, mockLLM) })
	s.url = at(0) + "/openapi.json"

	t.Run("document", func(t *testing.T) { s.valid(t) })
	t.Run("services", func(t *testing.T) {
		t.Run("gateway", func(t *testing.T) {
			t.Parallel()
			s.run(t, "--url", at(0), "--exclude-tag", "Fleet feed", "--exclude-tag", "Mock")
		})
		t.Run("supervisor", func(t *testing.T) {
			t.Parallel()
			openSupervisor(t, ports[4], modelsFile(t, map[string]any{"partner": external}))
			s.run(t, "--url", at(4), "--include-tag", "Fleet feed", "--include-path-regex", "^/(health|ready|metrics)$",
				"--request-timeout", "3") // the feed ends by it
		})
		t.Run("mock", func(t *testing.T) {
			t.Parallel()
			start(t, immortal(exec.Command(fluidmcp(t), "mockvllm", "serve", "mock-model", "--port", strconv.Itoa(ports[5]))))
			eventually(t, func() error { _, err := send(t, "GET", at(5)+"/health", nil); return err })
			s.run(t, "--url", at(5), "--include-tag", "Mock", "--exclude-path", "/mock/faults")
			s.run(t, "--url", at(5), "--include-path", "/mock/faults") // last: the faults hit everything else
		})
	})
	select {
	case <-c.exited:
		t.Errorf("fluidmcp ended with %v", c.err)
	default:
	}
}

// immortal has model servers outlive their engine, which one of the faults that are set kills.
func immortal(cmd *exec.Cmd) *exec.Cmd {
	cmd.Env = append(os.Environ(), "VLLM_KEEP_ALIVE_ON_ENGINE_DEATH=1")
	return cmd
}

// valid holds the document against the rules of OpenAPI 3.1.
func (s schemathesis) valid(t *testing.T) {
	document := filepath.Join(t.TempDir(), "openapi.json")
	if err := os.WriteFile(document, do(t, "GET", s.url, nil).want(t, http.StatusOK).body, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), s.python, "-m", "openapi_spec_validator", document).CombinedOutput(); err != nil {
		t.Errorf("docs/openapi.yaml: %v\n%s", err, out)
	}
}

func (s schemathesis) run(t *testing.T, args ...string) {
	t.Helper()
	folder, err := filepath.Abs(schemathesisFolder)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 25*time.Minute) // what follows logs and events ends by the timeout of its request alone
	defer cancel()
	cmd := exec.CommandContext(ctx, filepath.Join(filepath.Dir(s.python), "st"),
		append([]string{"--config-file", filepath.Join(folder, "schemathesis.toml"), "run", s.url}, args...)...)
	cmd.Dir = t.TempDir() // it leaves files where it runs
	cmd.Env = append(os.Environ(), "SCHEMATHESIS_HOOKS="+filepath.Join(folder, "hooks.py"))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// openSupervisor runs a supervisor without a token, so that its own paths can be asked.
func openSupervisor(t *testing.T, port int, file string) {
	t.Helper()
	cmd := exec.Command(built(t, supervisorBinary))
	cmd.Env = append(os.Environ(), "SUPERVISOR_ADDR=127.0.0.1:"+strconv.Itoa(port), "SUPERVISOR_MODELS="+file)
	start(t, cmd)
	eventually(t, func() error {
		_, err := send(t, "GET", fmt.Sprintf("http://127.0.0.1:%d/health", port), nil)
		return err
	})
}
