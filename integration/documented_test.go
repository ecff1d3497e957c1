package integration

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/fluidmcp/fluidmcp/integration/guide"
)

// closed are labels whose values docs/metrics.md lists.
var closed = []string{"endpoint", "reason", "outcome", "phase", "type", "limit", "state", "file"}

// metricsDocumented holds docs/metrics.md against what gateway, supervisor and a model server tell, both ways round.
func metricsDocumented(t *testing.T, s *stack) {
	live := map[string]entry{}
	for _, base := range []string{s.gateway, s.supervisor} {
		for name, family := range s.scrape(t, base) {
			if !strings.HasPrefix(name, "fluidmcp_") {
				continue
			}
			e := entry{name: name, kind: strings.ToLower(family.GetType().String())}
			for _, m := range family.GetMetric() {
				for _, l := range m.GetLabel() {
					if slices.Contains(closed, l.GetName()) && !strings.Contains(metricsGuide(t), "`"+l.GetValue()+"`") {
						t.Errorf("%s: docs/metrics.md does not name the %s %s", name, l.GetName(), l.GetValue())
					}
					if !slices.Contains(e.labels, l.GetName()) {
						e.labels = append(e.labels, l.GetName())
					}
				}
			}
			slices.Sort(e.labels)
			live[name] = e
		}
	}
	for _, told := range documented(t) {
		is, ok := live[told.name]
		delete(live, told.name)
		switch {
		case !ok:
			t.Errorf("nobody has %s", told.name)
		case is.kind != told.kind || !slices.Equal(is.labels, told.labels):
			t.Errorf("%s is a %s with %v, told is a %s with %v", told.name, is.kind, is.labels, told.kind, told.labels)
		}
	}
	if len(live) > 0 {
		t.Errorf("not documented, or the row is not readable: %v", slices.Sorted(maps.Keys(live)))
	}
	vllmDocumented(t, s.scrape(t, s.mocks[mockLLM]))
}

var (
	vllmRow  = regexp.MustCompile("(?m)^\\| `(vllm:\\w+)` \\| (\\w+) \\|")
	vllmName = regexp.MustCompile(`\bvllm:\w+`)
)

// vllmDocumented: what dashboards and rules use is told, and what is told is used and exists.
func vllmDocumented(t *testing.T, live scrape) {
	t.Helper()
	used := map[string]bool{}
	note := func(expr string) {
		for _, name := range vllmName.FindAllString(expr, -1) {
			for _, suffix := range []string{"_bucket", "_sum", "_count"} {
				name = strings.TrimSuffix(name, suffix)
			}
			used[name] = true
		}
	}
	for _, board := range dashboards(t) {
		for _, p := range board.Panels {
			for _, target := range p.Targets {
				note(target.Expr)
			}
		}
	}
	for _, r := range rules(t) {
		note(r.Expr)
	}
	for _, m := range vllmRow.FindAllStringSubmatch(metricsGuide(t), -1) {
		if kind := strings.ToLower(live[m[1]].GetType().String()); live[m[1]] == nil || kind != m[2] || !used[m[1]] {
			t.Errorf("%s is told as a %s; a model server has it: %v, as a %s; it is used: %v", m[1], m[2], live[m[1]] != nil, kind, used[m[1]])
		}
		delete(used, m[1])
	}
	if len(used) > 0 {
		t.Errorf("used and not documented: %v", slices.Sorted(maps.Keys(used)))
	}
}

// TestScrapeConfiguration runs Prometheus's checker over our configuration and the one that docs/metrics.md gives to others.
func TestScrapeConfiguration(t *testing.T) {
	blocks, err := guide.Parse([]byte(metricsGuide(t)))
	if err != nil {
		t.Fatal(err)
	}
	configurations := []string{"../deploy/prometheus.yml"}
	for _, b := range blocks {
		if b.File == "" {
			continue
		}
		path := filepath.Join(t.TempDir(), b.File)
		if err := os.WriteFile(path, []byte(b.Text), 0o600); err != nil {
			t.Fatal(err)
		}
		configurations = append(configurations, path)
	}
	if len(configurations) < 2 {
		t.Error("docs/metrics.md has no scrape configuration")
	}
	for _, path := range configurations {
		if out, err := exec.CommandContext(t.Context(), tool(t, "promtool"), "check", "config", "--syntax-only", path).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", path, err, out)
		}
	}
	for _, job := range []string{"fluidmcp-gateway", "fluidmcp-supervisor", "vllm"} {
		for _, path := range configurations {
			content, err := os.ReadFile(path)
			if err != nil || !strings.Contains(string(content), "job_name: "+job) {
				t.Errorf("%s has no job %s, which the rules look for (%v)", path, job, err)
			}
		}
	}
}

var values = regexp.MustCompile(`{{.*?}}`)
var quoted = regexp.MustCompile(`"([^"{}]+)"`)

// TestAlertsLeadSomewhere: the section of an alert exists, and so do the panels and rows that texts name.
func TestAlertsLeadSomewhere(t *testing.T) {
	titles := map[string]bool{}
	for _, board := range dashboards(t) {
		for _, p := range board.Panels {
			titles[p.Title] = true
		}
	}
	check := func(where, text string) {
		t.Helper()
		for _, m := range quoted.FindAllStringSubmatch(text, -1) {
			command := strings.HasPrefix(m[1], "fluidmcp ") || strings.HasPrefix(m[1], "docker ") || m[1] == "mockvllm"
			if !command && !titles[m[1]] {
				t.Errorf("%s names %q, which is neither a panel nor a row", where, m[1])
			}
		}
	}
	guideText := metricsGuide(t)
	sections := strings.Split(guideText[strings.Index(guideText, "## Alerts\n"):strings.Index(guideText, "## Your own")], "\n### ")
	told := map[string]bool{}
	for _, section := range sections[1:] {
		name, text, _ := strings.Cut(section, "\n")
		told[name] = true
		check("docs/metrics.md, "+name, text)
	}
	for _, r := range rules(t) {
		if r.Alert == "" {
			continue
		}
		if !told[r.Alert] {
			t.Errorf("docs/metrics.md has no section %s", r.Alert)
		}
		delete(told, r.Alert)
		check(r.Alert, values.ReplaceAllString(r.Annotations["description"], "X"))
		if uid := strings.Split(r.Annotations["dashboard"], "/"); len(uid) < 3 || !slices.Contains([]string{"fluidmcp-fleet", "fluidmcp-model"}, uid[2]) {
			t.Errorf("%s leads to %s", r.Alert, r.Annotations["dashboard"])
		}
	}
	if len(told) > 0 {
		t.Errorf("docs/metrics.md tells of alerts that are none: %v", slices.Sorted(maps.Keys(told)))
	}
}
