package source_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fluidmcp/fluidmcp/internal/document"
	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest/read"
	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest/source"
)

func parsed(t *testing.T, text string) *source.Source {
	t.Helper()
	source, err := source.Read("models.json", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return source
}

// said is what the source says, a line for each setting.
func said(s *source.Source) string {
	var out strings.Builder
	for _, id := range s.IDs() {
		for _, setting := range s.Settings(id) {
			fmt.Fprintf(&out, "%s %s=%s\n", id, setting.Path, setting.Shown)
		}
	}
	return out.String()
}

func TestSettings(t *testing.T) {
	s := parsed(t, `{"llmModels": { // with comments
		"a": {"command": "x y", "args": ["--api-key", "sk-1", "--hf-token=sk-2", "--n", 8001, "${KEY}", "a b"], "env": {"A": "sk-3"}, "api_key": "sk-4",
			"limits": {"inflight": 1}, "config": {"api_key": "sk-5", "hf-token": "sk-6", "seed": 1.50, "on": true, "none": null}, "frobnicate": 1},
		"org/b": {"endpoints": {"servers": [{"base_url": "http://a", "weight": 2}]}}}}`)
	const want = `a command=x y
a args=--api-key *** --hf-token=*** --n 8001 "${KEY}" "a b"
a env.A=***
a api_key=***
a limits.inflight=1
a config.api_key=***
a config.hf-token=***
a config.seed=1.50
a config.on=true
a config.none=null
org/b endpoints.servers=[{"base_url":"http://a","weight":2}]
`
	if diff := cmp.Diff(want, said(s)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if s.Settings("nobody") != nil || s.Entry("nobody") != nil {
		t.Error("a model that is not there has settings")
	}
	odd, err := source.Read("models.yaml", []byte("llmModels: {m: {replicas: 0x10, devices: [.5, 1]}}"))
	if err != nil {
		t.Fatal(err)
	}
	if got := said(odd); got != "m replicas=0x10\nm devices=[\".5\",1]\n" {
		t.Errorf("numbers of YAML: %s", got)
	}
}

// A patch is RFC 7396's, and leaves what it is made of alone.
func TestMerge(t *testing.T) {
	f := func(base, patch, want string) {
		t.Helper()
		text := parsed(t, `{"llmModels": {"m": `+base+`}}`)
		before := said(text)
		p, err := document.ParseJSON([]byte(patch))
		if err != nil {
			t.Fatal(err)
		}
		got := said(text.With("m", source.Merge(text.Entry("m"), p)))
		if want = strings.ReplaceAll(want, "; ", "\n") + "\n"; got != want {
			t.Errorf("%s with %s: %s, want %s", base, patch, got, want)
		}
		if said(text) != before {
			t.Errorf("%s with %s changed what was there", base, patch)
		}
	}
	const base = `{"command": "x", "limits": {"inflight": 1, "queue": 2}, "aliases": ["a"]}`
	f(base, `{}`, `m command=x; m limits.inflight=1; m limits.queue=2; m aliases=["a"]`)
	f(base, `{"limits": {"queue": 3, "inflight": null}}`, `m command=x; m limits.queue=3; m aliases=["a"]`)
	f(base, `{"limits": null, "aliases": []}`, `m command=x; m aliases=[]`)
	f(base, `{"limits": 5, "timeouts": {"idle": 1, "drain": null}}`, `m command=x; m limits=5; m aliases=["a"]; m timeouts.idle=1`)
}

func TestModelsComeAndGo(t *testing.T) {
	text := parsed(t, `{"llmModels": {"a": {"command": "x"}, "b": {"command": "y"}}}`)
	entry := text.Entry("a")
	f := func(s *source.Source, want ...string) {
		t.Helper()
		if diff := cmp.Diff(want, s.IDs()); diff != "" {
			t.Error(diff)
		}
	}
	f(text, "a", "b")
	f(text.With("c", entry), "a", "b", "c")
	f(text.With("a", nil), "b")
	f(text.With("nobody", nil), "a", "b")
	f(text, "a", "b")
	if _, err := read.Plan(text.With("a", nil).With("b", nil), nil); err == nil || !strings.Contains(err.Error(), "names no model") {
		t.Errorf("a file without a model: %v", err)
	}
	if !text.Says([]byte(`{"llmModels": {"a": {"command": "x"}, "b": {"command": "y"}}}`)) || text.Says(nil) || text.With("a", entry).Says(nil) {
		t.Error("Says")
	}
}

// Load and Parse differ in one thing: what Load read is a file that can be read again.
func TestPath(t *testing.T) {
	path := filepath.Join(t.TempDir(), "models.json")
	text := []byte(`{"llmModels": {"a": {"command": "mockvllm"}}}`)
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	loaded, err := read.Load(path, nil)
	if err != nil || loaded.Path != path || !loaded.Source.Says(text) {
		t.Errorf("%+v, %v", loaded, err)
	}
	if parsed, err := read.Parse(path, text, nil); err != nil || parsed.Path != "" {
		t.Errorf("%+v, %v", parsed, err)
	}
}
