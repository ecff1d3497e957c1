package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// planned runs `fluidmcp run` on the models of a YAML text, without starting them.
func planned(t *testing.T, text string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	t.Setenv("CUDA_VISIBLE_DEVICES", "") // of a machine with GPUs
	file := filepath.Join(t.TempDir(), "models.yaml")
	if err := os.WriteFile(file, []byte("llmModels:\n"+text), 0o600); err != nil {
		t.Fatal(err)
	}
	return fluidmcp(t, append([]string{"run", file}, args...)...)
}

func TestPlanShowsGPUs(t *testing.T) {
	const replicas = "  llama: {model: org/x, port: 8001, replicas: 2, devices: ['0,1', '2,3'], config: {tensor-parallel-size: 2}}\n"
	code, out, failed := planned(t, replicas+"  far: {endpoints: {base_url: 'http://gpu:8000'}}\n")
	want := `
  MODEL   DRIVER     ADDRESS                 GPUS   COMMAND
  far     external   http://gpu:8000                
  llama   process    http://127.0.0.1:8001   0,1    vllm serve org/x --port 8001 --host 127.0.0.1 --tensor-parallel-size 2
  llama   process    http://127.0.0.1:8002   2,3    vllm serve org/x --port 8002 --host 127.0.0.1 --tensor-parallel-size 2
`
	if code != 0 || !strings.Contains(out, want) {
		t.Errorf("exit %d: %s%s", code, out, failed)
	}
	if code, out, _ := planned(t, "  llama: {model: org/x, port: 8001}\n"); code != 0 || strings.Contains(out, "GPUS") {
		t.Errorf("without devices: exit %d: %s", code, out)
	}

	_, out, _ = planned(t, replicas, "--json")
	var plan struct {
		Models   []struct{ Instances []struct{ Devices []string } }
		Warnings []string
	}
	if err := json.Unmarshal([]byte(out), &plan); err != nil || plan.Warnings == nil {
		t.Fatalf("%v: %s", err, out)
	}
	if diff := cmp.Diff([]struct{ Devices []string }{{[]string{"0", "1"}}, {[]string{"2", "3"}}}, plan.Models[0].Instances); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

// What a server would say of its command line minutes later, on a machine that is paid by the minute.
func TestPlanReadsCommandLines(t *testing.T) {
	const models = `
  llama: {model: org/x, port: 8001, config: {max-model-lenn: 8192}}
  vllm: {command: /opt/vllm/bin/vllm, args: [serve, y, --port, 8002, --disable-log-requests, --hub-token, hf-secret]}
  good: {command: mockvllm, args: [serve, m, --port, 8003, --mock-ttft, 1s]}
  other: {command: ./vllm.sh, args: [serve, --what, --port, 8004]}
`
	code, out, failed := planned(t, models)
	for _, warning := range []string{
		"\nllama: vLLM 0.32 does not understand its command line: unrecognized arguments: --max-model-lenn 8192; correct config or args.\n",
		"\nvllm: vLLM 0.32 does not understand its command line: unrecognized arguments: --disable-log-requests --hub-token ***; correct config or args.\n",
	} {
		if !strings.Contains(out, warning) {
			t.Errorf("no %s", warning)
		}
	}
	if code != 0 || strings.Count(out, "does not understand") != 2 || strings.Contains(out, "hf-secret") {
		t.Errorf("exit %d: %s%s", code, out, failed)
	}

	code, out, failed = planned(t, models, "--mock", "--start-server=false")
	if code != 1 || out != "" || !strings.Contains(failed, "llmModels.llama: mockvllm does not understand its command line: unrecognized arguments: --max-model-lenn") ||
		!strings.Contains(failed, "\nmodels file ") || strings.Contains(failed, "hf-secret") {
		t.Errorf("rehearsed: exit %d: %s%s", code, out, failed)
	}
	code, _, failed = planned(t, "  m: {command: mockvllm, args: [serve, m, --port, many]}\n")
	if code != 1 || !strings.Contains(failed, "port") {
		t.Errorf("a mock: exit %d: %s", code, failed)
	}
}
