package integration

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// question is a query with the place that asks it.
type question struct{ where, expr string }

// grafana is what the tests read of a dashboard.
type grafana struct {
	Title  string
	Panels []struct {
		Title   string
		Targets []struct{ Expr string }
	}
	Templating struct {
		List []struct {
			Name       string
			Definition string
			Multi      bool
		}
	}
	Annotations struct {
		List []struct {
			Name   string
			Target struct{ Expr string }
		}
	}
}

func dashboards(t *testing.T) []grafana {
	t.Helper()
	var all []grafana
	for _, file := range files(t, "../deploy/grafana/dashboards/*.json") {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var board grafana
		if err := json.Unmarshal(content, &board); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		all = append(all, board)
	}
	return all
}

// questions are those that have an answer when all is well.
func (s *stack) questions(t *testing.T) []question {
	t.Helper()
	var all []question
	for _, board := range dashboards(t) {
		filled := s.chosen(t, board)
		for _, p := range board.Panels {
			for _, target := range p.Targets {
				all = append(all, question{board.Title + ", panel " + p.Title, filled.Replace(target.Expr)})
			}
		}
		for _, a := range board.Annotations.List {
			all = append(all, question{board.Title + ", annotation " + a.Name, strings.TrimSuffix(filled.Replace(a.Target.Expr), " > 0")})
		}
	}
	for _, r := range rules(t) {
		if r.Record != "" {
			all = append(all, question{"rule " + r.Record, r.Expr}, question{"rule " + r.Record, r.Record})
		}
	}
	for _, m := range documented(t) {
		all = append(all, question{"docs/metrics.md, " + m.name, m.example})
	}
	return all
}

func (s *stack) alertExpressions(t *testing.T) []question {
	t.Helper()
	var all []question
	for _, r := range rules(t) {
		if r.Alert != "" {
			all = append(all, question{"alert " + r.Alert, r.Expr})
		}
	}
	return all
}

var labelValues = regexp.MustCompile(`^label_values\((.+), (\w+)\)$`)

// chosen fills a dashboard's variables in as Grafana does: all where several may be chosen, one that exists where not.
func (s *stack) chosen(t *testing.T, board grafana) *strings.Replacer {
	t.Helper()
	pairs := []string{"$__rate_interval", "1m", "$__range", "1h"}
	for _, v := range board.Templating.List {
		if v.Definition == "" { // the data source
			continue
		}
		m := labelValues.FindStringSubmatch(strings.NewReplacer(pairs...).Replace(v.Definition))
		if m == nil {
			t.Fatalf("%s: variable %s asks %q", board.Title, v.Name, v.Definition)
		}
		var got struct{ Data []string }
		do(t, "GET", fmt.Sprintf("%s/api/v1/label/%s/values?match[]=%s", s.prometheus, m[2], url.QueryEscape(m[1])), nil).
			want(t, http.StatusOK).decode(t, &got)
		value := ".*"
		switch {
		case len(got.Data) == 0:
			t.Errorf("%s: nothing to choose for %s: %s", board.Title, v.Name, m[0])
		case v.Multi:
		case slices.Contains(got.Data, mockLLM): // the one with traffic
			value = mockLLM
		default:
			value = got.Data[0]
		}
		pairs = append(pairs, "$"+v.Name, value)
	}
	return strings.NewReplacer(pairs...)
}

// entry is a metric of ours as docs/metrics.md tells it.
type entry struct {
	name, kind string
	labels     []string
	example    string
}

var (
	metricRow = regexp.MustCompile("(?m)^\\| `(fluidmcp_\\w+)` \\| (\\w+) \\| (.*?)\\| [^|]+ \\| [^|]+ \\| `([^`]+)` \\|$")
	code      = regexp.MustCompile("`([^`]+)`")
)

// documented reads the tables of docs/metrics.md.
func documented(t *testing.T) []entry {
	t.Helper()
	var all []entry
	for _, m := range metricRow.FindAllStringSubmatch(metricsGuide(t), -1) {
		e := entry{name: m[1], kind: m[2], example: m[4]}
		for _, label := range code.FindAllStringSubmatch(m[3], -1) {
			e.labels = append(e.labels, label[1])
		}
		slices.Sort(e.labels)
		all = append(all, e)
	}
	return all
}

func metricsGuide(t *testing.T) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("..", "docs", "metrics.md"))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}
