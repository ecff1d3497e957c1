package read_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest"
	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest/read"
)

// plan is what the tests compare of a model: how it is run, and per instance the command and where it answers.
type plan struct {
	Driver    manifest.Driver
	Served    string
	Instances []string
}

func planOf(file *manifest.File) map[string]plan {
	plans := map[string]plan{}
	for _, m := range file.Models {
		p := plan{Driver: m.Driver, Served: m.ServedName}
		for _, i := range m.Instances {
			p.Instances = append(p.Instances, i.String()+" > "+i.Dial)
		}
		plans[m.ID] = p
	}
	return plans
}

func TestExamplesMakeTheirPlans(t *testing.T) {
	want := map[string]map[string]plan{
		"vllm-mock-config.json": {
			"mock-llm": {manifest.Process, "mock-model", []string{
				"mock-llm-0 at http://localhost:8001: mockvllm serve mock-model --port 8001 > http://127.0.0.1:8001"}},
		},
		"vllm-multi-mock-config.json": {
			"mock-gpt": {manifest.Process, "mock-gpt", []string{
				"mock-gpt-0 at http://localhost:8001: mockvllm serve mock-gpt --port 8001 > http://127.0.0.1:8001"}},
			"mock-llama": {manifest.Process, "mock-llama", []string{
				"mock-llama-0 at http://localhost:8002: mockvllm serve mock-llama --port 8002 > http://127.0.0.1:8002"}},
		},
		"vllm-profile.json": {
			"llama": {manifest.Process, "meta-llama/Llama-3.1-8B-Instruct", []string{
				"llama-0 at http://127.0.0.1:8001: vllm serve meta-llama/Llama-3.1-8B-Instruct --port 8001 --host 127.0.0.1 " +
					"--enable-prefix-caching --max-model-len 8192 > http://127.0.0.1:8001",
				"llama-1 at http://127.0.0.1:8002: vllm serve meta-llama/Llama-3.1-8B-Instruct --port 8002 --host 127.0.0.1 " +
					"--enable-prefix-caching --max-model-len 8192 > http://127.0.0.1:8002"}},
		},
		"external-partner.json": {
			"partner": {manifest.External, "partner/large", []string{
				"partner-0 at https://llm.partner.example:  > https://llm.partner.example"}},
		},
		"container.json": {
			"llama": {manifest.Docker, "meta-llama/Llama-3.1-8B-Instruct", []string{
				"llama-0 at http://vllm:8000: container fluidmcp-model > http://vllm:8000"}},
			"mock-llm": {manifest.Docker, "mock-model", []string{
				"mock-llm-0 at http://mock-a:8000: container mock-a > http://mock-a:8000",
				"mock-llm-1 at http://mock-b:8000: container mock-b > http://mock-b:8000"}},
		},
		"kubernetes-deployment.json": {
			"llama": {manifest.Kubernetes, "", []string{
				"llama-0 at http://llama.models.svc:8000:  > http://llama.models.svc:8000"}},
		},
		"start-order.json": {
			"embedder": {manifest.Process, "mock-embedder", []string{
				"embedder-0 at http://127.0.0.1:8001: mockvllm serve mock-embedder --port 8001 > http://127.0.0.1:8001"}},
			"chat": {manifest.Process, "mock-chat", []string{
				"chat-0 at http://127.0.0.1:8011: mockvllm serve mock-chat --port 8011 > http://127.0.0.1:8011",
				"chat-1 at http://127.0.0.1:8012: mockvllm serve mock-chat --port 8012 > http://127.0.0.1:8012",
				"chat-2 at http://127.0.0.1:8013: mockvllm serve mock-chat --port 8013 > http://127.0.0.1:8013"}},
		},
		"replicas.json": {
			"mock-llm": {manifest.Process, "mock-model", []string{
				"mock-llm-0 at http://127.0.0.1:8001: mockvllm serve mock-model --port 8001 > http://127.0.0.1:8001",
				"mock-llm-1 at http://127.0.0.1:8002: mockvllm serve mock-model --port 8002 > http://127.0.0.1:8002",
				"mock-llm-2 at http://127.0.0.1:8003: mockvllm serve mock-model --port 8003 > http://127.0.0.1:8003"}},
			"mock-next": {manifest.Process, "mock-next", []string{
				"mock-next-0 at http://127.0.0.1:8004: mockvllm serve mock-next --port 8004 > http://127.0.0.1:8004"}},
			"listed": {manifest.External, "mock-model", []string{
				"listed-0 at http://localhost:8001:  > http://127.0.0.1:8001",
				"listed-1 at http://localhost:8002:  > http://127.0.0.1:8002",
				"listed-2 at http://localhost:8003:  > http://127.0.0.1:8003"}},
		},
		"clients/models.json": {
			"mock-llm": {manifest.Process, "mock-model", []string{
				"mock-llm-0 at http://127.0.0.1:8001: mockvllm serve mock-model --port 8001 --enable-auto-tool-choice " +
					"--tool-call-parser hermes > http://127.0.0.1:8001"}},
			"mock-gpt": {manifest.Process, "mock-gpt", []string{
				"mock-gpt-0 at http://127.0.0.1:8002: mockvllm serve mock-gpt --port 8002 --mock-itl 500ms > http://127.0.0.1:8002"}},
			"mock-llama": {manifest.Process, "mock-llama", []string{
				"mock-llama-0 at http://127.0.0.1:8003: mockvllm serve mock-llama --port 8003 --mock-rate-limit 1/10s > http://127.0.0.1:8003"}},
		},
		"on-demand.yaml": {
			"now-and-then": {manifest.Process, "now-and-then", []string{
				"now-and-then-0 at http://127.0.0.1:8001: mockvllm serve now-and-then --port 8001 --mock-load-time 5s > http://127.0.0.1:8001"}},
			"chat": {manifest.Process, "chat", []string{
				"chat-0 at http://127.0.0.1:8011: mockvllm serve chat --port 8011 --mock-load-time 5s --enable-sleep-mode > http://127.0.0.1:8011"}},
			"code": {manifest.Process, "code", []string{
				"code-0 at http://127.0.0.1:8012: mockvllm serve code --port 8012 --mock-load-time 5s --enable-sleep-mode > http://127.0.0.1:8012"}},
			"translate": {manifest.Process, "translate", []string{
				"translate-0 at http://127.0.0.1:8013: mockvllm serve translate --port 8013 --mock-load-time 5s --enable-sleep-mode > http://127.0.0.1:8013"}},
		},
		"models.yaml": {
			"slow-mock": {manifest.Process, "mock-model", []string{
				"slow-mock-0 at http://127.0.0.1:8001: mockvllm serve mock-model --port 8001 --mock-ttft 300ms > http://127.0.0.1:8001"}},
			"local": {manifest.External, "", []string{
				"local-0 at http://localhost:8000:  > http://127.0.0.1:8000"}},
		},
	}
	t.Setenv("PARTNER_KEY", "sk-partner")
	const folder = "../../../../examples/"
	files, err := filepath.Glob(folder + "*.[jy]*")
	if err != nil || len(files) == 0 {
		t.Fatalf("list examples: %v, found %d", err, len(files))
	}
	files = append(files, folder+"clients/models.json") // the other files there are programs
	for _, path := range files {
		file, err := read.Load(path, os.LookupEnv)
		if err != nil {
			t.Errorf("load: %v", err)
			continue
		}
		name := strings.TrimPrefix(path, folder)
		if diff := cmp.Diff(want[name], planOf(file)); diff != "" {
			t.Errorf("%s: plan differs (-want +got); every example needs its plan in this test\n%s", name, diff)
		}
		delete(want, name)
	}
	for name := range want {
		t.Errorf("example %s is missing", name)
	}
}

// TestPythonMockIsUnderstood loads the multi-model file in the form that was in use before there was mockvllm: with a Python
// script, which is mockvllm here. docs/testing-without-a-gpu.md shows today's form.
func TestPythonMockIsUnderstood(t *testing.T) {
	ours, err := read.Load("../../../../examples/vllm-multi-mock-config.json", nil)
	if err != nil {
		t.Fatal(err)
	}
	old, err := read.Load("testdata/python-mock.json", nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(planOf(ours), planOf(old)); diff != "" {
		t.Errorf("the two forms make different plans:\n%s", diff)
	}
}
