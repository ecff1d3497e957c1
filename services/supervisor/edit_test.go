package supervisor_test

import (
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
	"github.com/fluidmcp/fluidmcp/services/supervisor/report"
)

// What is changed over HTTP holds until the file is read again, and is not written into it.
func TestChangesOverHTTP(t *testing.T) {
	m, n := `"m": {`+fake(freePort(t), `, "limits": {"inflight": 1, "queue": 2}`)+`}`, `"n": {`+fake(freePort(t), "")+`}`
	l := live(t, quick(), m, n)
	until(t, l.feed, "both ready", func(s fleet.Snapshot) bool {
		return find(s, "m").Phase == fleet.Ready && find(s, "n").Phase == fleet.Ready
	})
	pid := l.pids("m")[0]
	text, err := os.ReadFile(l.path)
	if err != nil {
		t.Fatal(err)
	}
	const patch = `{"limits": {"inflight": 5, "queue": null}, "routing": {"hedge": true}, "aliases": ["a"], "timeouts": {"drain": "9s"}} // comments too`
	if set := l.set(http.MethodPatch, "/api/llm/models/m?dry_run=true", patch, http.StatusOK); effects(set) != "m: none" || len(set.Models[0].Fields) != 5 {
		t.Errorf("%+v", set)
	}
	if l.overridden() != "" {
		t.Error("a dry run changed something")
	}
	l.set(http.MethodPatch, "/api/llm/models/m", patch, http.StatusAccepted)
	l.until("new limits", "m", func(m fleet.Model) bool { return m.Limits.Inflight == 5 && m.Limits.Queue == 0 && m.Routing.Hedge })
	if l.pids("m")[0] != pid || l.overridden() != "m" || !l.model("m").Overridden {
		t.Errorf("%+v, overridden %s", l.model("m"), l.overridden())
	}

	if set := l.set(http.MethodDelete, "/api/llm/models/n", "", http.StatusAccepted); effects(set) != "n: drain and remove" {
		t.Error(effects(set))
	}
	until(t, l.feed, "n gone", func(s fleet.Snapshot) bool { return find(s, "n").ID == "" })
	if set := l.set(http.MethodPost, "/api/llm/models", `{"id": "n", "limits": {"queue": 3}}`, http.StatusAccepted); effects(set) != "n: start" {
		t.Error(effects(set))
	}
	phase(t, l.feed, "n", fleet.Ready)
	l.set(http.MethodPatch, "/api/llm/models/n", `{"replicas": 1}`, http.StatusAccepted)
	if l.overridden() != "m n" {
		t.Error(l.overridden())
	}

	if now, err := os.ReadFile(l.path); err != nil || string(now) != string(text) {
		t.Errorf("the file was written: %s, %v", now, err)
	}
	if set := l.set(http.MethodPost, "/api/llm/apply?dry_run=1", "", http.StatusOK); effects(set) != "m: none, n: none" {
		t.Error(effects(set))
	}
	l.set(http.MethodPost, "/api/llm/apply", "", http.StatusAccepted)
	l.until("the limits of the file", "m", func(m fleet.Model) bool { return m.Limits.Inflight == 1 && m.Limits.Queue == 2 && !m.Routing.Hedge })
	if l.overridden() != "" || l.pids("m")[0] != pid {
		t.Errorf("%+v, overridden %s", l.model("m"), l.overridden())
	}
}

func (l *living) overridden() string {
	l.t.Helper()
	_, body := l.do(http.MethodGet, "/api/llm/status", "")
	return strings.Join(decode[report.Overview](l.t, body).File.Overridden, " ")
}

func TestRefusedOverHTTP(t *testing.T) {
	t.Setenv("SECRET", "sk-secret")
	entry := fake(freePort(t), "")
	l := live(t, quick(), `"m": {`+entry+`}`)
	before := phase(t, l.feed, "m", fleet.Ready)
	f := func(method, path, body string, status int, want ...string) {
		t.Helper()
		got, text := l.do(method, path, body)
		if got != status {
			t.Errorf("%s %s %s: %d, want %d: %s", method, path, body, got, status, text)
		}
		for _, w := range append(want, `"error"`) {
			if !strings.Contains(text, w) {
				t.Errorf("%s %s %s lacks %s: %s", method, path, body, w, text)
			}
		}
		if strings.Contains(text, "sk-secret") {
			t.Errorf("%s shows a secret: %s", body, text)
		}
	}
	const models, m = "/api/llm/models", "/api/llm/models/m"
	f("POST", models, "", 400, "invalid_models", "the file is empty")
	f("POST", models, "[]", 400, "expected an object, found a list")
	f("POST", models, `{"command": "x"}`, 400, "needs the id", `"param":"id"`)
	f("POST", models, `{"id": "m"}`, 409, "model_exists")
	f("POST", models, `{"id": "n", "command": "mockvllm"}`, 403, "remote_commands_not_allowed", `model \"n\" is not in the models file`, "SUPERVISOR_ALLOW_REMOTE_COMMANDS")
	f("POST", models, `{"id": "n", "endpoints": {"base_url": "http://169.254.169.254"}}`, 403, `model \"n\" is not`)
	for _, unsafe := range []string{`{"command": "bash"}`, `{"args": []}`, `{"env": {"LD_PRELOAD": "x"}}`, `{"cwd": "/"}`, `{"model": "x"}`, `{"config": {"a": 1}}`,
		`{"served_name": "${SECRET}"}`, `{"api_key": "x"}`, `{"endpoints": {"base_url": "http://evil"}}`, `{"devices": [0]}`, `{"aliases": ["${SECRET}"]}`,
		`{"container": {"name": "x"}}`} {
		f("PATCH", m, unsafe, 403, "Over HTTP this cannot be changed", ` of model \"m\"`)
	}
	f("PATCH", m, `{"limits": {"inflight": 0}, "frobnicate": 1}`, 400, "2 faults", "frobnicate: unknown field", "inflight: 0 is not")
	f("PATCH", m+"?dry_run=maybe", `{}`, 400, "invalid_dry_run")
	f("PATCH", models+"/nobody", `{}`, 404, "model_not_found")
	f("DELETE", models+"/nobody", "", 404, "model_not_found")
	f("DELETE", m, "", 400, "names no model")
	f("POST", "/api/llm/apply", `{"llmModels": `, 400, "not JSON")
	f("POST", "/api/llm/apply?name=dir/m.yaml", "llmModels: [", 400, "models file m.yaml")
	f("POST", "/api/llm/apply", `{"llmModels": {"m": {`+strings.Replace(entry, `"args": [`, `"args": ["--crash", `, 1)+`}}}`, 403, `args of model \"m\"`)
	f("POST", "/api/llm/apply", strings.Repeat(" ", 5<<20), 413, "body_too_large")
	if now := l.model("m"); now.Restarts != 0 || l.overridden() != "" || l.fault() != "" {
		t.Errorf("something changed: %+v", now)
	}
	_, body := l.do("GET", "/v1/fleet", "")
	if after := decode[fleet.Snapshot](t, body); after.Revision != before.Revision {
		t.Errorf("the revision grew from %d to %d", before.Revision, after.Revision)
	}
}

// The text that stands in the file is the operator's, whoever sends it. Another one may change what is safe.
func TestApplyWithAText(t *testing.T) {
	port := freePort(t)
	entry := `"m": {` + fake(port, "") + `}`
	l := live(t, quick(), entry)
	phase(t, l.feed, "m", fleet.Ready)
	limited := `{"llmModels": {"m": {` + fake(port, `, "limits": {"queue": 5}`) + `}}}`
	if set := l.set("POST", "/api/llm/apply", limited, http.StatusAccepted); effects(set) != "m: none" {
		t.Error(effects(set))
	}
	other := `{"llmModels": {"m": {` + strings.Replace(fake(port, ""), `"args": [`, `"env": {"A": "b"}, "args": [`, 1) + `}}}`
	l.text(t, other)
	if set := l.set("POST", "/api/llm/apply?dry_run=true", other, http.StatusOK); effects(set) != "m: rolling restart" {
		t.Error(effects(set))
	}
	if status, text := l.do("POST", "/api/llm/apply?dry_run=true", other+" "); status != http.StatusForbidden {
		t.Errorf("nearly the text of the file: %d %s", status, text)
	}
	l.set("POST", "/api/llm/apply", other, http.StatusAccepted)
	l.restarted(l.feed, "m", 1)
	if l.overridden() != "" {
		t.Error("what the file says is taken for something else")
	}
}

func TestRemoteCommandsWhereTheyAreAllowed(t *testing.T) {
	cfg := quick()
	cfg.AllowRemoteCommands = true
	l := live(t, cfg, `"m": {`+fake(freePort(t), "")+`}`)
	phase(t, l.feed, "m", fleet.Ready)
	port := freePort(t)
	l.set("POST", "/api/llm/models", `{"id": "org/n", `+fake(port, "")+`}`, http.StatusAccepted)
	phase(t, l.feed, "org/n", fleet.Ready)
	l.set("PATCH", "/api/llm/models/org/n", `{"env": {"A": "b"}}`, http.StatusAccepted)
	l.restarted(l.feed, "org/n", 1)
	l.set("DELETE", "/api/llm/models/m", "", http.StatusAccepted)
	until(t, l.feed, "m gone", func(s fleet.Snapshot) bool { return find(s, "m").ID == "" })
}

// Without a file of its own there is nothing to read again.
func TestNoFile(t *testing.T) {
	s := run(t, quick(), parse(t, external(partner(t))))
	phase(t, s.watch(), "org/partner", fleet.Ready)
	if status, body := s.do(http.MethodPost, "/api/llm/apply", ""); status != http.StatusBadRequest || !strings.Contains(body, "could be read again") {
		t.Errorf("%d %s", status, body)
	}
}
