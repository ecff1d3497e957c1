package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// parse shows a command line as "model --option=value,value".
func parse(args ...string) (string, error) {
	line, err := ServeTable("--mock-itl str\n").Parse(args)
	shown := []string{line.Model}
	for _, g := range line.Given {
		shown = append(shown, g.Option.Name()+"="+strings.Join(g.Values, ","))
	}
	return strings.Join(shown, " "), err
}

func TestParse(t *testing.T) {
	f := func(line, want string) {
		t.Helper()
		if got, err := parse(strings.Fields(line)...); got != want || err != nil {
			t.Errorf("%q: %q, %v, want %q", line, got, err, want)
		}
	}
	f("", "")
	f("m --port 8000", "m --port=8000")
	f("--port 8000 m", "m --port=8000")
	f("-- m", "m")
	f("--model m --port 5", "m --port=5")
	f("--port 5 --model=m --served_model_name a b", "m --port=5 --served-model-name=a,b")
	f("m --max-model 5", "m --max-model-len=5")
	f("m --serv a", "m --served-model-name=a")
	f("m -tp 3 -dp=2 -as 4 -n2", "m --tensor-parallel-size=3 --data-parallel-size=2 --api-server-count=4 --nnodes=2")
	f("m -O3", "m --optimization-level=3")
	f("m -O 3", "m --optimization-level=3")
	f("m --compilation-config.mode 3 -cc.pass_config.fuse true --port 1",
		`m --port=1 --compilation-config={"mode": 3} --compilation-config={"pass_config": {"fuse": true}}`)
	f("m --kv-events-config.x=8k --kv-events-config.l+ a,b", `m --kv-events-config={"x": 8000, "l": ["a", "b"]}`)
	f(`m --kv-events-config.a {"b":1} --kv-events-config.a.c 2 --kv-events-config.a {"d":3}`, `m --kv-events-config={"a": {"b": 1, "c": 2, "d": 3}}`)
	f("m --seed -5 --port=-5", "m --seed=-5 --port=-5")
	f("m --seed 1_000", "m --seed=1_000")
	f("m --no_enable_lora --enable_sleep", "m --enable-lora=false --enable-sleep-mode=true")
	f("m --no-data-parallel-hybrid-lb -ep", "m --data-parallel-hybrid-lb=false --enable-expert-parallel=true")
	f("m --middleware a --middleware b", "m --middleware=a --middleware=b")
	f("m --hf-token --port 1", "m --hf-token= --port=1")
	f("m --moe-backend FlashInfer-TRTLLM", "m --moe-backend=FlashInfer-TRTLLM")
	f("m --max-num-queued-reqs None", "m --max-num-queued-reqs=None")
	f("m --kv-cache-memory-bytes 1G --max-model-len AUTO", "m --kv-cache-memory-bytes=1G --max-model-len=AUTO")
	f("m --safetensors-load-strategy None", "m --safetensors-load-strategy=None")
	f("m --hf-overrides {x --mock-itl 5ms", "m --hf-overrides={x --mock-itl=5ms")
}

// The messages are those of vLLM 0.32 on Python 3.11.
func TestRefuse(t *testing.T) {
	f := func(line, want string) {
		t.Helper()
		if _, err := parse(strings.Fields(line)...); err == nil || err.Error() != want {
			t.Errorf("%q: %v, want %s", line, err, want)
		}
	}
	f("m --x", "vllm: error: unrecognized arguments: --x")
	f("m --x=1 y --port 1 z", "vllm: error: unrecognized arguments: --x=1 y z")
	f("m --no-port", "vllm: error: unrecognized arguments: --no-port")
	f("m --no-disable-log-stats", "vllm: error: unrecognized arguments: --no-disable-log-stats")
	f("m --swap-space 4", "vllm: error: unrecognized arguments: --swap-space 4")
	f("m --disable-log-requests", "vllm: error: unrecognized arguments: --disable-log-requests")
	f("m -zz -tp3 -O", "vllm: error: unrecognized arguments: -zz -tp3 -O")
	f("m --foo.bar 3", `vllm: error: unrecognized arguments: --foo {"bar": 3}`)
	f("m --api-key a b --port 3 c", "vllm: error: unrecognized arguments: c")
	f("m -- n", "vllm: error: unrecognized arguments: n")
	f("n --model m", "vllm: error: unrecognized arguments: n")
	f("m --task embed", "vllm: error: unrecognized arguments: --task embed"+taskHint([]string{"--task"}))
	f("--served-model-name a", errNoModel.Error())
	f("m --model", errCut.Error())
	f("m --foo.bar", errCut.Error())

	serve := func(line, want string) { t.Helper(); f(line, "vllm serve: error: "+want) }
	serve("m --enforce-eager=1", "argument --enforce-eager/--no-enforce-eager: ignored explicit argument '1'")
	serve("m --headless=1", "argument --headless: ignored explicit argument '1'")
	serve("m --port x", "argument --port: invalid int value: 'x'")
	serve("m --port=", "argument --port: invalid int value: ''")
	serve("m --seed ' 5", `argument --seed: invalid int value: "'"`)
	serve("m --max-num-seqs", "argument --max-num-seqs: expected one argument")
	serve("m --served-model-name", "argument --served-model-name: expected at least one argument")
	serve("m -q", "argument --quantization/-q: expected one argument")
	serve("m -asc=x", "argument --api-server-count/-asc: invalid int value: 'x'")
	serve("m --max-model-len 1.5", "argument --max-model-len: invalid human_readable_int_or_auto value: '1.5'")
	serve("m --max-model-len 1.5K", "argument --max-model-len: Decimals are not allowed with binary suffixes like K. Did you mean to use 1.5k instead?")
	serve("m --max-num-batched-tokens x", "argument --max-num-batched-tokens: invalid human_readable_int value: 'x'")
	serve("m --max-num-queued-reqs x", "argument --max-num-queued-reqs: Value x cannot be converted to <class 'int'>.")
	serve("m --video-pruning-rate x", "argument --video-pruning-rate: Value x cannot be converted to <class 'float'>.")
	serve("m --gpu-memory-utilization x", "argument --gpu-memory-utilization/--device-memory-utilization: invalid float value: 'x'")
	serve("m --dtype foo", "argument --dtype: invalid choice: 'foo' (choose from 'auto', 'bfloat16', 'float', 'float16', 'float32', 'half')")
	serve("m --convert reward", "argument --convert: invalid choice: 'reward' (choose from 'auto', 'classify', 'embed', 'none')")
	serve("m --max-lora-rank 7", "argument --max-lora-rank: invalid choice: 7 (choose from 1, 8, 16, 32, 64, 128, 256, 320, 512)")
	serve("m --collect-detailed-traces foo", "argument --collect-detailed-traces: invalid choice: 'foo' (choose from 'all', 'model', 'worker', None)")
	serve("m --linear-backend FOO-bar", "argument --linear-backend: invalid choice: 'foo_bar' (choose from 'aiter', 'auto', 'b12x', 'conch', 'cutlass', "+
		"'deep_gemm', 'emulation', 'exllama', 'fbgemm', 'flashinfer_b12x', 'flashinfer_cudnn', 'flashinfer_cutedsl', 'flashinfer_cutlass', "+
		"'flashinfer_trtllm', 'humming', 'machete', 'marlin', 'torch', 'triton', 'xpu', 'xpu_woq')")
	serve("m --allowed-origins *", "argument --allowed-origins: invalid loads value: '*'")
	serve("m --override-generation-config x", "argument --override-generation-config: Value x cannot be converted to <function loads>.")
	serve("m -cc x", "argument --compilation-config/-cc: 1 validation error for CompilationConfig\n  Invalid JSON: expected value at line 1 "+
		"column 1 [type=json_invalid, input_value='x', input_type=str]\n    For further information visit https://errors.pydantic.dev/2.14/v/json_invalid")
	serve("m --max-num 5", "ambiguous option: --max-num could match --max-num-batched-tokens, --max-num-scheduled-tokens, --max-num-seqs, "+
		"--max-num-active-seqs, --max-num-queued-reqs, --max-num-queued-tokens")
	serve("m -p 5", "ambiguous option: -p could match -pp, -pcp")
}

func TestShownAsPythonWritesIt(t *testing.T) {
	f := func(line, want string) {
		t.Helper()
		got, err := ServeTable("--mine duration\n").Parse(strings.Fields(line))
		if diff := cmp.Diff(want, strings.Join(got.Shown(), ", ")); err != nil || diff != "" {
			t.Errorf("%s: %v %s", line, err, diff)
		}
	}
	f("./tiny --port 8001 --dtype float32 --max-model-len 2k --enforce-eager --served-model-name a b --enable-scale-out",
		"'model_tag': './tiny', 'enable_scale_out': True, 'port': 8001, 'model': './tiny', 'dtype': 'float32', 'max_model_len': 2000, "+
			"'enforce_eager': True, 'served_model_name': ['a', 'b']")
	f(`--model m --port 1 --port 2 --no-enable-lora --allowed-origins ["*"] --override-generation-config {"temperature":0.5,"k":null}`,
		"'model_tag': 'm', 'port': 2, 'allowed_origins': ['*'], 'model': 'm', 'override_generation_config': {'temperature': 0.5, 'k': None}, 'enable_lora': False")
	f("m --max-model-len auto --gpu-memory-utilization 1 --quantization None --hf-token s --mine 5s",
		"'model_tag': 'm', 'model': 'm', 'max_model_len': -1, 'quantization': None, 'hf_token': '***', 'gpu_memory_utilization': 1.0, 'mine': '5s'")
}

func TestFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "serve.yaml")
	f := func(text, line, want string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := parse(strings.Fields(strings.ReplaceAll(line, "FILE", "--config "+file))...)
		if err != nil {
			got, _, _ = strings.Cut(strings.ReplaceAll(err.Error(), file, "FILE"), "\n")
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s %q: %s", text, line, diff)
		}
	}
	f("port: 12323\ntensor-parallel-size: 4", "m FILE --port 1", "m --port=12323 --tensor-parallel-size=4 --port=1")
	f("model: org/m\nenable-lora: yes\nenforce-eager: false\nheadless: off", "FILE", " --model=org/m --enable-lora=true --enforce-eager=false")
	f("served_model_name: [a, b]\napi-key: []", "m FILE", "m --served-model-name=a,b")
	f("compilation-config:\n  mode: 3\n  pass_config: {x: [1, true, null]}", "m FILE",
		`m --compilation-config={"mode": 3, "pass_config": {"x": [1, true, null]}}`)
	f("seed: '5'\ngpu-memory-utilization: 0.90\nquantization: null", "m FILE", "m --seed=5 --gpu-memory-utilization=0.9 --quantization=None")
	f("port: 1", "FILE", "No model specified! Please specify model either as a positional argument or in a config file.")
	f("- port", "m FILE", "read --config FILE: the file is no mapping of options")
	f("a: [", "m FILE", "read --config FILE: yaml: line 1: did not find expected node content")
	f("", "m --config", "No config file specified! Please check your command-line arguments.")
	f("", "m --config x.txt", "read --config x.txt: Config file must be of a yaml/yml type. txt supplied")
}

func FuzzParse(f *testing.F) {
	for _, line := range []string{"m --port 1", "--a.b.c+ 1,2 -O", "-tp=3 -- x", "--max-num --no-enable-lora", "-a.b=1 -a.b.c 2 -1.5 -.5"} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		if strings.Contains(line, "--config") { // it would read files
			t.Skip()
		}
		_, _ = parse(strings.Split(line, " ")...)
	})
}
