package config

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/latency"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/lora"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func env(pairs ...string) func(string) string {
	return func(name string) string {
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == name {
				return pairs[i+1]
			}
		}
		return ""
	}
}

func TestConfigure(t *testing.T) {
	f := func(line string, getenv func(string) string, change func(*Config)) {
		t.Helper()
		got, _, err := Read(strings.Fields(line), getenv)
		want := Default()
		change(&want)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%q: %v\n%s", line, err, diff)
		}
	}
	named := func(c *Config, names ...string) { c.Model, c.ServedNames = names[0], names }
	f("", env(), func(*Config) {})
	f("m", env(), func(c *Config) { named(c, "m") })
	f("--model m", env(), func(c *Config) { named(c, "m") })
	f("org/m --served-model-name a b --port 1", env(), func(c *Config) { c.Model, c.ServedNames, c.Port = "org/m", []string{"a", "b"}, 1 })
	f("m --served_model_name=a", env("MODEL_NAME", "e"), func(c *Config) { c.Model, c.ServedNames = "m", []string{"a"} })
	f("m", env("MODEL_NAME", "e"), func(c *Config) { c.Model, c.ServedNames = "m", []string{"e"} })
	f("", env("MODEL_NAME", "e"), func(c *Config) { named(c, "e") })
	f("--max-model-len 8k --max_num_seqs=3", env(), func(c *Config) { c.MaxModelLen, c.MaxNumSeqs = 8000, 3 })
	f("--max-model-len 8K", env(), func(c *Config) { c.MaxModelLen = 8192 })
	f("--max-model-len 25.6k", env(), func(c *Config) { c.MaxModelLen = 25600 })
	f("--max-model-len -1", env(), func(*Config) {})
	f("--max-model-len auto", env(), func(*Config) {})
	f("--api-key a b", env("VLLM_API_KEY", "c"), func(c *Config) { c.APIKeys = []string{"a", "b"} })
	f("", env("VLLM_API_KEY", "c"), func(c *Config) { c.APIKeys = []string{"c"} })
	f("--shutdown-timeout 30", env(), func(c *Config) { c.ShutdownTimeout = 30 * time.Second })
	f(`m --root-path /llm/ --allowed-origins ["*"] --allowed-methods ["GET"] --allow-credentials --enable-request-id-headers`, env(), func(c *Config) {
		named(c, "m")
		c.HTTP.RootPath, c.HTTP.Origins, c.HTTP.Methods, c.HTTP.Credentials, c.HTTP.RequestIDs = "/llm", []string{"*"}, []string{"GET"}, true, true
	})
	f(`m --lora-modules ada=./l {"name":"b","path":"p","base_model_name":"x"} --enable-lora --runner pooling --convert classify`,
		env("VLLM_ALLOW_RUNTIME_LORA_UPDATING", "True", "HF_HUB_OFFLINE", "yes"), func(c *Config) {
			named(c, "m")
			c.LoRA = LoRAConfig{Enabled: true, Runtime: true, Offline: true, Max: 1, Modules: []lora.Adapter{{Name: "ada", Path: "./l"}, {Name: "b", Path: "p", Base: "x"}}}
			c.Pooling = PoolingConfig{Runner: "pooling", Convert: "classify"}
		})
	f("m --max-num-queued-reqs 0 --max-num-queued-tokens None --override-generation-config.temperature 0 --profiler-config.profiler torch",
		env("VLLM_SERVER_DEV_MODE", "1"), func(c *Config) {
			named(c, "m")
			c.Scheduler.MaxQueuedRequests = new(0)
			c.Generation.Defaults = `{"temperature": 0}`
			c.Routes.Profiler, c.Routes.Dev = true, true
		})
	f("--disable-uvicorn-access-log", env(), func(c *Config) { c.AccessLog = false })
	f("--no-disable-uvicorn-access-log", env(), func(*Config) {})
	f("--mock-ttft 20ms --mock-itl=5ms --mock-load-time 3s", env(), func(c *Config) {
		c.Mock.TTFT, c.Mock.ITL, c.Mock.LoadTime = latency.Constant(20*time.Millisecond), latency.Constant(5*time.Millisecond), 3*time.Second
	})
	f("--mock-ttft normal:20ms,2ms --mock-time-scale 0.5 --mock-clock virtual", env(), func(c *Config) {
		c.Mock.TTFT, _ = latency.Parse("normal:20ms,2ms")
		c.Mock.TimeScale, c.Mock.Clock = 0.5, "virtual"
	})
	f("--mock-profile p.json", env(), func(c *Config) { c.Mock.Profile = "p.json" })
	f("--max-num-batched-tokens 8k --block-size 16 --num-gpu-blocks-override 99", env(), func(c *Config) {
		c.Scheduler.MaxBatchedTokens, c.Scheduler.BlockSize, c.Scheduler.Blocks = new(8000), new(16), new(99)
	})
	f("--max-num-batched-tokens 9", env(), func(c *Config) { c.Scheduler.MaxBatchedTokens, c.MaxNumSeqs = new(9), 9 })
	f("--max-num-batched-tokens 9 --max-num-seqs 256", env(), func(c *Config) { c.Scheduler.MaxBatchedTokens = new(9) })
	f("--scheduling-policy priority --no-enable-chunked-prefill", env(), func(c *Config) { c.Scheduler.Priority, c.Scheduler.ChunkedPrefill = true, false })
}

func TestEnvironment(t *testing.T) {
	t.Setenv("MOCKVLLM_TTFT", "20ms")
	t.Setenv("MOCKVLLM_ERROR_RATE", "0.2")
	t.Setenv("MOCKVLLM_RATE_LIMIT", "10/60s")
	cfg, _, err := Read([]string{"--mock-ttft", "1s"}, env())
	if err != nil || cfg.Mock.TTFT != latency.Constant(time.Second) || cfg.Mock.ErrorRate != 0.2 || cfg.Mock.RateLimit.Requests != 10 {
		t.Errorf("%+v, %v", cfg.Mock, err)
	}
	if _, _, err := Read(nil, env("VLLM_SERVER_DEV_MODE", "yes")); err == nil || !strings.Contains(err.Error(), "VLLM_SERVER_DEV_MODE") {
		t.Errorf("error %v, want one that names the variable", err)
	}
	t.Setenv("MOCKVLLM_ERROR_RATE", "2")
	t.Setenv("MOCKVLLM_CLOCK", "") // as a compose file passes on what is not set
	cfg, _, err = Read(nil, env())
	if err == nil {
		err = cfg.Validate()
	}
	if want := "--mock-error-rate (MOCKVLLM_ERROR_RATE): 2 is not within 0 and 1"; err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
	t.Setenv("MOCKVLLM_TYPO", "1")
	if _, _, err := Read(nil, env()); err == nil || !strings.Contains(err.Error(), "MOCKVLLM_TYPO") {
		t.Errorf("error %v, want one that names the variable", err)
	}
}

func TestAcceptedWithoutEffect(t *testing.T) {
	f := func(line string, want ...string) {
		t.Helper()
		_, cl, err := Read(strings.Fields(line), env())
		if diff := cmp.Diff(want, cl.Idle); diff != "" || err != nil {
			t.Errorf("%q: %v\n%s", line, err, diff)
		}
	}
	f("m --dtype auto --enforce-eager --gpu_memory_utilization=0.9", "--dtype", "--enforce-eager")
	f("m --no-async-scheduling -dcp 2", "--async-scheduling", "--decode-context-parallel-size")
	f("m --compilation-config.mode 3 -cc.level 2", "--compilation-config")
	f("m --port 1")
}

func TestWrongCommandLines(t *testing.T) {
	f := func(line, want string) {
		t.Helper()
		if _, _, err := Read(strings.Fields(line), env()); err == nil || err.Error() != want {
			t.Errorf("%q: %v, want %s", line, err, want)
		}
	}
	f("m --x", "vllm: error: unrecognized arguments: --x")
	f("m --x=1 y --port 1 z", "vllm: error: unrecognized arguments: --x=1 y z")
	f("m --no-port", "vllm: error: unrecognized arguments: --no-port")
	f("m --enforce-eager=1", "vllm serve: error: argument --enforce-eager/--no-enforce-eager: ignored explicit argument '1'")
	f("m --port x", "vllm serve: error: argument --port: invalid int value: 'x'")
	f("m --mock-itl 5", `vllm serve: error: argument --mock-itl: "5" is not a time such as 200ms or 1.5s`)
	f("m --mock-delay 5", "vllm serve: error: argument --mock-delay: invalid duration value: '5'")
	f("m --scheduling-policy x", "vllm serve: error: argument --scheduling-policy: invalid choice: 'x' (choose from 'fcfs', 'priority')")
	f("m --max-num-batched-tokens auto", "vllm serve: error: argument --max-num-batched-tokens: invalid human_readable_int value: 'auto'")
	f("m --mock-error-rate lots", "vllm serve: error: argument --mock-error-rate: invalid float value: 'lots'")
	f("m --mock-rate-limit 10", `vllm serve: error: argument --mock-rate-limit: rate limit "10": write requests/window, such as 10/60s`)
	f("m --mock-seed x", "vllm serve: error: argument --mock-seed: invalid int value: 'x'")
	f("m --lora-modules x", "vllm serve: error: Invalid JSON format for --lora-modules: x")
	f(`m --lora-modules {"name":"a"}`, `vllm serve: error: Invalid fields for --lora-modules: {"name":"a"} - LoRAModulePath.__init__() `+
		"missing 1 required positional argument: 'path'")
	f(`m --lora-modules {"name":"c","path":"d","zz":1}`, `vllm serve: error: Invalid fields for --lora-modules: `+
		`{"name":"c","path":"d","zz":1} - LoRAModulePath.__init__() got an unexpected keyword argument 'zz'`)
	f("m --max-model-len 1.5", "vllm serve: error: argument --max-model-len: invalid human_readable_int_or_auto value: '1.5'")
}

func TestKeysStayOutOfTheLog(t *testing.T) {
	_, cl, err := Read([]string{"m", "--api-key", "secret", "--port", "1"}, env())
	if got := strings.Join(cl.Given, ", "); err != nil || got != "'model_tag': 'm', 'port': 1, 'api_key': '***', 'model': 'm'" {
		t.Errorf("%s, %v", got, err)
	}
}

func TestValidateReportsAllFaults(t *testing.T) {
	err := Config{Port: -1, Scheduler: SchedulerConfig{BlockSize: new(-1)}, MaxModelLen: 0, ShutdownTimeout: -1, Mock: MockConfig{Answer: "x", ErrorRate: 2, Profile: "p", ITL: latency.Constant(1), Clock: "x"}}.Validate()
	for _, part := range []string{"--port", "--served-model-name", "max_model_len", "max_num_seqs", "--shutdown-timeout",
		"--mock-answer", "--mock-error-rate", "--mock-itl", "block_size", "--mock-profile", "--mock-time-scale", "--mock-clock"} {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%v does not name %s", err, part)
		}
	}
	if err := Default().Validate(); err != nil {
		t.Errorf("defaults: %v", err)
	}
}

// TestCountsAreChecked: a count below 1 is refused in the words of vLLM's configuration classes, and does not stand for a default.
func TestCountsAreChecked(t *testing.T) {
	f := func(line, want string) {
		t.Helper()
		cfg, _, err := Read(strings.Fields(line), env())
		if err != nil {
			t.Fatal(err)
		}
		if err := cfg.Validate(); err == nil || err.Error() != want {
			t.Errorf("%s: %v\nwant %s", line, err, want)
		}
	}
	field := func(name, kind, bound, is string) string {
		return "\n" + name + "\n  Input should be greater than " + bound + " [type=" + kind + ", input_value=" + is + ", input_type=int]\n" +
			"    For further information visit https://errors.pydantic.dev/2.14/v/" + kind
	}
	scheduler := func(name, is string) string { return field(name, "greater_than_equal", "or equal to 1", is) }
	f("--block-size 0", "1 validation error for CacheConfig"+field("block_size", "greater_than", "0", "0"))
	f("--max-num-seqs -1", "1 validation error for SchedulerConfig"+scheduler("max_num_seqs", "-1"))
	f("--max-num-batched-tokens 0 --max-num-seqs 1", "1 validation error for SchedulerConfig"+scheduler("max_num_batched_tokens", "0"))
	f("--max-model-len -2", "1 validation error for ModelConfig"+field("max_model_len", "greater_than_equal", "or equal to -1", "-2"))
	f("--max-model-len 0", "max_model_len must be a positive integer, got int: 0. Example: max_model_len=2048")
	f("--max-num-seqs 2049", "max_num_batched_tokens (2048) must be greater than or equal to max_num_seqs (2049).")
	f("--max-num-seqs 2049 --max-model-len 512 --no-enable-chunked-prefill",
		"max_num_batched_tokens (2048) must be greater than or equal to max_num_seqs (2049).")
	f("--max-num-batched-tokens 100 --max-num-seqs 1 --max-model-len 2048 --no-enable-chunked-prefill",
		"max_num_batched_tokens (100) is smaller than max_model_len (2048). This effectively limits the maximum sequence length to "+
			"max_num_batched_tokens and makes vLLM reject longer sequences. Please increase max_num_batched_tokens or decrease max_model_len.")
	f("--max-num-batched-tokens 0", "2 validation errors for SchedulerConfig"+scheduler("max_num_batched_tokens", "0")+scheduler("max_num_seqs", "0"))
}
