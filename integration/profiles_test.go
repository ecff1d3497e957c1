package integration

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// Each profile is a command line that vLLM 0.32 takes, and so is whatever kind of value config has: the mock reads them with vLLM's
// own table of options. One that it does not have ends the start, and says so.
func TestProfilesRehearsed(t *testing.T) {
	t.Parallel()
	e := runEdited(t, func(ports []int) string {
		model := func(id string, port int, fields string) string {
			return fmt.Sprintf(`%q: {"model": "org/%[1]s-8B", "port": %d%s}`, id, port, fields)
		}
		return strings.Join([]string{
			model("development", ports[0], `, "devices": [0], "profile": "development"`),
			model("production", ports[1], `, "devices": [1], "profile": "production", "config": {"enable-prefix-caching": false, "max_model_len": "8k", "middleware": "a",
				"compilation-config.mode": 3, "tensor-parallel-size": 1, "allowed-origins": "[\"*\"]", "enable-lora": true}`),
			model("high-throughput", ports[2], `, "devices": [2], "profile": "high-throughput"`),
			model("bad", ports[3], `, "devices": [3], "config": {"no-such-flag": true}`),
		}, ",")
	}, "--mock")
	for _, model := range []string{"development", "production", "high-throughput"} {
		eventually(t, func() error { return e.ask(t, model) })
	}
	eventually(t, func() error {
		a := do(t, http.MethodGet, e.gateway+"/api/llm/models/bad", nil)
		if !strings.Contains(string(a.body), "BadArguments") || !strings.Contains(string(a.body), "--no-such-flag") {
			return fmt.Errorf("%s", a.body)
		}
		return nil
	})
}
