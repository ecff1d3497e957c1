package integration

import (
	"fmt"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"testing"
)

// query asks the stack's Prometheus and returns the value of the single series that answers.
func (s *stack) query(t *testing.T, promql string) (float64, error) {
	t.Helper()
	values, err := s.values(t, promql)
	if err == nil && len(values) != 1 {
		err = fmt.Errorf("%s gives %d series", promql, len(values))
	}
	if err != nil {
		return 0, err
	}
	return values[0], nil
}

// values asks the stack's Prometheus and returns what its series have now, without those that are not a number.
func (s *stack) values(t *testing.T, promql string) ([]float64, error) {
	t.Helper()
	a := do(t, "GET", s.prometheus+"/api/v1/query?query="+url.QueryEscape(promql), nil)
	if a.status != http.StatusOK {
		return nil, fmt.Errorf("query %s: %s", promql, a.body)
	}
	var got struct {
		Data struct {
			Result []struct{ Value [2]any }
		}
	}
	a.decode(t, &got)
	var values []float64
	for _, r := range got.Data.Result {
		v, err := strconv.ParseFloat(r.Value[1].(string), 64)
		if err != nil {
			return nil, fmt.Errorf("query %s: %w", promql, err)
		}
		if !math.IsNaN(v) {
			values = append(values, v)
		}
	}
	return values, nil
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
	// What the gateway counted is what Prometheus has to say once it has scraped again. A request is counted just after its end.
	eventually(t, func() error {
		sent := s.scrape(t, s.gateway).sum("fluidmcp_requests_total", "model", mockLLM)
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
