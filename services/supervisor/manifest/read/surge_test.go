package read_test

import "testing"

func TestSurge(t *testing.T) {
	f := func(fields string, want bool) {
		t.Helper()
		if got := parseOne(t, fields).Surge; got != want {
			t.Errorf("%s: surge %t", fields, got)
		}
	}
	f(`"command": "mockvllm"`, true)
	f(`"command": "mockvllm", "replicas": 2`, false)
	f(`"command": "mockvllm", "replicas": 2, "rollout": {"surge": true}`, true)
	f(`"command": "mockvllm", "rollout": {"surge": false}`, false)
	f(`"command": "mockvllm", "rollout": {}`, true)
	f(`"command": "mockvllm", "args": ["version"], "endpoints": {"base_url": "http://h:1"}`, false)
	f(`"model": "x", "port": 1`, false)
	f(`"model": "x", "port": 1, "rollout": {"surge": true}`, true)
	f(`"command": "./s", "args": ["--port", 7], "rollout": {"surge": true}`, true)
	f(`"command": "./s", "args": ["--port", 7]`, false)
}

func TestExtraServer(t *testing.T) {
	f := func(fields, want string) {
		t.Helper()
		m := parseOne(t, fields)
		extra := m.ExtraServer(9000)
		if got := extra.String() + " > " + extra.Dial; got != want || extra.Port != 9000 || extra.ID != "m-surge" || !extra.Extra {
			t.Errorf("%s\n got  %s\n want %s", fields, got, want)
		}
		if first := m.Instances[0]; first.Port == 9000 || first.Argv[len(first.Argv)-1] == "9000" {
			t.Errorf("%s: the first server changed: %s", fields, first)
		}
	}
	f(`"command": "mockvllm", "endpoints": {"base_url": "http://localhost:8001/base/v1"}`,
		"m-surge at http://localhost:9000/base: mockvllm serve mock-model --port 9000 > http://127.0.0.1:9000/base")
	f(`"command": "./a b", "args": ["--api-key", "sk-hidden", "--port=8001"], "rollout": {"surge": true}`,
		`m-surge at http://127.0.0.1:9000: "./a b" --api-key *** --port=9000 > http://127.0.0.1:9000`)
	f(`"model": "x", "port": 80, "endpoints": {"base_url": "http://[::1]/v1"}, "rollout": {"surge": true}`,
		"m-surge at http://[::1]:9000: vllm serve x --port 9000 > http://[::1]:9000")
}
