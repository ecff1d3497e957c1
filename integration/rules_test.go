package integration

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// rule is one rule of deploy/rules, an alert or a recording.
type rule struct {
	Alert, Record string
	Expr          string
	For           string
	Labels        map[string]string
	Annotations   map[string]string
}

// rules reads all rules of deploy/rules.
func rules(t *testing.T) []rule {
	t.Helper()
	var all []rule
	for _, file := range files(t, "../deploy/rules/*.yaml") {
		var content struct{ Groups []struct{ Rules []rule } }
		readYAML(t, file, &content)
		for _, g := range content.Groups {
			all = append(all, g.Rules...)
		}
	}
	return all
}

func files(t *testing.T, pattern string) []string {
	t.Helper()
	found, err := filepath.Glob(pattern)
	if err != nil || len(found) == 0 {
		t.Fatalf("no file is called %s: %v", pattern, err)
	}
	return found
}

func readYAML(t *testing.T, file string, into any) {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(content, into); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}

// TestRules runs Prometheus's own checker, and its tests of what fires when.
func TestRules(t *testing.T) {
	t.Parallel()
	promtool := tool(t, "promtool")
	f := func(args ...string) {
		t.Helper()
		if out, err := exec.CommandContext(t.Context(), promtool, args...).CombinedOutput(); err != nil {
			t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
	f(append([]string{"check", "rules", "--lint=all", "--lint-fatal"}, files(t, "../deploy/rules/*.yaml")...)...)
	f(append([]string{"test", "rules"}, files(t, "../deploy/rules/tests/*.yaml")...)...)
}

// tool builds a program of scripts/tools.sh, unless it is there, and returns its path.
func tool(t *testing.T, name string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "../scripts/tools.sh", name)
	var progress strings.Builder
	cmd.Stderr = &progress
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("scripts/tools.sh %s: %v\n%s", name, err, progress.String())
	}
	return strings.TrimSpace(string(out))
}

// TestEveryAlertIsComplete: a person who is woken learns what, where and how to mend it, and the tests of the rules show
// each alert both ways.
func TestEveryAlertIsComplete(t *testing.T) {
	fires, silent := testedAlerts(t)
	names := 0
	for _, r := range rules(t) {
		if r.Alert == "" {
			continue
		}
		names++
		if !fires[r.Alert] || !silent[r.Alert] {
			t.Errorf("%s: deploy/rules/tests shows it firing: %v, silent: %v", r.Alert, fires[r.Alert], silent[r.Alert])
		}
		if !slices.Contains([]string{"critical", "warning"}, r.Labels["severity"]) || r.For == "" {
			t.Errorf("%s: severity %q, for %q", r.Alert, r.Labels["severity"], r.For)
		}
		for _, key := range []string{"summary", "description", "dashboard"} {
			if r.Annotations[key] == "" {
				t.Errorf("%s has no %s", r.Alert, key)
			}
		}
		if got, want := r.Annotations["runbook_url"], "https://github.com/fluidmcp/fluidmcp/blob/main/docs/metrics.md#"+strings.ToLower(r.Alert); got != want {
			t.Errorf("%s: runbook %q, want %q", r.Alert, got, want)
		}
		delete(fires, r.Alert)
		delete(silent, r.Alert)
	}
	if names == 0 || len(fires)+len(silent) > 0 {
		t.Errorf("%d alerts; tested but unknown: %v %v", names, fires, silent)
	}
}

// testedAlerts tells which alerts the tests of the rules expect to fire, and which to be silent.
func testedAlerts(t *testing.T) (fires, silent map[string]bool) {
	t.Helper()
	fires, silent = map[string]bool{}, map[string]bool{}
	for _, file := range files(t, "../deploy/rules/tests/*.yaml") {
		var content struct {
			Tests []struct {
				Alerts []struct {
					Name     string `yaml:"alertname"`
					Expected []any  `yaml:"exp_alerts"`
				} `yaml:"alert_rule_test"`
			}
		}
		readYAML(t, file, &content)
		for _, test := range content.Tests {
			for _, a := range test.Alerts {
				if len(a.Expected) > 0 {
					fires[a.Name] = true
				} else {
					silent[a.Name] = true
				}
			}
		}
	}
	return fires, silent
}
