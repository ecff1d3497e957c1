package read_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest/read"
)

// environment is what ${NAME} finds in the tests.
func environment(name string) (string, bool) {
	v, ok := map[string]string{"KEY": "sk-hidden", "EMPTY": "", "NAME": "from-env"}[name]
	return v, ok
}

func TestFaultsAreNamed(t *testing.T) {
	f := func(input string, want ...string) {
		t.Helper()
		file, err := read.Parse("models.json", []byte(input), environment)
		if err == nil {
			t.Errorf("no error for %s", input)
			return
		}
		if file != nil {
			t.Errorf("a plan in spite of %v", err)
		}
		for _, w := range want {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%s\n  lacks %q in: %v", input, w, err)
			}
		}
		agree(t, input)
	}
	// one model with the given fields
	m := func(fields string, want ...string) {
		t.Helper()
		f(`{"llmModels": {"m": {`+fields+`}}}`, want...)
	}
	const mock = `"command": "mockvllm", "args": ["serve", "x", "--port", "8001"]`

	// not a models file at all
	f("", "models file models.json: the file is empty")
	f(" \n", "the file is empty")
	f("{\n  \"llmModels\": nope }", "line 2, column 16", "not JSON")
	f("{\"llmModels\": {}", "not JSON", "line 1, column")
	f("\xff", "line 1, column 1: not UTF-8")
	f(strings.Repeat("[", 2000), "nest deeper than 1000")
	f("[]", "expected an object with llmModels, found a list")
	f("{}", "llmModels: missing")
	f(`{"llmModels": {}}`, "llmModels: names no model")
	f(`{"llmModels": []}`, "llmModels: expected an object, found a list")
	f(`{"llmModel": {}}`, `llmModel: unknown field; did you mean "llmModels"?`)
	f(`{"llmModels": {"m": 1}}`, "llmModels.m: expected an object, found a number")
	f(`{"llmModels": {"a b": {"model": "x", "port": 1}}}`, `llmModels."a b": not usable as an id`)
	f(`{"llmModels": {"v1": {"model": "x", "port": 1}}}`, "not usable as an id")

	// fields
	m(`"command": "mockvllm", "arg": []`, `llmModels.m.arg: unknown field; did you mean "args"?`)
	m(`"model": "x", "port": 1, "frobnicate": 1`, "llmModels.m.frobnicate: unknown field; known are")
	m(`"model": "x", "model": "y", "port": 1`, "llmModels.m.model: given twice")
	m(`"model": "x", "port": "8001"`, "llmModels.m.port: expected a number, found a string")
	m(`"model": "x", "port": 0`, "llmModels.m.port: 0 is not a whole number from 1 to 65535")
	m(`"model": "x", "port": 1.5`, "1.5 is not a whole number")
	m(`"command": "mockvllm", "args": "serve"`, "llmModels.m.args: expected a list, found a string")
	m(`"command": "mockvllm", "args": ["serve", {}]`, "llmModels.m.args[1]: expected a string, found an object")
	m(`"command": ""`, "llmModels.m.command: must not be empty")
	m(`"command": "a\u0000b", "endpoints": {"base_url": "http://h:1"}`, "must not hold control characters")
	m(mock+`, "args": ["\u0000"]`, "given twice")
	m(`"command": "mockvllm", "args": ["\u0000"]`, "args[0]: must not hold a NUL")
	m(mock+`, "env": {"A-B": "x"}`, "llmModels.m.env.A-B: not the name")
	m(mock+`, "env": {"A": true}`, "llmModels.m.env.A: expected a string, found true or false")
	m(mock+`, "restart_policy": "sometimes"`, `"sometimes" is not one of on-failure, always, never`)
	m(mock+`, "aliases": [7, ""]`, "aliases[0]: expected a string, found a number", "aliases[1]: not usable as an id")
	m(mock+`, "aliases": ["a", "a"]`, `"a" is already a name of model "m"`)
	m(`"endpoints": {"base_url": "http://h"}, "start": "on_demand"`, "llmModels.m.start: on_demand cannot start a server that runs elsewhere")
	m(mock+`, "idle_timeout": 60, "swap_group": "g", "sleep": true`, "llmModels.m.idle_timeout: is for models on demand: add start: on_demand",
		"llmModels.m.swap_group: is for", "llmModels.m.sleep: is for")
	m(`"command": "./server", "endpoints": {"base_url": "http://h:1"}, "start": "on_demand", "sleep": true`, "llmModels.m.sleep: needs a command with vLLM's flags")
	f(`{"llmModels": {"a": {"command": "mockvllm", "args": ["--port", "1"], "start": "on_demand", "swap_group": "g", "depends_on": ["b"]},
		"b": {"command": "mockvllm", "args": ["--port", "2"], "start": "on_demand", "swap_group": "g"}}}`, "llmModels.a.depends_on: 2 models of swap group g would have to be loaded at a time, which lets 1")
	f(`{"llmModels": {"m": {`+mock+`, "start": "on_demand", "swap_group": "gpu-0"}}, "swapGroups": {"gpu0": {}, "gpu-0": {"loaded": 0, "residence": 1}}}`,
		`swapGroups.gpu0: no model has swap_group: gpu0; did you mean "gpu-0"?`, "swapGroups.gpu-0.loaded: 0 is not", "swapGroups.gpu-0.residence: unknown field")
	f(`{"llmModels": {"m": {`+mock+`}}, "swapGroups": {"g": {}}}`, "swapGroups.g: no model has swap_group: g; none has any")

	// durations
	m(mock+`, "timeouts": {"drain": "90"}`, `llmModels.m.timeouts.drain: expected a number of seconds or a string such as "1m30s"`)
	m(mock+`, "timeouts": {"drain": -1}`, "-1 is not more than 0")
	m(mock+`, "timeouts": {"drain": 1e300}`, "at most 168h")
	m(mock+`, "timeouts": {"idle": []}`, "found a list")
	m(mock+`, "keep_alive": true`, `llmModels.m.keep_alive: unknown field; did you mean "limits.keep_alive"?`)
	m(mock+`, "firstbyte": 1`, `llmModels.m.firstbyte: unknown field; did you mean "timeouts.first_byte"?`)
	m(mock+`, "timeouts": {"first_bite": 1}`, `did you mean "first_byte"?`)

	// endpoints
	m(`"endpoints": {}`, "llmModels.m.endpoints.base_url: missing")
	m(`"endpoints": {"base_url": "localhost:8001"}`, "must begin with http://")
	m(`"endpoints": {"base_url": "http://"}`, "names no host")
	m(`"endpoints": {"base_url": "http://h:99999"}`, "port must be from 1 to 65535")
	m(`"endpoints": {"base_url": "http://h/v1?x=1"}`, "without ? or #")
	m(`"endpoints": {"base_url": "http://h:port/"}`, "not a URL")
	m(`"endpoints": {"base_url": "http://h", "servers": [{"base_url": "http://h"}]}`, "llmModels.m.endpoints: has base_url and servers")
	m(`"endpoints": {"servers": []}`, "llmModels.m.endpoints.servers: must not be empty")
	m(`"endpoints": {"servers": {}}`, "servers: expected a list, found an object")
	m(`"endpoints": {"servers": ["http://h"]}`, "servers[0]: expected an object, found a string")
	m(`"endpoints": {"servers": [{"weight": 2}]}`, "servers[0].base_url: missing")
	m(`"endpoints": {"servers": [{"base_url": "http://h", "weight": 0}]}`, "servers[0].weight: 0 is not a whole number from 1 to 1000")
	m(`"endpoints": {"servers": [{"base_url": "http://h", "wheight": 2}]}`, `servers[0].wheight: unknown field; did you mean "weight"?`)
	m(`"endpoints": {"servers": [{"base_url": "http://h:80/v1"}, {"base_url": "http://h/"}]}`, "servers[1].base_url: the same server as servers[0]")
	m(mock+`, "endpoints": {"servers": [{"base_url": "http://h"}]}`, "llmModels.m.endpoints.servers: does not go with a model that is given by command")
	m(`"deployment": {"name": "d"}, "endpoints": {"servers": [{"base_url": "http://h"}]}`, "does not go with a model that is given by deployment")

	// routing and limits
	m(mock+`, "routing": {"policy": "random"}`, `"random" is not one of least_load, prefix_affinity, round_robin, weighted`)
	m(mock+`, "routing": {"session_header": "X Session"}`, "routing.session_header: not the name of an HTTP header")
	m(mock+`, "routing": {"hedge": "yes"}`, "routing.hedge: expected true or false, found a string")
	m(mock+`, "routing": {"canary": []}`, "routing.canary: must not be empty")
	m(mock+`, "routing": {"canary": [{}]}`, "canary[0].model: missing", "canary[0].percent: missing")
	m(mock+`, "routing": {"canary": [{"model": "x", "percent": 0}]}`, "canary[0].percent: 0 is not more than 0 and at most 100")
	m(mock+`, "routing": {"canary": [{"model": "x", "percent": 100.5}]}`, "100.5 is not more than 0")
	m(mock+`, "routing": {"canary": [{"model": "x", "percent": "5"}]}`, "percent: expected a number, found a string")
	m(mock+`, "routing": {"fallbacks": ["a b", 7]}`, "fallbacks[0]: not usable as an id", "fallbacks[1]: expected a string")
	m(mock+`, "limits": {"inflight": 0}`, "limits.inflight: 0 is not a whole number from 1 to 1000000")
	m(mock+`, "limits": {"queue": 2.5, "queue_timeout": 0, "keep_alive": 1}`, "limits.queue: 2.5", "limits.queue_timeout: 0 is", "limits.keep_alive: expected true")

	// forms
	m(`"aliases": ["x"]`, "needs one of command, model, container, deployment, or endpoints")
	m(`"command": "x", "model": "y"`, "has command and model; keep one of them")
	m(`"model": "x", "port": 1, "args": []`, "llmModels.m.args: does not go with a model that is given by model")
	m(`"endpoints": {"base_url": "http://h"}, "replicas": 2`, "does not go with a model that is given by endpoints")
	m(`"command": "./server"`, "llmModels.m.endpoints: missing; FluidMCP cannot tell where")
	m(`"command": "./server", "replicas": 2, "endpoints": {"base_url": "http://h:1"}`, "more than one needs --port in args")
	m(mock+`, "endpoints": {"base_url": "http://localhost:8002/v1"}`, "llmModels.m.endpoints.base_url: port 8002 contradicts --port 8001 in args")
	m(`"command": "mockvllm", "args": ["serve", "x", "--port"]`, "--port needs a number")
	m(mock+`, "replicas": 0`, "0 is not a whole number from 1 to 256")
	m(`"model": "x"`, "llmModels.m.port: missing")
	m(`"model": "x", "port": 65535, "replicas": 2`, "beyond port 65535")
	m(`"model": "--x", "port": 1`, "must not begin with -")
	m(`"model": "x", "port": 1, "endpoints": {"base_url": "http://h:2"}`, "port 2 contradicts port 1")
	m(`"model": "x", "port": 1, "profile": "fast"`, `"fast" is not one of production, development, high-throughput`)
	m(`"model": "x", "port": 1, "config": {"port": 2}`, `llmModels.m.config.port: belongs into the model's field "port"`)
	m(`"model": "x", "port": 1, "config": {"dtype": null}`, "llmModels.m.config.dtype: expected a string, found null")
	m(`"container": {}`, "llmModels.m.endpoints: missing", "llmModels.m.container.name: missing")
	const at = `, "endpoints": {"base_url": "http://h"}`
	m(`"container": {"name": "c", "names": ["d"]}`+at, "llmModels.m.container: has name and names; keep one of them")
	m(`"container": {"name": "a/b"}`+at, `llmModels.m.container: "a/b" is not the name of a container`)
	m(`"container": {"names": ["c", ""]}`+at, `"" is not the name of a container`, "names 2 containers, and endpoints has 1 addresses")
	m(`"container": {"names": []}`+at, "names 0 containers")
	m(`"container": {"names": ["c", "c"]}, "endpoints": {"servers": [{"base_url": "http://h:1"}, {"base_url": "http://h:2"}]}`, "c is named already")
	m(`"container": {"name": "c"}, "replicas": 2`+at, "llmModels.m.replicas: does not go with a model that is given by container")
	m(`"deployment": {"nam": "x"}, "endpoints": {"base_url": "http://h"}`, `did you mean "name"?`, "llmModels.m.deployment.name: missing; give the Deployment's name")
	m(`"command": "mockvllm", "args": ["serve", "x", "--served-model-name", "a"], "served_name": "b"`, `"b" contradicts --served-model-name "a"`)

	// the environment
	m(`"model": "${NOPE}", "port": 1`, "llmModels.m.model: ${NOPE} is not set in the environment")
	m(`"model": "${NOPE", "port": 1`, "not closed")
	m(`"model": "${a b}", "port": 1`, "not the name of an environment variable")
	m(`"model": "${EMPTY}", "port": 1`, "llmModels.m.model: must not be empty")

	// across models
	f(`{"llmModels": {"a": {"model": "x", "port": 8001, "replicas": 2}, "b": {"model": "y", "port": 8002}}}`,
		`llmModels.b: port 8002 is also the port of model "a"`)
	f(`{"llmModels": {"a": {"model": "x", "port": 1, "aliases": ["b"]}, "b": {"model": "y", "port": 2}}}`,
		`llmModels.a.aliases: "b" is already a name of model "b"`)
	f(`{"llmModels": {"a": {"model": "x", "port": 1}, "a": {"model": "y", "port": 2}}}`, "llmModels.a: given twice")
	d := func(a, b, c string, want ...string) {
		t.Helper()
		f(`{"llmModels": {"a": {"model": "x", "port": 1, "depends_on": `+a+`}, "b": {"model": "y", "port": 2, "depends_on": `+b+`},
			"c": {"model": "z", "port": 3, "depends_on": `+c+`}}}`, want...)
	}
	d(`["a"]`, `[]`, `[]`, "llmModels.a.depends_on[0]: is the model itself")
	d(`["bb", "b", "b", 7]`, `[]`, `[]`, `depends_on[0]: no model of this file has the id "bb"; known are a, b, c`, `depends_on[2]: "b" is named already`,
		"depends_on[3]: expected a string")
	d(`["b"]`, `["a"]`, `["x"]`, "llmModels.a.depends_on: goes round in a circle, so that none of them could start: a needs b needs a", `llmModels.c.depends_on[0]: no model`)
	d(`["b"]`, `["c"]`, `["b"]`, "llmModels.b.depends_on: goes round in a circle, so that none of them could start: b needs c needs b")
	d(`["b", "c"]`, `["c"]`, `["a", "b"]`, "models.json has 2 faults:", "a needs b needs c needs a", "b needs c needs b")
	m(`"endpoints": {"base_url": "http://h"}, "depends_on": ["x"]`, "llmModels.m.depends_on: does not go with a model that is given by endpoints")
	m(`"command": "./server", "endpoints": {"base_url": "http://h:1"}, "rollout": {"surge": true}`, "llmModels.m.rollout.surge: needs --port in args")
	m(mock+`, "rollout": {"surge": 1}`, "llmModels.m.rollout.surge: expected true or false, found a number")
	r := func(routing string, want ...string) {
		t.Helper()
		f(`{"llmModels": {"llama": {`+mock+`, "routing": {`+routing+`}}, "next": {"model": "y", "port": 2, "aliases": ["newest"]}}}`, want...)
	}
	r(`"fallbacks": ["llama"]`, "llmModels.llama.routing.fallbacks[0]: is the model itself")
	r(`"fallbacks": ["nxt"]`, `fallbacks[0]: no model of this file has the id "nxt"; did you mean "next"?`)
	r(`"fallbacks": ["newest"]`, `no model of this file has the id "newest"`) // an alias is none
	r(`"fallbacks": ["next", "next"]`, `fallbacks[1]: "next" is named already`)
	r(`"canary": [{"model": "llama", "percent": 1}]`, "llmModels.llama.routing.canary[0].model: is the model itself")
	r(`"canary": [{"model": "partner", "percent": 1}]`, `canary[0].model: no model of this file has the id "partner"; known are llama, next`)
	r(`"canary": [{"model": "next", "percent": 60}, {"model": "next", "percent": 40.5}]`,
		`canary[1].model: "next" is named already`, "routing.canary: 100.5 percent together")
}

func TestAllFaultsComeAtOnce(t *testing.T) {
	_, err := read.Parse("models.json", []byte(`{"llmModels": {
		"a": {"command": "mockvllm", "arg": [], "timeouts": {"drain": "x"}},
		"b": {"model": 5},
		"c": {}}}`), environment)
	if err == nil || !strings.Contains(err.Error(), "models.json has 5 faults:") {
		t.Fatalf("want 5 faults, got %v", err)
	}
	for _, want := range []string{"llmModels.a.arg:", "llmModels.a.timeouts.drain:", "llmModels.b.model:", "llmModels.b.port:",
		"llmModels.c:"} {
		if !strings.Contains(err.Error(), "\n  "+want) {
			t.Errorf("no line %q in: %v", want, err)
		}
	}
}

func TestSecretsStayHidden(t *testing.T) {
	const secret = "sk-hidden"
	for _, fields := range []string{
		`"api_key": "sk-hidden", "restart_policy": 1`,
		`"api_key": sk-hidden`,
		`"api_key": ["sk-hidden"]`,
		`"api_key": "sk-hidden\n"`,
		`"env": {"K": ["sk-hidden"]}`,
		`"endpoints": {"base_url": "http://u:sk-hidden@h:1/"}`,
		`"endpoints": {"base_url": "http://h:sk-hidden/"}`,
		`"args": ["serve", "x", "--api-key", "sk-hidden"], "api_key": "other"`,
	} {
		_, err := read.Parse("models.json", []byte(`{"llmModels": {"m": {"command": "mockvllm", `+fields+`}}}`), environment)
		if err == nil || strings.Contains(err.Error(), secret) {
			t.Errorf("%s: want an error without the secret, got %v", fields, err)
		}
	}
	file, err := read.Parse("models.json", []byte(`{"llmModels": {"m": {"command": "mockvllm", "api_key": "${KEY}",
		"args": ["serve", "x", "--hf-token", "${KEY}", "--hf-token=sk-hidden", "--api-key", "${KEY}", "sk-hidden"],
		"env": {"K": "sk-hidden"}}}}`), environment)
	if err != nil {
		t.Fatal(err)
	}
	m := file.Models[0]
	if m.APIKey.Reveal() != secret || m.Instances[0].Env["K"].Reveal() != secret {
		t.Errorf("the plan lost the secrets")
	}
	for _, shown := range []string{m.Instances[0].String(), m.Instances[0].CommandLine()} {
		if strings.Contains(shown, secret) || !strings.Contains(shown, "--api-key ***") {
			t.Errorf("want the secrets hidden in %s", shown)
		}
	}
}

func TestLoadSaysWhatIsWrongWithThePath(t *testing.T) {
	dir := t.TempDir()
	large := filepath.Join(dir, "large.json")
	if err := os.WriteFile(large, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(large, 5<<20); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		filepath.Join(dir, "none.json"): "does not exist",
		dir:                             "is a directory",
		large:                           "more than the",
	} {
		if _, err := read.Load(path, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: want %q, got %v", path, want, err)
		}
	}
}
