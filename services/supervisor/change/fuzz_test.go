package change_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/fluidmcp/fluidmcp/internal/document"
	"github.com/fluidmcp/fluidmcp/services/supervisor/change"
	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest"
	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest/read"
	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest/source"
)

// FuzzForbidden looks for a patch that is let through and yet runs another program, reaches another server or shows a secret.
func FuzzForbidden(f *testing.F) {
	for _, patch := range []string{`{}`, `{"limits": {"inflight": 1}}`, `{"replicas": 3}`, `{"command": "bash"}`, `{"env": {"A": "b"}}`, `{"env": null}`,
		`{"args": null, "timeouts": {"idle": "5s"}}`, `{"aliases": ["${KEY}"]}`, `{"routing": {"session_header": "${KEY}"}}`, `{"limits": {"inflight": null}}`,
		`{"start": "on_demand", "idle_timeout": 5, "swap_group": "g", "sleep": true}`, `{"rollout": {"surge": true}, "depends_on": ["p"]}`,
		`{"aliases": [], "aliases": ["a"]}`, `{"command": "x", "command": "mockvllm"}`, `{"endpoints": {"base_url": null}}`, `[]`, `null`} {
		f.Add(patch, false)
		f.Add(patch, true)
	}
	const models = `{"llmModels": {
		"m": {"command": "mockvllm", "args": ["serve", "x", "--port", 8001], "env": {"A": "${KEY}"}, "cwd": "/", "limits": {"inflight": 2}, "replicas": 2},
		"p": {"endpoints": {"base_url": "http://a"}, "api_key": "${KEY}", "served_name": "s"}}}`
	env := func(name string) (string, bool) { return "sk-hidden", name == "KEY" }
	base, err := read.Parse("models.json", []byte(models), env)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, patch string, elsewhere bool) {
		node, err := document.ParseJSON([]byte(patch))
		if err != nil {
			return
		}
		id := map[bool]string{false: "m", true: "p"}[elsewhere]
		source := base.Source.With(id, source.Merge(base.Source.Entry(id), node))
		forbidden := change.Forbidden(base.Source, base.Source, source)
		next, err := read.Plan(source, env)
		if err != nil {
			return
		}
		var shown strings.Builder
		if err := change.Between(base, next).Text(&shown, false); err != nil || strings.Contains(shown.String(), "sk-hidden") {
			t.Errorf("%s: %v, shown %s", patch, err, &shown)
		}
		if forbidden != nil {
			return
		}
		for n, m := range next.Models {
			was := base.Models[n]
			if m.ID != was.ID || m.Driver != was.Driver || m.APIKey != was.APIKey || m.ServedName != was.ServedName {
				t.Errorf("%s is let through and makes %+v of %+v", patch, m, was)
			}
			for _, i := range m.Instances {
				old := was.Instances[0]
				if at := slices.IndexFunc(was.Instances, func(o manifest.Instance) bool { return o.ID == i.ID }); at >= 0 {
					old = was.Instances[at]
					if i.Dial != old.Dial || !slices.Equal(i.Argv, old.Argv) {
						t.Errorf("%s is let through and makes %s of %s", patch, i, old)
					}
				}
				if len(i.Argv) != len(old.Argv) || len(i.Argv) > 0 && i.Argv[0] != old.Argv[0] || i.Dir != old.Dir || !maps.Equal(i.Env, old.Env) {
					t.Errorf("%s is let through and makes %s of %s", patch, i, old)
				}
			}
		}
	})
}
