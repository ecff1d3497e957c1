package change_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fluidmcp/fluidmcp/services/supervisor/change"
	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest"
	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest/read"
	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest/source"
)

func parse(t *testing.T, models string) *manifest.File {
	t.Helper()
	env := map[string]string{"KEY": "sk-hidden", "OTHER": "sk-other"}
	file, err := read.Parse("models.json", []byte(`{"llmModels": {`+models+`}}`), func(name string) (string, bool) {
		v, ok := env[name]
		return v, ok
	})
	if err != nil {
		t.Fatal(err)
	}
	return file
}

func text(t *testing.T, s change.Set) string {
	t.Helper()
	var out strings.Builder
	if err := s.Text(&out, false); err != nil {
		t.Fatal(err)
	}
	encoded, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	for _, shown := range []string{out.String(), string(encoded)} {
		if strings.Contains(shown, "sk-") {
			t.Errorf("a secret is shown: %s", shown)
		}
	}
	return out.String()
}

func TestBetween(t *testing.T) {
	const mock = `"command": "mockvllm", "args": ["serve", "x", "--port", 8001]`
	f := func(name, old, next, want string) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			t.Helper()
			got := text(t, change.Between(parse(t, old), parse(t, next)))
			if diff := cmp.Diff(strings.TrimLeft(want, "\n"), got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
	m := func(name, old, next, want string) {
		t.Helper()
		f(name, `"m": {`+mock+old+`}`, `"m": {`+mock+next+`}`, want)
	}
	m("nothing", "", "", "Nothing changes.\n")
	m("a comment and an order", `, "limits": {"inflight": 1, "queue": 2}`, ` /* why */ , "limits": {"queue": 2, "inflight": 1}`, "Nothing changes.\n")
	m("the same argument written otherwise", "", `, "replicas": 1`, `
~ m   no server is touched
    replicas  unset -> 1  none
`)
	m("limits, routing, timeouts, aliases and the policy", `, "limits": {"inflight": 64, "queue": 9}`,
		`, "limits": {"inflight": 32}, "aliases": ["a"], "timeouts": {"start": "1m"}, "routing": {"policy": "weighted"}, "restart_policy": "never"`, `
~ m   no server is touched
    limits.inflight  64 -> 32           none
    aliases          unset -> ["a"]     none
    timeouts.start   unset -> 1m        none
    routing.policy   unset -> weighted  none
    restart_policy   unset -> never     none
    limits.queue     9 -> unset         none
`)
	f("an argument of two replicas", `"m": {`+mock+`, "replicas": 2, "limits": {"queue": 1}}`,
		`"m": {"command": "mockvllm", "args": ["serve", "x", "--port", "8001", "--api-key", "${KEY}"], "replicas": 2, "limits": {"queue": 2}}`, `
~ m   rolling restart of m-0, m-1
    args          serve x --port 8001 -> serve x --port 8001 --api-key ***  rolling restart
    limits.queue  1 -> 2                                                    none
`)
	m("secrets", `, "env": {"A": "sk-1", "B": "${KEY}"}, "api_key": "sk-1"`, `, "env": {"A": "sk-1", "B": "${OTHER}"}, "api_key": "sk-2"`, `
~ m   rolling restart of m-0
    env.B    *** -> ***  rolling restart
    api_key  *** -> ***  rolling restart
`)
	m("more and fewer replicas", `, "replicas": 1`, `, "replicas": 3`, `
~ m   start m-1, m-2
    replicas  1 -> 3  start
`)
	m("fewer", `, "replicas": 3`, `, "restart_policy": "always"`, `
~ m   drain and remove m-1, m-2
    restart_policy  unset -> always  none
    replicas        3 -> unset       drain and remove
`)
	f("devices", `"m": {"model": "x", "port": 1, "replicas": 2, "config": {"hf-token": "sk-1"}, "devices": [0, 1]}`,
		`"m": {"model": "x", "port": 1, "replicas": 2, "config": {"hf-token": "sk-2"}, "devices": [0, 2]}`, `
~ m   rolling restart of m-0, m-1
    config.hf-token  *** -> ***      rolling restart
    devices          [0,1] -> [0,2]  rolling restart
`)
	f("an argument of the only server", `"m": {"command": "./server", "args": ["--port", 1]}`, `"m": {"command": "./server", "args": ["--port", 1, "-x"]}`, `
~ m   restart of m-0, its only server: it answers 503 meanwhile
    args  --port 1 -> --port 1 -x  rolling restart
`)
	f("a profile and a flag", `"m": {"model": "x", "port": 1}`, `"m": {"model": "x", "port": 1, "profile": "development", "config": {"seed": 7}}`, `
~ m   restart of m-0, its only server: it answers 503 meanwhile
    profile      unset -> development  rolling restart
    config.seed  unset -> 7            rolling restart
`)
	f("models come and go", `"a": {`+mock+`}, "m": {"model": "x", "port": 1}`, `"m": {"model": "x", "port": 1}, "z": {"command": "mockvllm", "limits": {"queue": 1}}`, `
- a   drain and remove a-0
    command  mockvllm ->             drain and remove
    args     serve x --port 8001 ->  drain and remove
+ z   start z-0
    command       -> mockvllm  start
    limits.queue  -> 1         none
`)
	f("another server elsewhere", `"m": {"endpoints": {"base_url": "http://a"}, "api_key": "${KEY}"}`, `"m": {"endpoints": {"base_url": "http://b"}, "served_name": "x"}`, `
~ m   replace m-0
    endpoints.base_url  http://a -> http://b  replace
    served_name         unset -> x            replace
    api_key             *** -> unset          replace
`)
	f("its name and key alone", `"m": {"endpoints": {"base_url": "http://a"}}`, `"m": {"endpoints": {"base_url": "http://a"}, "served_name": "x", "api_key": "k"}`, `
~ m   no server is touched
    served_name  unset -> x    none
    api_key      unset -> ***  none
`)
	f("the same server, run by somebody else", `"m": {"command": "mockvllm", "args": ["--port", 8001]}`, `"m": {"endpoints": {"base_url": "http://127.0.0.1:8001"}}`, `
~ m   replace m-0
    endpoints.base_url  unset -> http://127.0.0.1:8001  replace
    command             mockvllm -> unset               replace
    args                --port 8001 -> unset            replace
`)
	f("from a process to a server elsewhere", `"m": {`+mock+`}`, `"m": {"endpoints": {"base_url": "http://a"}}`, `
~ m   replace m-0
    endpoints.base_url  unset -> http://a             replace
    command             mockvllm -> unset             replace
    args                serve x --port 8001 -> unset  replace
`)
}

// What is said beside the models is told too.
func TestShared(t *testing.T) {
	of := func(groups string) *manifest.File {
		file, err := read.Parse("m.json", []byte(`{"$schema": "./s.json", `+groups+`"llmModels": {"m": {"command": "mockvllm", "start": "on_demand", "swap_group": "g"}}}`), nil)
		if err != nil {
			t.Fatal(err)
		}
		return file
	}
	want := "~ all models   no server is touched\n    swapGroups.g.loaded  unset -> 2  none\n"
	if got := text(t, change.Between(of(""), of(`"swapGroups": {"g": {"loaded": 2}}, `))); got != want {
		t.Error(got)
	}
	if got := text(t, change.Between(of(""), of(""))); got != "Nothing changes.\n" {
		t.Error(got)
	}
}

// What runs may differ from what its file says: a restart that was given up left it so.
func TestBetweenLooksAtWhatRuns(t *testing.T) {
	next := parse(t, `"m": {"command": "mockvllm", "args": ["serve", "x"], "replicas": 2}`)
	running := *next
	running.Models = []manifest.Model{next.Models[0]}
	running.Models[0].Instances = []manifest.Instance{next.Models[0].Instances[0], next.Models[0].Instances[1]}
	running.Models[0].Instances[1].Argv = []string{"mockvllm", "serve", "before"}
	if got := text(t, change.Between(&running, next)); got != "~ m   rolling restart of m-1\n" {
		t.Error(got)
	}
}

func TestForbidden(t *testing.T) {
	read := func(models string) *source.Source { return parse(t, models).Source }
	f := func(running, declared, next string, want ...string) {
		t.Helper()
		got := change.Forbidden(read(running), read(declared), read(next))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s -> %s: %s", running, next, diff)
		}
	}
	const m, n = `"m": {"command": "mockvllm"}`, `"n": {"command": "mockvllm", "args": ["--port", 8001]}`
	f(m, m, m)
	f(m, m, `"m": {"command": "mockvllm", "replicas": 3, "limits": {"queue": 1}, "routing": {"hedge": true}, "timeouts": {"idle": 1},
		"aliases": ["a"], "restart_policy": "never", "start": "auto"}`)
	f(m, m+","+n, m+","+n) // it comes back
	f(m+","+n, m+","+n, m)
	f(m, m, m+","+n, `model "n" is not in the models file`)
	f(m, m+","+n, m+`, "n": {"command": "mockvllm", "args": ["--port", 8002]}`, `args of model "n"`)
	f(m, m, `"m": {"command": "bash", "args": ["-c", "x"], "env": {"A": "b"}, "cwd": "/", "devices": [0], "served_name": "x", "api_key": "x",
		"endpoints": {"base_url": "http://a"}}`, `command of model "m"`, `args of model "m"`, `env.A of model "m"`, `cwd of model "m"`,
		`devices of model "m"`, `served_name of model "m"`, `api_key of model "m"`, `endpoints.base_url of model "m"`)
	f(m, m, `"m": {"command": "mockvllm", "aliases": ["${KEY}"]}`, `${...} in aliases of model "m"`)
}

func TestColours(t *testing.T) {
	var out strings.Builder
	if err := change.Between(parse(t, `"m": {"command": "mockvllm"}`), parse(t, `"n": {"command": "mockvllm"}`)).Text(&out, true); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"\x1b[31m- m   drain and remove m-0\x1b[0m\n", "\x1b[32m+ n   start n-0\x1b[0m\n"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("lacks %q: %q", want, out.String())
		}
	}
}
