package main

import "fmt"

// Expressions that several panels ask in the same way. of selects series: `model="$model"`.

// rate is how much a counter grows in a second, summed up by labels.
func rate(by, metric, of string) string {
	return fmt.Sprintf("sum by (%s) (rate(%s{%s}[$__rate_interval]))", by, metric, of)
}

// quantile is a quantile of a histogram; by is "" or more labels with a comma at the end.
func quantile(q, by, metric, of string) string {
	return fmt.Sprintf("histogram_quantile(%s, sum by (%sle) (rate(%s_bucket{%s}[$__rate_interval])))", q, by, metric, of)
}

// mean is the mean of what a histogram counted.
func mean(by, metric, of string) string {
	return fmt.Sprintf("sum by (%s) (rate(%s_sum{%s}[$__rate_interval])) / sum by (%s) (rate(%s_count{%s}[$__rate_interval]))",
		by, metric, of, by, metric, of)
}

// heatOf counts a histogram's observations by bucket for a heat map.
func heatOf(metric, of string) string {
	return fmt.Sprintf("sum by (le) (increase(%s_bucket{%s}[$__rate_interval]))", metric, of)
}

const (
	failedReasons = `reason!~"bad_request|upstream_4xx|client_closed|auth|rate_limited|deadline"` // as in deploy/rules/slo.yaml
	clientReasons = `reason=~"bad_request|upstream_4xx|client_closed|auth|rate_limited|deadline"`

	errorBudget = "(1 - scalar(fluidmcp:availability:objective))"
)

// burning is how many times too fast an error budget is used up.
func burning(window, of string) string {
	return fmt.Sprintf("max(model:fluidmcp_requests_failed:ratio_rate%s{%s}) / %s", window, of, errorBudget)
}

// The limits of the alerts, so that a panel changes its colour when they fire.
var (
	burnLimits   = []limit{{0, good}, {1, worse}, {6, "dark-orange"}, {14.4, bad}}
	failedLimits = []limit{{0, good}, {.005, worse}, {.072, bad}}
	slowLimits   = []limit{{0, good}, {2.5, bad}}
	anyLimits    = []limit{{0, good}, {1, bad}}
	noLimits     = []limit{{0, plain}}
)

// present leaves out what is not a number, such as a quantile of nothing: Grafana would show NaN and not that there is none.
func present(expr string) string { return expr + " >= 0" }

// restarts are marked on all graphs. at selects among the scraped model servers, which do not know the gateway's models.
func restarts(of, at string) []event {
	return []event{
		{"Restarts by the supervisor", bad, "sum by (model, reason) (increase(fluidmcp_model_restarts_total{" + of + "}[$__rate_interval])) > 0",
			"{{model}} was restarted: {{reason}}"},
		{"Model servers that began anew", worse, `(changes(process_start_time_seconds{job="vllm"}[$__rate_interval])` + at + ") > 0", "{{instance}} began anew"},
	}
}

func toDocs() link {
	return link{"What the metrics mean", "docs/metrics.md: every metric, the objectives, what to do about each alert", docs}
}
