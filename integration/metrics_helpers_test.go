package integration

import (
	"bytes"
	"fmt"
	"net/http"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// scrape is one reading of a /metrics page.
type scrape map[string]*dto.MetricFamily

func (s *stack) scrape(t *testing.T, base string) scrape {
	t.Helper()
	return parseMetrics(t, do(t, http.MethodGet, base+"/metrics", nil).want(t, http.StatusOK).body)
}

func parseMetrics(t testing.TB, text []byte) scrape {
	t.Helper()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(text))
	if err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return families
}

// sum adds up all series of a metric whose labels include the given name-value pairs. A histogram counts its observations.
func (s scrape) sum(name string, labels ...string) float64 {
	total := 0.0
	for _, m := range s[name].GetMetric() {
		if !has(m, labels) {
			continue
		}
		switch {
		case m.Counter != nil:
			total += m.Counter.GetValue()
		case m.Gauge != nil:
			total += m.Gauge.GetValue()
		case m.Histogram != nil:
			total += float64(m.Histogram.GetSampleCount())
		}
	}
	return total
}

// awaitGrowth waits until a metric of the gateway has grown by want since an earlier reading: a request is counted just after its
// last byte went out.
func (s *stack) awaitGrowth(t *testing.T, since scrape, want float64, name string, labels ...string) {
	t.Helper()
	eventually(t, func() error {
		if grew := s.scrape(t, s.gateway).sum(name, labels...) - since.sum(name, labels...); grew != want {
			return fmt.Errorf("%s%v grew by %v, want %v", name, labels, grew, want)
		}
		return nil
	})
}

// grew fails the test unless a metric has grown by want since another reading.
func (s scrape) grew(t *testing.T, since scrape, want float64, name string, labels ...string) {
	t.Helper()
	if grew := s.sum(name, labels...) - since.sum(name, labels...); grew != want {
		t.Errorf("%s%v grew by %v, want %v", name, labels, grew, want)
	}
}

func has(m *dto.Metric, labels []string) bool {
	for i := 0; i+1 < len(labels); i += 2 {
		found := false
		for _, l := range m.GetLabel() {
			found = found || l.GetName() == labels[i] && l.GetValue() == labels[i+1]
		}
		if !found {
			return false
		}
	}
	return true
}
