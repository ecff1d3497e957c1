package read_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest"
	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest/read"
)

// onGPUs parses models where FluidMCP itself sees some GPUs, "" for all that there are.
func onGPUs(models, visible string) (*manifest.File, error) {
	return read.Parse("models.json", []byte(`{"llmModels": {`+models+`}}`), func(name string) (string, bool) {
		return visible, name == "CUDA_VISIBLE_DEVICES" && visible != ""
	})
}

func TestGPUs(t *testing.T) {
	f := func(fields, visible, want string) {
		t.Helper()
		file, err := onGPUs(`"m": {`+fields+`}`, visible)
		if err != nil {
			t.Errorf("%s: %v", fields, err)
			return
		}
		var got []string
		for _, i := range file.Models[0].Instances {
			one := "none"
			if i.GPU != nil {
				one = fmt.Sprintf("%g of %s", i.GPU.Share, strings.Join(i.GPU.Taken(), "+"))
			}
			if env := i.Env["CUDA_VISIBLE_DEVICES"]; env != "" {
				one += " sees " + env.Reveal()
			}
			got = append(got, one)
		}
		if got := strings.Join(got, "; "); got != want {
			t.Errorf("%s: %s, want %s", fields, got, want)
		}
	}
	const model = `"model": "x", "port": 1`
	f(model, "", "0.92 of 0")
	f(model, "3,4", "0.92 of 3 sees 3,4")
	f(model+`, "env": {"CUDA_VISIBLE_DEVICES": "1,2"}`, "3", "0.92 of 1 sees 1,2")
	f(model+`, "devices": ["GPU-8f3a,1"], "config": {"tensor-parallel-size": 2, "gpu-memory-utilization": 0.5}`, "", "0.5 of GPU-8f3a+1 sees GPU-8f3a,1")
	f(model+`, "devices": [0, 1], "replicas": 2`, "", "0.92 of 0 sees 0; 0.92 of 1 sees 1")
	f(model+`, "devices": [0], "replicas": 2, "config": {"gpu_memory_utilization": "0.4"}`, "", "0.4 of 0 sees 0; 0.4 of 0 sees 0")
	f(model+`, "config": {"tensor-parallel-size": 2, "pipeline-parallel-size": 2}`, "", "0.92 of 0+1+2+3")
	f(model+`, "config": {"kv-cache-memory-bytes": "1G"}`, "", "none")
	f(`"command": "vllm", "args": ["serve", "x", "-tp", 2, "--device-memory-utilization=0.3"]`, "", "0.3 of 0+1")
	f(`"command": "python3", "args": ["-m", "vllm.entrypoints.openai.api_server", "--model", "x"]`, "", "0.92 of 0")
	f(`"command": "mockvllm", "args": ["serve", "x", "--gpu-memory-utilization", 0.5]`, "", "none")
	f(`"command": "./server", "args": ["--port", 1], "devices": [1]`, "", "none sees 1")
}

func TestSharesOfAGPU(t *testing.T) {
	const two = `"a": {"model": "x", "port": 1%s}, "b": {"model": "y", "port": 2%s}`
	f := func(a, b, visible, fault, warning string) {
		t.Helper()
		file, err := onGPUs(fmt.Sprintf(two, a, b), visible)
		if fault != "" && (err == nil || !strings.Contains(err.Error(), fault)) || fault == "" && err != nil {
			t.Errorf("%s and %s: %v, want %s", a, b, err, fault)
		}
		if err != nil {
			return
		}
		if got := strings.Join(file.Warnings, "\n"); warning == "" && got != "" || !strings.Contains(got, warning) {
			t.Errorf("%s and %s: warns %q, want %q", a, b, got, warning)
		}
	}
	f(`, "devices": [0]`, `, "devices": [1]`, "", "", "")
	f(`, "devices": [0]`, `, "devices": [0]`, "", "llmModels: GPU 0 is to give 1.84 of its memory, 0.92 to a-0, 0.92 to b-0; lower their gpu-memory-utilization to at most 1", "")
	f(`, "devices": [0], "config": {"gpu-memory-utilization": 0.6}`, `, "devices": ["1,0"], "config": {"gpu-memory-utilization": 0.4, "tensor-parallel-size": 2}`, "", "", "")
	f(`, "devices": [0], "config": {"gpu-memory-utilization": 0.6}`, `, "devices": ["1,0"], "config": {"gpu-memory-utilization": 0.41, "tensor-parallel-size": 2}`, "", "GPU 0 is to give 1.01", "")
	f(`, "devices": [0]`, `, "devices": ["1,0"]`, "", "", "")            // b takes the first that it sees
	swaps := `, "devices": [0], "start": "on_demand", "swap_group": "g"` // one of them is loaded at a time
	f(swaps, swaps, "", "", "")
	f(swaps, strings.Replace(swaps, `"g"`, `"other"`, 1), "", "GPU 0 is to give 1.84", "")
	f(swaps+`, "config": {"gpu-memory-utilization": 0.6}, "replicas": 2`, swaps, "", "GPU 0 is to give 1.2 of its memory, 0.6 to a-0, 0.6 to a-1;", "")
	f("", "", "0", "GPU 0 is to give 1.84", "")
	f("", "", "", "", "Nothing says which GPUs all of these take, and vLLM begins with the first: GPU 0 would give 1.84 of its memory, 0.92 to a-0, 0.92 to b-0.")
	f(`, "config": {"gpu-memory-utilization": 0.5}`, `, "config": {"gpu-memory-utilization": 0.5}`, "", "", "")
	f(`, "devices": [0]`, ``, "", "", "GPU 0 would give 1.84")
	f(`, "devices": [0], "replicas": 1`, `, "devices": [1, 2]`, "", "llmModels.b.devices: has 2 items, replicas is 1", "")
	f(`, "devices": ["0;1"]`, "", "", `llmModels.a.devices[0]: not a list of GPUs; use the form "0" or "0,1"`, "")
	f(`, "devices": [0], "env": {"CUDA_VISIBLE_DEVICES": "1"}`, "", "", "has the place of CUDA_VISIBLE_DEVICES in env; keep one", "")
	for _, share := range []string{"0", "1.1", "-1", "x", "NaN"} {
		f(`, "config": {"gpu-memory-utilization": "`+share+`"}`, "", "", "llmModels.a: --gpu-memory-utilization needs a number over 0 and at most 1", "")
	}
}

// What vLLM had once is told of, and no fault: an older one may run here.
func TestRemovedFlags(t *testing.T) {
	file, err := onGPUs(`"m": {"model": "x", "port": 1, "config": {"swap_space": 4, "task": "embed", "seed": 1}}`, "")
	if err != nil {
		t.Fatal(err)
	}
	got := strings.Join(file.Warnings, "\n")
	for _, want := range []string{"llmModels.m.config.swap_space: vLLM 0.32 has no --swap-space any more", "no --task any more and does not start with it; use runner and convert."} {
		if !strings.Contains(got, want) || len(file.Warnings) != 2 {
			t.Errorf("no %q in %d warnings: %s", want, len(file.Warnings), got)
		}
	}
}
