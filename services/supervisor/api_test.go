package supervisor_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest"
	"go.uber.org/zap/zaptest/observer"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
	"github.com/fluidmcp/fluidmcp/services/supervisor"
	"github.com/fluidmcp/fluidmcp/services/supervisor/report"
)

// partner is an external model server.
func partner(t *testing.T) (url string) {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer sk-partner" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		fmt.Fprint(w, `{"data": [{"id": "large"}]}`)
	}))
	t.Cleanup(srv.Close)
	return srv.URL
}

func external(url string) string {
	return `"org/partner": {"endpoints": {"base_url": "` + url + `/v1"}, "served_name": "large", "api_key": "sk-partner", "aliases": ["p"], "timeouts": {"idle": 3}}`
}

func TestManagement(t *testing.T) {
	port := freePort(t)
	s := run(t, quick(), parse(t, `"m": {`+fake(port, "")+`}`, external(partner(t))))
	feed := s.watch()
	until(t, feed, "both ready", func(s fleet.Snapshot) bool {
		return find(s, "m").Phase == fleet.Ready && find(s, "org/partner").Phase == fleet.Ready
	})
	f := func(method, path string, status int, want ...string) {
		t.Helper()
		got, body := s.do(method, path, "")
		if got != status {
			t.Errorf("%s %s: %d, want %d: %s", method, path, got, status, body)
		}
		for _, w := range want {
			if !strings.Contains(body, w) {
				t.Errorf("%s %s lacks %s: %s", method, path, w, body)
			}
		}
		if strings.Contains(body, "sk-partner") {
			t.Errorf("%s %s shows a key: %s", method, path, body)
		}
	}
	f("GET", "/health", 200, `"ok"`)
	f("GET", "/ready", 200, "ready")
	f("GET", "/v1/fleet", 200, `"m-0"`, `"idle_ns":3000000000`)
	f("GET", "/api/llm/status", 200, `"status":"ok"`, `"ready":2`, `"total":2`, `"gateways":0`)
	f("GET", "/api/llm/models", 200, `{"models":[{"id":"m"`, `{"id":"org/partner","aliases":["p"]`)
	f("GET", "/api/llm/models/m", 200, `"driver":"process"`, `"desired":"running"`, `"phase":"ready"`, `"restarts":0`,
		fmt.Sprintf(`"url":"http://localhost:%d"`, port), `"pid":`)
	for _, id := range []string{"org/partner", "org%2Fpartner"} {
		f("GET", "/api/llm/models/"+id, 200, `"driver":"external"`, `"served_name":"large"`)
		f("POST", "/api/llm/models/"+id+"/restart", 409, "external")
		f("GET", "/api/llm/models/"+id+"/logs", 409, "external")
		f("POST", "/api/llm/models/"+id+"/health-check", 200, `"healthy":true`, `"status":200`)
	}
	f("GET", "/api/llm/models/nope", 404, `"code":"model_not_found"`)
	f("POST", "/api/llm/models/nope/start", 404, "model_not_found")
	f("POST", "/api/llm/models/m/start", 202, `"phase":"ready"`)
	f("GET", "/api/llm/models/m/logs", 200, "fake vLLM says hello\n")
	f("GET", "/api/llm/models/m/logs?lines=1", 200, "hello")
	for _, lines := range []string{"0", "-1", "10001", "x", "1.5"} {
		f("GET", "/api/llm/models/m/logs?lines="+lines, 400, "from 1 to 10000", `"param":"lines"`)
	}
	f("GET", "/api/llm/models/m/start", 405, "method_not_allowed")
	f("PUT", "/api/llm/models", 405)
	f("GET", "/nowhere", 404, "path_not_found")
	f("POST", "/v1/gateways/g/heartbeat", 400, "not a heartbeat")

	f("POST", "/api/llm/models/org/partner/stop", 202)
	phase(t, feed, "org/partner", fleet.Stopped)
	f("GET", "/api/llm/status", 200, `"status":"ok"`, `"ready":1`)
	f("POST", "/api/llm/models/org/partner/start", 202)
	phase(t, feed, "org/partner", fleet.Ready)
}

func TestHealthCheckOfADeadModel(t *testing.T) {
	s := run(t, quick(), parse(t, `"m": {"endpoints": {"base_url": "http://localhost:`+fmt.Sprint(freePort(t))+`"}}`))
	feed := s.watch()
	until(t, feed, "why", func(s fleet.Snapshot) bool { return find(s, "m").Message == "connection refused" })
	_, body := s.do("POST", "/api/llm/models/m/health-check", "")
	check := decode[report.HealthCheck](t, body)
	if check.Healthy || check.Instances[0].Error != "connection refused" || check.Instances[0].Status != 0 {
		t.Errorf("%s", body)
	}
	if _, body := s.do("GET", "/api/llm/status", ""); !strings.Contains(body, `"degraded"`) {
		t.Errorf("%s", body)
	}
}

func TestTokenGuardsAndReleasesKeys(t *testing.T) {
	url := partner(t)
	cfg := quick()
	cfg.Token = "token"
	s := run(t, cfg, parse(t, external(url)))
	if b := find(phase(t, s.watch(), "org/partner", fleet.Ready), "org/partner").Backends[0]; b.APIKey != "sk-partner" {
		t.Errorf("with a token the feed gives the key %q", b.APIKey)
	}
	if _, body := s.do("GET", "/api/llm/models", ""); strings.Contains(body, "sk-partner") {
		t.Errorf("management shows the key: %s", body)
	}
	s.token = ""
	for _, path := range []string{"/v1/fleet", "/v1/fleet?watch=1", "/api/llm/status", "/api/llm/models/org/partner"} {
		if status, body := s.do("GET", path, ""); status != http.StatusUnauthorized || !strings.Contains(body, "invalid_token") {
			t.Errorf("%s without a token: %d %s", path, status, body)
		}
	}
	for _, path := range []string{"/health", "/ready", "/metrics"} {
		if status, _ := s.do("GET", path, ""); status != http.StatusOK {
			t.Errorf("%s without a token: %d", path, status)
		}
	}

	open := run(t, quick(), parse(t, external(url)))
	if b := find(phase(t, open.watch(), "org/partner", fleet.Ready), "org/partner").Backends[0]; b.APIKey != "" {
		t.Error("without a token the feed gives the key away")
	}
}

func TestOtherSitesCannotManage(t *testing.T) {
	s := run(t, quick(), parse(t, external(partner(t))))
	phase(t, s.watch(), "org/partner", fleet.Ready)
	for _, host := range []string{"", "evil.example"} { // its name may have been made to lead here
		req, err := http.NewRequest(http.MethodPost, s.url+"/api/llm/models/org/partner/stop", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Host = host
		req.Header.Set("Origin", "http://evil.example")
		resp, err := s.client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusForbidden {
			t.Errorf("a page of another site gets %s as host %q", resp.Status, host)
		}
	}
	if m := s.model("org/partner"); m.Desired != "running" {
		t.Errorf("and stopped the model: %+v", m)
	}
}

func TestMetrics(t *testing.T) {
	s := run(t, quick(), parse(t, `"m": {`+fake(freePort(t), "")+`}`))
	feed := s.watch()
	phase(t, feed, "m", fleet.Ready)
	s.do(http.MethodPost, "/api/llm/models/m/restart?force=true", "")
	s.restarted(feed, "m", 1)
	_, body := s.do("GET", "/metrics", "")
	lines := strings.Split(body, "\n")
	for _, want := range []string{
		`fluidmcp_model_phase{instance="m-0",model="m",phase="ready"} 1`,
		`fluidmcp_model_phase{instance="m-0",model="m",phase="starting"} 0`,
		`fluidmcp_model_restarts_total{model="m",reason="requested"} 1`,
		`fluidmcp_model_restarts_total{model="m",reason="exited"} 0`,
		`fluidmcp_model_start_seconds_count{model="m"} 2`,
	} {
		if !slices.Contains(lines, want) {
			t.Errorf("no line %s", want)
		}
	}
	if !strings.Contains(body, `fluidmcp_model_uptime_seconds{instance="m-0",model="m"} `) || !strings.Contains(body, "fluidmcp_build_info") {
		t.Error("no uptime or build info")
	}
}

// TestOpenToOthers: a supervisor that other machines may reach says so, where it asks for no token.
func TestOpenToOthers(t *testing.T) {
	f := func(addr, token string, want int) {
		t.Helper()
		cfg := quick()
		cfg.Addr, cfg.Token = addr, token
		core, logged := observer.New(zap.WarnLevel)
		runLogged(t, cfg, parse(t, external(partner(t))), zap.New(core))
		if got := logged.FilterMessageSnippet("set SUPERVISOR_TOKEN, and").Len(); got != want {
			t.Errorf("%s with token %q: %d warnings, want %d", addr, token, got, want)
		}
	}
	f("127.0.0.1:8098", "", 0)
	f(":8098", "secret", 0)
	f(":8098", "", 1)
	f("192.0.2.1:8098", "", 1)
}

func TestNewRefuses(t *testing.T) {
	f := func(cfg supervisor.Config, deps supervisor.Deps, want ...string) {
		t.Helper()
		deps.Log = zaptest.NewLogger(t)
		_, err := supervisor.New(cfg, deps)
		for _, w := range want {
			if err == nil || !strings.Contains(err.Error(), w) {
				t.Errorf("want %q, got %v", w, err)
			}
		}
	}
	f(supervisor.Default(), supervisor.Deps{}, "set SUPERVISOR_MODELS")
	f(supervisor.Config{LogLevel: "loud"}, supervisor.Deps{}, `SUPERVISOR_LOG_LEVEL "loud"`, "SUPERVISOR_DRAIN_TIMEOUT 0s",
		"SUPERVISOR_START_TIMEOUT", "SUPERVISOR_PROBE_STARTING", "SUPERVISOR_PROBE_INTERVAL")
	missing := supervisor.Default()
	missing.Models = t.TempDir() + "/none.json"
	f(missing, supervisor.Deps{}, "does not exist")
	f(supervisor.Default(), supervisor.Deps{Models: parse(t,
		`"b": {"deployment": {"name": "x"}, "endpoints": {"base_url": "http://h"}}`)},
		`model "b": driver kubernetes is not available yet`)
}
