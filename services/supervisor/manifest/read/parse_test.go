package read_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest"
	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest/read"
)

func parseOne(t *testing.T, fields string) manifest.Model {
	t.Helper()
	file, err := read.Parse("models.json", []byte(`{"llmModels": {"m": {`+fields+`}}}`), environment)
	if err != nil {
		t.Fatal(err)
	}
	return file.Models[0]
}

func TestCommandsAreCompleted(t *testing.T) {
	f := func(fields, command, served string) {
		t.Helper()
		m := parseOne(t, fields)
		if got := m.Instances[0].CommandLine(); got != command {
			t.Errorf("%s\n got  %s\n want %s", fields, got, command)
		}
		if m.ServedName != served {
			t.Errorf("%s: served name %q, want %q", fields, m.ServedName, served)
		}
	}
	f(`"command": "mockvllm"`, "mockvllm serve mock-model --port 8000", "mock-model")
	f(`"command": "mockvllm", "args": ["--seed", 7]`, "mockvllm serve mock-model --seed 7 --port 8000", "mock-model")
	f(`"command": "mockvllm", "args": ["serve", "--port=8005"]`, "mockvllm serve mock-model --port=8005", "mock-model")
	f(`"command": "mockvllm", "args": ["serve", "--model", "x"]`, "mockvllm serve --model x --port 8000", "x")
	f(`"command": "mockvllm", "args": ["serve", "a"], "env": {"MODEL_NAME": "b"}`,
		"mockvllm serve a --served-model-name b --port 8000", "b")
	f(`"command": "/opt/py/python3.12", "args": ["/app/tests/mock_vllm_server.py"], "endpoints": {"base_url": "http://localhost:8001/v1"}`,
		"mockvllm serve mock-model --port 8001", "mock-model")
	f(`"command": "vllm", "args": ["serve", "org/m", "--served_model_name", "a", "b"]`,
		"vllm serve org/m --served_model_name a b --port 8000", "a")
	f(`"command": "vllm", "args": ["serve", "org/m"], "served_name": "nice"`,
		"vllm serve org/m --served-model-name nice --port 8000", "nice")
	f(`"command": "python3", "args": ["-m", "vllm.entrypoints.openai.api_server", "--model", "org/m"]`,
		"python3 -m vllm.entrypoints.openai.api_server --model org/m --port 8000", "org/m")
	f(`"command": "./run me", "args": ["-c", "echo $${HOME}", "${NAME}"], "endpoints": {"base_url": "http://h:1"}`,
		`"./run me" -c "echo $${HOME}" "${NAME}"`, "")
	f(`"model": "org/m", "port": 8001, "profile": "development", "config": {"max_model_len": 512, "enable-prefix-caching": false, "lora-modules": ["a=b", "c=d"], "enforce-eager": true}`,
		"vllm serve org/m --port 8001 --host 127.0.0.1 --no-enable-prefix-caching --enforce-eager --gpu-memory-utilization 0.5 "+
			"--lora-modules a=b c=d --max-model-len 512 --max-num-seqs 16", "org/m")
	f(`"model": "m", "endpoints": {"base_url": "http://localhost:9/v1"}, "served_name": "n", "config": {"host": "0.0.0.0"}`,
		"vllm serve m --port 9 --host 0.0.0.0 --served-model-name n", "n")
}

func TestExpansionReachesTheCommand(t *testing.T) {
	m := parseOne(t, `"command": "x", "args": ["$${HOME}", "${NAME}-1"], "cwd": "/tmp/${NAME}", "env": {"B": "${KEY}", "A": 1}, "endpoints": {"base_url": "http://h:1"}`)
	i := m.Instances[0]
	if diff := cmp.Diff([]string{"x", "${HOME}", "from-env-1"}, i.Argv); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"A=1", "B=sk-hidden"}, i.Env.List()); diff != "" {
		t.Error(diff)
	}
	if i.Dir != "/tmp/from-env" {
		t.Errorf("working directory %q", i.Dir)
	}
}

// TestKeyReachesServerAndGateway checks that both sides know one key, however the file gives it.
func TestKeyReachesServerAndGateway(t *testing.T) {
	for _, fields := range []string{
		`"api_key": "k"`,
		`"env": {"VLLM_API_KEY": "k"}`,
		`"args": ["--api-key", "k"]`,
	} {
		m := parseOne(t, `"command": "mockvllm", `+fields)
		if m.APIKey.Reveal() != "k" {
			t.Errorf("%s: the gateway would send %q", fields, m.APIKey.Reveal())
		}
		i := m.Instances[0]
		if i.Env["VLLM_API_KEY"] != "k" && !strings.Contains(strings.Join(i.Argv, " "), "--api-key k") {
			t.Errorf("%s: the server would ask for no key", fields)
		}
	}
}

func TestReplicasCountTheirPortsUp(t *testing.T) {
	file, err := read.Parse("models.json", []byte(`{"llmModels": {"m": {"command": "mockvllm", "args": ["serve", "x", "--port=8001"], "replicas": 2,
		"endpoints": {"base_url": "http://LOCALHOST:8001/v1/"}}}}`), environment)
	if err != nil {
		t.Fatal(err)
	}
	want := []manifest.Port{{Port: 8001, Model: "m", Instance: "m-0"}, {Port: 8002, Model: "m", Instance: "m-1"}}
	if diff := cmp.Diff(want, file.Ports()); diff != "" {
		t.Error(diff)
	}
	second := file.Models[0].Instances[1]
	if second.String() != "m-1 at http://LOCALHOST:8002: mockvllm serve x --port=8002" || second.Dial != "http://127.0.0.1:8002" {
		t.Errorf("second replica: %s, dialled at %s", second, second.Dial)
	}
}

func TestBaseURLForms(t *testing.T) {
	for raw, want := range map[string]string{
		"http://h":              "http://h",
		"http://h/":             "http://h",
		"http://h:8000/v1":      "http://h:8000",
		"https://h/api/v1/":     "https://h/api",
		"https://h:443":         "https://h",
		"http://[::1]:8001/v1/": "http://[::1]:8001",
	} {
		if got := parseOne(t, `"endpoints": {"base_url": "`+raw+`"}`).Instances[0].Dial; got != want {
			t.Errorf("%s: %s, want %s", raw, got, want)
		}
	}
}

func TestSharedFields(t *testing.T) {
	m := parseOne(t, `"endpoints": {"base_url": "http://h"}, "aliases": ["a", "org/b"], "restart_policy": "never",
		"timeouts": {"connect": "250ms", "first_byte": 1.5, "idle": "1m30s", "total": 600, "start": "5m", "drain": "10s"}`)
	want := manifest.Timeouts{Connect: 250 * time.Millisecond, FirstByte: 1500 * time.Millisecond, Idle: 90 * time.Second, Total: 10 * time.Minute, Start: 5 * time.Minute, Drain: 10 * time.Second}
	if diff := cmp.Diff(want, m.Timeouts); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"a", "org/b"}, m.Aliases); diff != "" || m.Restart != manifest.Never {
		t.Errorf("restart %s, aliases %s", m.Restart, diff)
	}
}

func TestServersBecomeInstances(t *testing.T) {
	m := parseOne(t, `"endpoints": {"servers": [{"base_url": "http://localhost:8001/v1"}, {"base_url": "https://h/api", "weight": 3}]}`)
	want := []manifest.Instance{
		{ID: "m-0", URL: "http://localhost:8001", Dial: "http://127.0.0.1:8001", Port: 8001, Weight: 1},
		{ID: "m-1", URL: "https://h/api", Dial: "https://h/api", Port: 443, Weight: 3},
	}
	if diff := cmp.Diff(want, m.Instances, cmpopts.IgnoreUnexported(manifest.Instance{})); diff != "" || m.Driver != manifest.External {
		t.Errorf("driver %s, instances %s", m.Driver, diff)
	}
}

func TestTraffic(t *testing.T) {
	file, err := read.Parse("models.yaml", []byte(`
llmModels:
  llama:
    endpoints: {base_url: "http://h"}
    routing:
      policy: prefix_affinity
      session_header: X-Session-Id
      canary: [{model: next, percent: 28.6}, {model: partner, percent: 35.7}, {model: org/c, percent: 35.7}]
      fallbacks: [partner, "org/c"]
      hedge: true
    limits: {inflight: 64, queue: 200, queue_timeout: 1m, keep_alive: true}
  next: {endpoints: {base_url: "http://h"}}
  org/c: {endpoints: {base_url: "http://h"}}
  partner: {endpoints: {base_url: "http://h"}}
`), environment)
	if err != nil {
		t.Fatal(err)
	}
	m := file.Models[0]
	wantRouting := fleet.Routing{
		Policy: fleet.PrefixAffinity, SessionHeader: "X-Session-Id", Hedge: true, Fallbacks: []string{"partner", "org/c"},
		Canary: []fleet.Share{{Model: "next", Percent: 28.6}, {Model: "partner", Percent: 35.7}, {Model: "org/c", Percent: 35.7}},
	}
	if diff := cmp.Diff(wantRouting, m.Routing); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(fleet.Limits{Inflight: 64, Queue: 200, QueueTimeout: time.Minute, KeepAlive: true}, m.Limits); diff != "" {
		t.Error(diff)
	}
	if plain := file.Models[1]; plain.Routing.Policy != fleet.LeastLoad || plain.Limits != (fleet.Limits{}) {
		t.Errorf("a model that says nothing has %+v and %+v", plain.Routing, plain.Limits)
	}
}

func TestDemand(t *testing.T) {
	file, err := read.Parse("models.yaml", []byte(`
llmModels:
  a: {command: mockvllm, args: [serve, a, --port, 8001], start: on_demand, idle_timeout: 15m, swap_group: gpu-0, sleep: true, timeouts: {load: 15m}}
  b: {command: mockvllm, args: [serve, b, --port, 8002, --enable-sleep-mode], env: {VLLM_SERVER_DEV_MODE: 0}, start: on_demand, swap_group: gpu-1, sleep: true}
  c: {command: mockvllm, args: [serve, c, --port, 8003]}
swapGroups:
  gpu-0: {loaded: 2, residency: 1m}
`), environment)
	if err != nil {
		t.Fatal(err)
	}
	want := []manifest.Demand{{Start: true, IdleTimeout: 15 * time.Minute, SwapGroup: "gpu-0", Sleep: true}, {Start: true, SwapGroup: "gpu-1", Sleep: true}, {}}
	commands := []string{"serve a --port 8001 --enable-sleep-mode", "serve b --port 8002 --enable-sleep-mode", "serve c --port 8003"}
	for i, m := range file.Models {
		if diff := cmp.Diff(want[i], m.Demand); diff != "" {
			t.Errorf("%s: %s", m.ID, diff)
		}
		if line := m.Instances[0].CommandLine(); line != "mockvllm "+commands[i] {
			t.Errorf("%s: %s", m.ID, line)
		}
	}
	if env := file.Models[0].Instances[0].Env["VLLM_SERVER_DEV_MODE"].Reveal() + file.Models[1].Instances[0].Env["VLLM_SERVER_DEV_MODE"].Reveal(); env != "10" || file.Models[0].Timeouts.Load != 15*time.Minute {
		t.Errorf("developers' mode %s, %+v", env, file.Models[0].Timeouts)
	}
	groups := map[string]manifest.SwapGroup{"gpu-0": {Loaded: 2, Residency: time.Minute}, "gpu-1": {Loaded: 1}}
	if diff := cmp.Diff(groups, file.SwapGroups); diff != "" {
		t.Error(diff)
	}
}

func TestYAMLIsReadAlike(t *testing.T) {
	f := func(input, want string) {
		t.Helper()
		_, err := read.Parse("models.yml", []byte(input), environment)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: want %q, got %v", input, want, err)
		}
	}
	f("# nothing\n", "empty")
	f("llmModels: [", "not YAML: line 1")
	f("llmModels: {}\n---\nllmModels: {}\n", "more than one YAML document")
	f("llmModels: &a\n  m: *a\n", "aliases are not supported")
	f("llmModels:\n  [1]: x\n", "line 2, column 3: a name has to be a plain string")
	f("llmModels:\n  m:\n    model: x\n    port: yes\n", "expected a number, found")
	f("llmModels:\n  m:\n    model: x\n    model: y\n    port: 1\n", "llmModels.m.model: given twice")
	f("llmModels:\n  m:\n", "llmModels.m: expected an object, found null")
}

// FuzzParse looks for inputs that break the parser, and checks that a file has either a plan or an error, that no plan has an
// instance that could not be run or reached, and that the schema agrees.
func FuzzParse(f *testing.F) {
	paths, err := filepath.Glob("../../../../examples/*.[jy]*")
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range append(paths, "testdata/python-mock.json") {
		data, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data, filepath.Ext(path) == ".yaml")
	}
	f.Fuzz(func(t *testing.T, data []byte, yaml bool) {
		name := "models.json"
		if yaml {
			name = "models.yaml"
		}
		file, err := read.Parse(name, data, environment)
		if (file == nil) == (err == nil) {
			t.Fatalf("file %v, error %v", file, err)
		}
		if !yaml {
			agree(t, string(data))
		}
		if err != nil {
			return
		}
		for _, m := range file.Models {
			if len(m.Instances) == 0 {
				t.Errorf("model %q has no instance", m.ID)
			}
			for _, i := range m.Instances {
				if i.Dial == "" || i.Weight < 1 || i.Port < 1 || i.Port > 65535 || m.Driver == manifest.Process && len(i.Argv) == 0 {
					t.Errorf("model %q cannot run as %+v", m.ID, i)
				}
			}
		}
	})
}
