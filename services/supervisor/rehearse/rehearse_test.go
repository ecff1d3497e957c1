package rehearse_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest"
	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest/read"
	"github.com/fluidmcp/fluidmcp/services/supervisor/rehearse"
)

// parse makes a plan of entries such as `"id": {fields}`, where FluidMCP itself sees all GPUs.
func parse(models string) (*manifest.File, error) {
	return read.Parse("models.json", []byte(`{"llmModels": {`+models+`}}`), nil)
}

// written is a plan in words.
func written(file *manifest.File) (lines []string) {
	for _, m := range file.Models {
		lines = append(lines, fmt.Sprintf("%s %s %s", m.ID, m.Driver, m.ServedName))
		for _, i := range m.Instances {
			lines = append(lines, i.String()+" > "+i.Dial)
		}
	}
	return lines
}

func TestRehearsal(t *testing.T) {
	next := 9000
	r := rehearse.Rehearsal{FreePort: func() (int, error) { next++; return next, nil }}
	f := func(models string, want ...string) {
		t.Helper()
		file, err := parse(models)
		if err != nil {
			t.Fatal(err)
		}
		before := written(file)
		mocks, err := r.Of(file)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, m := range mocks.Models {
			for _, i := range m.Instances {
				got = append(got, string(m.Driver)+" "+i.String())
			}
		}
		if diff := cmp.Diff(want, append(got, mocks.Warnings...)); diff != "" {
			t.Errorf("%s: -want +got\n%s", models, diff)
		}
		if diff := cmp.Diff(before, written(file)); diff != "" {
			t.Errorf("the plan itself changed: %s", diff)
		}
	}
	f(`"m": {"model": "x", "port": 1, "replicas": 2, "profile": "development", "cwd": "/nowhere", "api_key": "k"}`,
		"process m-0 at http://127.0.0.1:1: mockvllm serve x --port 1 --host 127.0.0.1 --enforce-eager --gpu-memory-utilization 0.5 --max-model-len 4096 --max-num-seqs 16",
		"process m-1 at http://127.0.0.1:2: mockvllm serve x --port 2 --host 127.0.0.1 --enforce-eager --gpu-memory-utilization 0.5 --max-model-len 4096 --max-num-seqs 16")
	f(`"m": {"command": "/opt/vllm/bin/vllm", "args": ["serve", "x", "--port", "1", "--api-key", "k"]}`,
		"process m-0 at http://127.0.0.1:1: mockvllm serve x --port 1 --api-key ***")
	f(`"m": {"command": "python3", "args": ["-m", "vllm.entrypoints.openai.api_server", "--model", "x", "--port", "1"]}`,
		"process m-0 at http://127.0.0.1:1: mockvllm serve --model x --port 1")
	f(`"m": {"command": "mockvllm", "args": ["serve", "x", "--port", "1"]}`, "process m-0 at http://127.0.0.1:1: mockvllm serve x --port 1")
	f(`"m": {"command": "./server", "args": ["--port", "1"]}`, "process m-0 at http://127.0.0.1:1: ./server --port 1", "m: server is not vLLM and runs as it is.")
	const elsewhere = `"c": {"container": {"name": "c"}, "endpoints": {"base_url": "http://gpu:8000/v1"}, "served_name": "s", "api_key": "k"},
		"p": {"endpoints": {"base_url": "https://partner/sub/v1"}}`
	for range 2 { // the ports stay
		f(elsewhere,
			"process c-0 at http://127.0.0.1:9001: mockvllm serve s --host 127.0.0.1 --port 9001",
			"process p-0 at http://127.0.0.1:9002: mockvllm serve p --host 127.0.0.1 --port 9002",
			"c: its container is a mock on this machine while it is rehearsed.", "p: its server elsewhere is a mock on this machine while it is rehearsed.")
	}
	f(`"m": {"model": "x", "port": 8001}, "n": {"endpoints": {"base_url": "http://localhost:8001"}}`,
		"process m-0 at http://127.0.0.1:8001: mockvllm serve x --port 8001 --host 127.0.0.1", "external n-0 at http://localhost:8001: ")

	r.Load = rehearse.LoadTime
	f(`"m": {"model": "org/x-8B", "port": 1, "served_name": "s", "config": {"seed": 1}}`,
		"process m-0 at http://127.0.0.1:1: mockvllm serve org/x-8B --port 1 --host 127.0.0.1 --seed 1 --served-model-name s --mock-load-time 46s")

	file, err := parse(`"q": {"endpoints": {"base_url": "http://h"}}`)
	if err != nil {
		t.Fatal(err)
	}
	r.FreePort = func() (int, error) { return 0, errors.New("none left") }
	if _, err := r.Of(file); err == nil || !strings.Contains(err.Error(), "q-0: none left") {
		t.Errorf("without a port: %v", err)
	}
}

// A rehearsal that took turns in another way than the file says would be none.
func TestRehearsalKeepsTheRestOfTheFile(t *testing.T) {
	text := `{"llmModels": {
		"a": {"model": "x", "port": 1, "start": "on_demand", "swap_group": "g"},
		"b": {"model": "y", "port": 2, "start": "on_demand", "swap_group": "g"},
		"c": {"model": "z", "port": 3}},
		"swapGroups": {"g": {"loaded": 2, "residency": "2s"}}}`
	file, err := read.Parse("models.json", []byte(text), func(string) (string, bool) { return "", false })
	if err != nil {
		t.Fatal(err)
	}
	if len(file.Warnings) == 0 {
		t.Fatal("three models on the same GPU are no warning")
	}
	mocks, err := new(rehearse.Rehearsal).Of(file)
	if err != nil {
		t.Fatal(err)
	}
	mocks.Models, file.Models = nil, nil
	if diff := cmp.Diff(file, mocks, cmpopts.IgnoreFields(manifest.File{}, "Source")); diff != "" || mocks.Source != file.Source {
		t.Errorf("-file +rehearsal\n%s", diff)
	}
}

// A secret of the environment is needed by who is really asked for it, and by nobody else.
func TestSecretsNeedNotBeSet(t *testing.T) {
	t.Setenv("THEIR_TOKEN", "set")
	f := func(models, want, fault string, warnings ...string) {
		t.Helper()
		file, err := read.Parse("models.json", []byte(`{"llmModels": {`+models+`}}`), rehearse.Env)
		if err != nil {
			t.Fatal(err)
		}
		r := rehearse.Rehearsal{FreePort: func() (int, error) { return 9001, nil }}
		mocks, err := r.Of(file)
		if err != nil || fault != "" {
			if fmt.Sprint(err) != fault {
				t.Errorf("%s: %v, want %s", models, err, fault)
			}
			return
		}
		if diff := cmp.Diff(warnings, mocks.Warnings); diff != "" {
			t.Errorf("%s: -want +got\n%s", models, diff)
		}
		if m := mocks.Models[0]; m.APIKey.Reveal() != want || m.Instances[0].Env["VLLM_API_KEY"].Reveal() != want {
			t.Errorf("%s: gateway and mock have the keys %q and %q, want %q", models, m.APIKey.Reveal(), m.Instances[0].Env["VLLM_API_KEY"].Reveal(), want)
		}
	}
	const unset = "MY_KEY is not set: a made-up value has its place while the file is rehearsed."
	f(`"p": {"endpoints": {"base_url": "https://h"}, "api_key": "${THEIR_TOKEN}"}`, "set", "",
		"p: its server elsewhere is a mock on this machine while it is rehearsed.")
	f(`"p": {"endpoints": {"base_url": "https://h"}, "api_key": "${MY_KEY}"}`, "stand-in-for-MY_KEY-of-the-environment", "",
		unset, "p: its server elsewhere is a mock on this machine while it is rehearsed.")
	f(`"m": {"model": "x", "port": 1, "api_key": "${MY_KEY}"}`, "stand-in-for-MY_KEY-of-the-environment", "", unset)
	const asItIs = "models file models.json: llmModels.s: ${MY_KEY} is not set in the environment; server is not vLLM, so it runs as it is and needs it"
	f(`"s": {"command": "./server", "args": ["--port", "1"], "env": {"A": "x${MY_KEY}"}}`, "", asItIs)
	f(`"s": {"command": "./server", "args": ["--port", "1", "-k=${MY_KEY}"]}`, "", asItIs)
	f(`"s": {"command": "./server", "args": ["--port", "1"], "api_key": "${MY_KEY}"}`, "", asItIs)
	if _, err := read.Parse("models.json", []byte(`{"llmModels": {"m": {"model": "${MODEL_NAME}", "port": 1}}}`), rehearse.Env); err == nil {
		t.Error("a variable that is no secret need not be set")
	}
}

func TestLoadTime(t *testing.T) {
	for model, want := range map[string]time.Duration{
		"meta-llama/Llama-3.1-8B-Instruct": 46 * time.Second, "Qwen/Qwen3-0.6B": 31200 * time.Millisecond, "mistralai/Mixtral-8x7B-v0.1": 142 * time.Second,
		"gpt2": 30 * time.Second, "8bit": 30 * time.Second, "x-99999999b": 20030 * time.Second, "": 30 * time.Second,
	} {
		if got := rehearse.LoadTime(model); got != want {
			t.Errorf("%s: %s, want %s", model, got, want)
		}
	}
}
