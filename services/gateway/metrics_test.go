package gateway_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestMetricNames holds the names and labels that dashboards and alerts are built on.
func TestMetricNames(t *testing.T) {
	b := newBackend(t, func(c *exchange) {
		if c.n == 0 {
			c.conn.Close()
			return
		}
		vllm(c)
	})
	f := start(t, nil, model("m", b.URL, b.URL))
	f.post("/llm/m/chat/completions", `{"stream":true}`)
	f.post("/llm/m/chat/completions", `{"model":"m","model":"m"}`)
	f.awaitMetric(`fluidmcp_errors_total{model="m",reason="bad_request"}`, 1)

	series := regexp.MustCompile(`^(fluidmcp_\w+)(?:\{([^}]*)\})? `)
	label := regexp.MustCompile(`(\w+)="`)
	var got []string
	for line := range strings.Lines(f.do("GET", "/metrics", "").body) {
		m := series.FindStringSubmatch(line)
		if m == nil || strings.HasSuffix(m[1], "_bucket") || strings.HasSuffix(m[1], "_sum") {
			continue
		}
		name := m[1]
		for _, l := range label.FindAllStringSubmatch(m[2], -1) {
			name += " " + l[1]
		}
		if !slices.Contains(got, name) {
			got = append(got, name)
		}
	}
	slices.Sort(got)
	want := []string{
		"fluidmcp_backend_connections state",
		"fluidmcp_backend_ejected backend model",
		"fluidmcp_backend_inflight backend model",
		"fluidmcp_backend_up backend model",
		"fluidmcp_buffered_bytes",
		"fluidmcp_build_info goversion revision version",
		"fluidmcp_errors_total model reason",
		"fluidmcp_fleet_age_seconds",
		"fluidmcp_gateway_overhead_seconds_count model",
		"fluidmcp_inflight_requests model",
		"fluidmcp_inter_token_seconds_count model",
		"fluidmcp_model_info model served_name",
		"fluidmcp_queue_wait_seconds_count model",
		"fluidmcp_queued_requests model",
		"fluidmcp_rate_limited_total limit model",
		"fluidmcp_reload_failures_total file",
		"fluidmcp_request_duration_seconds_count endpoint model",
		"fluidmcp_requests_total code endpoint model",
		"fluidmcp_retries_total model reason",
		"fluidmcp_streams_total model outcome",
		"fluidmcp_supervisor_connected",
		"fluidmcp_time_to_first_token_seconds_count model",
		"fluidmcp_tokens_total model type",
		"fluidmcp_upstream_attempts_total backend model outcome",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("metrics (-want +got):\n%s", diff)
	}
}

// TestLabelsAreNotClientStrings: what clients make up never becomes a series.
func TestLabelsAreNotClientStrings(t *testing.T) {
	b := newBackend(t, vllm)
	f := start(t, nil, model("m", b.URL), model("n", b.URL))
	f.post("/llm/evil-1/chat/completions", hello)
	f.post("/v1/chat/completions", `{"model":"evil-2"}`)
	f.post("/llm/m/v1/evil-3", hello)
	f.post("/llm/m/evil-4", hello)
	f.do("POST", "/llm/m/chat/completions", hello, "X-Request-Id", "evil-5")
	f.awaitMetric(`fluidmcp_requests_total{code="200",endpoint="other",model="m"}`, 2)
	f.awaitMetric(`fluidmcp_requests_total{code="404",endpoint="other",model="unknown"}`, 1)
	f.awaitMetric(`fluidmcp_requests_total{code="404",endpoint="chat_completions",model="unknown"}`, 1)
	if scrape := f.do("GET", "/metrics", "").body; strings.Contains(scrape, "evil") {
		t.Errorf("a client's string is in the metrics: %s", scrape)
	}
}

// TestRareEventsBeginAtZero: a counter whose first value is 1 has no rise, so the first event would be missed by alerts.
func TestRareEventsBeginAtZero(t *testing.T) {
	f := start(t, nil, model("m", newBackend(t, vllm).URL))
	f.awaitMetric(`fluidmcp_model_info{model="m",served_name="m-served"}`, 1)
	for _, series := range []string{`fluidmcp_errors_total{model="m",reason="interrupted"}`, `fluidmcp_errors_total{model="unknown",reason="internal"}`,
		`fluidmcp_streams_total{model="m",outcome="interrupted"}`} {
		if scrape := f.do("GET", "/metrics", "").body; !strings.Contains(scrape, series+" 0\n") {
			t.Errorf("no %s in %s", series, scrape)
		}
	}
}
