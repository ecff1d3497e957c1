package integration

import (
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// processesMonitored: a Prometheus beside model servers that the supervisor starts sees what containers do not show, which is
// that it started one anew, and that people stopped one.
func processesMonitored(t *testing.T, s *stack) {
	with := *s
	with.prometheus = s.startPrometheus(t)
	prometheusSeesEverything(t, &with)
	for _, q := range with.questions(t) { // about servers that began before Prometheus looked, as most do
		if !strings.Contains(q.expr, "fluidmcp_model_start_seconds") {
			continue
		}
		if values, err := with.values(t, q.expr); err != nil || len(values) == 0 {
			t.Errorf("%s: no answer (%v)", q.where, err)
		}
	}
	s.kill(t, mockGPT)
	eventually(t, func() error {
		_, err := with.query(t, `ALERTS{alertname="FluidMCPModelRestarted",alertstate="firing",severity="warning",model="mock-gpt",reason="exited"}`)
		return err
	})
	eventually(t, func() error { return s.ask(t, mockGPT) })
	stoppedIsMeant(t, &with)
	everyQueryAnswered(t, &with)
}

// stoppedIsMeant: nobody is woken by a model that people stopped, although it has no server.
func stoppedIsMeant(t *testing.T, s *stack) {
	t.Helper()
	s.command(t, mockLlama, "stop")
	s.waitPhase(t, mockLlama, "stopped")
	eventually(t, func() error {
		_, err := s.query(t, `max by (model) (fluidmcp_backend_up{model="mock-llama"}) == 0
			and on (model) fluidmcp_model_phase{model="mock-llama",phase="stopped"} == 1`)
		return err
	})
	for _, r := range rules(t) {
		if r.Alert != "FluidMCPNoReadyBackend" {
			continue
		}
		if values, err := s.values(t, "("+r.Expr+`) and on (model) label_replace(vector(1), "model", "mock-llama", "", "")`); err != nil || len(values) > 0 {
			t.Errorf("%s is about to fire for a stopped model (%v)", r.Alert, err)
		}
	}
	s.command(t, mockLlama, "start")
	eventually(t, func() error { return s.ask(t, mockLlama) })
}

// startPrometheus runs a Prometheus with deploy/rules that scrapes the stack, and returns its address.
func (s *stack) startPrometheus(t *testing.T) string {
	t.Helper()
	folder, err := filepath.Abs("../deploy/rules")
	if err != nil {
		t.Fatal(err)
	}
	host := func(base string) string {
		u, err := url.Parse(base)
		if err != nil {
			t.Fatal(err)
		}
		return u.Host
	}
	var servers []string
	for _, base := range s.mocks {
		servers = append(servers, host(base))
	}
	data := t.TempDir()
	file := filepath.Join(data, "prometheus.yml")
	content := fmt.Sprintf(`global: {scrape_interval: 1s, evaluation_interval: 1s}
rule_files: ["%s/*.yaml"]
scrape_configs:
  - {job_name: fluidmcp-gateway, static_configs: [{targets: ["%s"]}]}
  - {job_name: fluidmcp-supervisor, static_configs: [{targets: ["%s"]}]}
  - {job_name: vllm, static_configs: [{targets: ["%s"]}]}
`, folder, host(s.gateway), host(s.supervisor), strings.Join(servers, `", "`))
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	address := fmt.Sprintf("127.0.0.1:%d", freePorts(t, 1)[0])
	start(t, exec.Command(tool(t, "prometheus"), "--config.file="+file, "--storage.tsdb.path="+data, "--web.listen-address="+address)).
		waitLine(t, "Server is ready to receive web requests")
	return "http://" + address
}
