package telemetry

import (
	"bytes"
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"

	"go.uber.org/zap"
)

func TestNewLogger(t *testing.T) {
	var out bytes.Buffer
	log, err := NewLogger(&out, "info")
	if err != nil {
		t.Fatal(err)
	}
	log.Debug("hidden")
	log.Info("shown", zap.String("model", "m"))
	var line struct{ Level, Msg, Model string }
	if err := json.Unmarshal(out.Bytes(), &line); err != nil {
		t.Fatalf("not one JSON line: %v in %q", err, out.String())
	}
	if line.Level != "info" || line.Msg != "shown" || line.Model != "m" {
		t.Errorf("line = %+v", line)
	}
}

func TestNewLoggerNamesTheLevels(t *testing.T) {
	if _, err := NewLogger(&bytes.Buffer{}, "loud"); err == nil || !strings.Contains(err.Error(), `"loud"`) {
		t.Errorf("error = %v, want one that names the level", err)
	}
}

func TestTwoRegistriesInOneProcess(t *testing.T) {
	NewRegistry()
	rec := httptest.NewRecorder()
	MetricsHandler(NewRegistry()).ServeHTTP(rec, httptest.NewRequest("GET", "/metrics", nil))
	for _, name := range []string{"fluidmcp_build_info{", "go_goroutines ", "process_cpu_seconds_total "} {
		if !strings.Contains(rec.Body.String(), name) {
			t.Errorf("no %s in the scrape", name)
		}
	}
}
