package integration

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// query asks the stack's Prometheus and returns the value of the single series that answers.
func (s *stack) query(t *testing.T, promql string) (float64, error) {
	t.Helper()
	var got struct {
		Data struct {
			Result []struct{ Value [2]any }
		}
	}
	do(t, "GET", s.prometheus+"/api/v1/query?query="+url.QueryEscape(promql), nil).want(t, http.StatusOK).decode(t, &got)
	if len(got.Data.Result) != 1 {
		return 0, fmt.Errorf("%s gives %d series", promql, len(got.Data.Result))
	}
	return strconv.ParseFloat(got.Data.Result[0].Value[1].(string), 64)
}

func prometheusSeesEverything(t *testing.T, s *stack) {
	eventually(t, func() error {
		var targets struct {
			Data struct {
				ActiveTargets []struct {
					Labels struct{ Job string }
					Health string
				}
			}
		}
		do(t, "GET", s.prometheus+"/api/v1/targets", nil).want(t, http.StatusOK).decode(t, &targets)
		var jobs []string
		for _, target := range targets.Data.ActiveTargets {
			if target.Health != "up" {
				return fmt.Errorf("target %s is %s", target.Labels.Job, target.Health)
			}
			jobs = append(jobs, target.Labels.Job)
		}
		for _, job := range []string{"fluidmcp-gateway", "fluidmcp-supervisor", "vllm"} {
			if !slices.Contains(jobs, job) {
				return fmt.Errorf("no target of job %s among %v", job, jobs)
			}
		}
		return nil
	})
	if err := s.ask(t, mockLLM); err != nil {
		t.Fatal(err)
	}
	// What the gateway counted is what Prometheus has to say once it has scraped again.
	sent := s.scrape(t, s.gateway).sum("fluidmcp_requests_total", "model", mockLLM)
	eventually(t, func() error {
		got, err := s.query(t, `sum(fluidmcp_requests_total{model="mock-llm"})`)
		if err == nil && got != sent {
			err = fmt.Errorf("Prometheus counts %v requests, the gateway %v", got, sent)
		}
		return err
	})
	eventually(t, func() error {
		got, err := s.query(t, `sum(vllm:request_success_total{model_name="mock-model"})`)
		if err == nil && got == 0 {
			err = fmt.Errorf("no request at the model server")
		}
		return err
	})
}

// dashboardQueries runs every query of every panel. An error is a query that Prometheus cannot read; a metric that no
// service has is a panel that stays empty for ever.
func dashboardQueries(t *testing.T, s *stack) {
	for _, file := range dashboards(t) {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var board any
		if err := json.Unmarshal(content, &board); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		queries := slices.Compact(exprs(board))
		if len(queries) < 5 {
			t.Errorf("%s has %d queries", file, len(queries))
		}
		for _, q := range queries {
			promql := strings.NewReplacer("$__rate_interval", "1m", "$__range", "1m", "$model", ".*", "${model}", ".*", "$__interval", "15s").Replace(q)
			a := do(t, "GET", s.prometheus+"/api/v1/query?query="+url.QueryEscape(promql), nil)
			if a.status != http.StatusOK {
				t.Errorf("%s: query %s: %s", file, promql, a.body)
			}
			for _, name := range metricName.FindAllString(promql, -1) {
				name = strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(name, "_bucket"), "_sum"), "_count")
				if !seldom[name] && !s.known(t, name) {
					t.Errorf("%s: query %s: no service has %s", file, promql, name)
				}
			}
		}
	}
}

var metricName = regexp.MustCompile(`\b(fluidmcp_|vllm:)\w+`)

// seldom are counters that have no series before something happens that cannot happen in this stack: each model has one
// server, so nothing is tried elsewhere, and nobody restarts what is external.
var seldom = map[string]bool{"fluidmcp_retries_total": true, "fluidmcp_model_restarts_total": true}

// known tells whether Prometheus has met a metric, by the descriptions that come with every scrape.
func (s *stack) known(t *testing.T, name string) bool {
	t.Helper()
	var got struct{ Data map[string]any }
	do(t, "GET", s.prometheus+"/api/v1/metadata?metric="+url.QueryEscape(name), nil).want(t, http.StatusOK).decode(t, &got)
	return len(got.Data) > 0
}

func dashboards(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("../deploy/grafana/dashboards/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no dashboards: %v", err)
	}
	return files
}

// exprs collects the queries anywhere in a dashboard.
func exprs(node any) []string {
	var found []string
	switch n := node.(type) {
	case map[string]any:
		if e, ok := n["expr"].(string); ok {
			found = append(found, e)
		}
		for _, key := range slices.Sorted(maps.Keys(n)) {
			found = append(found, exprs(n[key])...)
		}
	case []any:
		for _, child := range n {
			found = append(found, exprs(child)...)
		}
	}
	return found
}
