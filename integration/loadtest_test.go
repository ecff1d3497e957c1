package integration

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// loadReport is what the scenarios read of `fluidmcp loadtest --json`.
type loadReport struct {
	Interrupted bool `json:"interrupted"`
	Requests    struct {
		Sent   int `json:"sent"`
		OK     int `json:"ok"`
		Failed int `json:"failed"`
		Cut    int `json:"cut"`
		Unsent int `json:"unsent"`
		Warmup int `json:"warmup"`
	} `json:"requests"`
	Tokens struct {
		Input  int `json:"input"`
		Output int `json:"output"`
	} `json:"tokens"`
	Latencies map[string]struct {
		Count          int
		Mean, P50, P99 float64
		Max            float64
	} `json:"latencies"`
	Failures []struct {
		Kind, Example string
		Count         int
	} `json:"failures"`
	Warnings []string `json:"warnings"`
	Client   struct {
		CPUPerRequest float64 `json:"cpu_us_per_request"`
		CPUPerChunk   float64 `json:"cpu_us_per_chunk"`
		Delay         float64 `json:"delay_p99_ms"`
	} `json:"client"`
}

// sample is a line of `fluidmcp loadtest --samples`.
type sample struct {
	RequestID  string     `json:"request_id"`
	Warmup     bool       `json:"warmup"`
	Scheduled  time.Time  `json:"scheduled_at"`
	Sent       time.Time  `json:"sent_at"`
	FirstToken *time.Time `json:"first_token_at"`
	Finished   time.Time  `json:"finished_at"`
	Outcome    string     `json:"outcome"`
	Chunks     int        `json:"chunks"`
	Output     int        `json:"output_tokens"`
}

// journaled is a request as the mock's journal has it.
type journaled struct {
	RequestID  string     `json:"request_id"`
	Path       string     `json:"path"`
	Stream     bool       `json:"stream"`
	Received   time.Time  `json:"received_at"`
	FirstToken *time.Time `json:"first_token_at"`
	Finished   time.Time  `json:"finished_at"`
	Chunks     int        `json:"chunks"`
	Tokens     int        `json:"tokens"`
	Outcome    string     `json:"outcome"`
}

// loadtest runs `fluidmcp loadtest --json` against a server and returns its exit code and report.
func loadtest(t *testing.T, url string, args ...string) (int, loadReport) {
	t.Helper()
	return loadtestOf(t, fluidmcp(t), url, args...)
}

func loadtestOf(t *testing.T, program, url string, args ...string) (int, loadReport) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, append([]string{"loadtest", "--url", url, "--json"}, args...)...)
	var out, failed bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &failed
	err := cmd.Run()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	var r loadReport
	if err := json.Unmarshal(out.Bytes(), &r); err != nil {
		t.Fatalf("%s: %v in %q\n%s", cmd, err, &out, &failed)
	}
	return cmd.ProcessState.ExitCode(), r
}

// samples reads the file of --samples.
func samples(t *testing.T, path string) map[string]sample {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	all := map[string]sample{}
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var s sample
		if err := json.Unmarshal(lines.Bytes(), &s); err != nil {
			t.Fatalf("%v in %s", err, lines.Bytes())
		}
		all[s.RequestID] = s
	}
	return all
}

// journalOf returns what a mock's journal has of a load test, once it has as many requests as were sent.
func journalOf(t *testing.T, mock string, sent int) map[string]journaled {
	t.Helper()
	all := map[string]journaled{}
	eventually(t, func() error {
		var list struct{ Requests []journaled }
		do(t, "GET", mock+"/mock/requests", nil).want(t, 200).decode(t, &list)
		clear(all)
		for _, r := range list.Requests {
			if strings.HasPrefix(r.RequestID, "loadtest-") {
				all[r.RequestID] = r
			}
		}
		if len(all) != sent {
			return fmt.Errorf("the journal has %d requests, want %d", len(all), sent)
		}
		return nil
	})
	return all
}

// loadTest holds a load test through the gateway against the journal of the mock behind it.
func loadTest(t *testing.T, s *stack) {
	const warmup, measured, tokens = 10, 60, 12
	do(t, "DELETE", s.mocks[mockLLM]+"/mock/requests", nil).want(t, 204)
	file := filepath.Join(t.TempDir(), "samples.jsonl")
	code, r := loadtest(t, s.gateway, "--model", mockLLM, "-c", "8", "-n", fmt.Sprint(measured), "--warmup", fmt.Sprint(warmup),
		"--output-tokens", fmt.Sprint(tokens), "--input-tokens", "5-9", "--samples", file, "--fail-if", "errors > 0")
	if code != 0 || r.Requests.OK != measured || r.Requests.Sent != measured || r.Requests.Warmup != warmup || r.Tokens.Output != measured*tokens {
		t.Errorf("exit %d, %+v, %+v", code, r.Requests, r.Tokens)
	}
	for name, want := range map[string]int{"ttft": measured, "tpot": measured, "itl": measured * (tokens - 1), "e2e": measured, "ttft_scheduled": 0, "e2e_scheduled": 0} {
		if got := r.Latencies[name].Count; got != want {
			t.Errorf("%d values of %s, want %d", got, name, want)
		}
	}
	sent, seen := samples(t, file), journalOf(t, s.mocks[mockLLM], warmup+measured)
	warm := 0
	for id, got := range sent {
		if got.Warmup {
			warm++
		}
		at := seen[id]
		if got.Outcome != "ok" || at.Outcome != "done" || got.Output != tokens || at.Tokens != tokens || got.Chunks != at.Chunks || !at.Stream {
			t.Errorf("%s: the load tester has %+v, the mock %+v", id, got, at)
			continue
		}
		inOrder(t, got, at)
	}
	if len(sent) != warmup+measured || warm != warmup {
		t.Errorf("%d samples, %d of the warm-up", len(sent), warm)
	}
}

// inOrder checks that nothing was seen before it was sent.
func inOrder(t *testing.T, got sample, at journaled) {
	t.Helper()
	order := []time.Time{got.Scheduled, got.Sent, at.Received, *at.FirstToken, *got.FirstToken, got.Finished}
	for i := 1; i < len(order); i++ {
		if order[i].Before(order[i-1]) {
			t.Errorf("%s: out of order: scheduled, sent, received, first token sent, first token read, end: %v", got.RequestID, order)
		}
	}
}

func loadTestOfWholeTexts(t *testing.T, s *stack) {
	do(t, "DELETE", s.mocks[mockLLM]+"/mock/requests", nil).want(t, 204)
	code, r := loadtest(t, s.gateway, "--model", mockLLM, "--endpoint", "completions", "--no-stream", "--rate", "200", "--arrivals", "constant", "-n", "40",
		"--output-tokens", "3-5")
	if code != 0 || r.Requests.OK != 40 || r.Tokens.Output < 3*40 || r.Tokens.Output > 5*40 {
		t.Errorf("exit %d, %+v, %+v", code, r.Requests, r.Tokens)
	}
	if r.Latencies["e2e"].Count != 40 || r.Latencies["e2e_scheduled"].Count != 40 || r.Latencies["ttft"].Count != 0 || r.Latencies["itl"].Count != 0 {
		t.Errorf("latencies %+v", r.Latencies)
	}
	for id, at := range journalOf(t, s.mocks[mockLLM], 40) {
		if at.Path != "/v1/completions" || at.Stream {
			t.Errorf("%s: %+v", id, at)
		}
	}
}

func loadTestOfFailures(t *testing.T, s *stack) {
	s.faults(t, mockLLM, `{"seed":3,"rules":[{"match":{"percent":20},"do":{"status":500,"message":"Model error"}}]}`)
	code, r := loadtest(t, s.gateway, "--model", mockLLM, "-n", "100", "--fail-if", "error_rate > 10%")
	if code != 3 || r.Requests.OK != 80 || r.Requests.Failed != 20 || r.Latencies["ttft"].Count != 80 {
		t.Errorf("exit %d, %+v, %d values of TTFT", code, r.Requests, r.Latencies["ttft"].Count)
	}
	if len(r.Failures) != 1 || r.Failures[0].Kind != "http_500" || r.Failures[0].Count != 20 || !strings.Contains(r.Failures[0].Example, "Model error") {
		t.Errorf("failures %+v", r.Failures)
	}
}

// loadTestScript runs the guide's hundred requests, which need no fluidmcp.
func loadTestScript(t *testing.T, s *stack) {
	run := func(args ...string) (string, error) {
		cmd := exec.CommandContext(t.Context(), "../scripts/load_test.sh", args...)
		cmd.Env = append(os.Environ(), "FLUIDMCP_URL="+s.gateway)
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	out, err := run(mockLLM)
	for _, want := range []string{"100 answered 200\n", `fluidmcp_requests_total{code="200",endpoint="chat_completions",model="mock-llm"} `,
		`fluidmcp_errors_total{model="mock-llm",reason="timeout"} `, `fluidmcp_request_duration_seconds_count{endpoint="chat_completions",model="mock-llm"} `} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	if err != nil {
		t.Error(err)
	}
	if out, err := run("nobody", "3"); err == nil || !strings.Contains(out, "3 answered 404") {
		t.Errorf("requests that fail: %v\n%s", err, out)
	}
	if out, err := run(mockLLM, "many"); err == nil || !strings.Contains(out, "Usage:") {
		t.Errorf("a wrong argument: %v\n%s", err, out)
	}
}
