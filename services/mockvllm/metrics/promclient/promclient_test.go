package promclient_test

import (
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/metrics/promclient"
)

// text is how one process tells of families, without the times of creation.
func text(families ...*promclient.Family) string {
	var kept []string
	for line := range strings.Lines(string(promclient.Format{}.Append(nil, families))) {
		if !strings.Contains(line, "_created") {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "")
}

// TestFloats: numbers are spelled as Python's repr does, but with an exponent from a million up.
func TestFloats(t *testing.T) {
	f := func(v float64, want string) {
		t.Helper()
		gauge := &promclient.Family{Name: "g", Help: "h", Kind: promclient.Gauge}
		gauge.With(nil).Set(v)
		if _, got, _ := strings.Cut(text(gauge), "\ng "); got != want+"\n" {
			t.Errorf("%v is written %s, want %s", v, got, want)
		}
	}
	f(0, "0.0")
	f(12, "12.0")
	f(.001, "0.001")
	f(.00001, "1e-05")
	f(999999, "999999.0")
	f(1e6, "1e+06")
	f(1048576, "1.048576e+06")
	f(963395584, "9.63395584e+08")
	f(1795399490.181928, "1.795399490181928e+09")
	f(21.919999999999998, "21.919999999999998")
	f(123456.75, "123456.75")
	f(1234567.75, "1.23456775e+06")
	f(1e16, "1e+16")
	f(-3, "-3.0")
	f(-1234567, "-1234567.0")
	f(math.Inf(1), "+Inf")
	f(math.Inf(-1), "-Inf")
	f(math.NaN(), "NaN")
}

// TestKinds: each kind of family has samples of its own, and the label sets stay in the order in which they came, their names sorted.
func TestKinds(t *testing.T) {
	counter := &promclient.Family{Name: "c", Help: "Counts.", Kind: promclient.Counter}
	counter.With(promclient.Labels{"b": "2", "a": "1"}).Add(3)
	counter.Of(promclient.Labels{"b": "2", "a": "0"}).Inc()
	counter.Of(promclient.Labels{"a": "1", "b": "2"}).Inc()
	histogram := &promclient.Family{Name: "h", Help: "Sorts.", Kind: promclient.Histogram, Bounds: []float64{1, 2}}
	sorted := histogram.With(promclient.Labels{"n": "x", "k": "y"})
	sorted.Observe(1)
	sorted.ObserveTimes(2, 5)
	summary := &promclient.Family{Name: "s", Help: "Sums.", Kind: promclient.Summary}
	summary.With(nil).ObserveTimes(2, 1.5)
	want := `# HELP c_total Counts.
# TYPE c_total counter
c_total{a="1",b="2"} 4.0
c_total{a="0",b="2"} 1.0
# HELP h Sorts.
# TYPE h histogram
h_bucket{k="y",le="1.0",n="x"} 1.0
h_bucket{k="y",le="2.0",n="x"} 1.0
h_bucket{k="y",le="+Inf",n="x"} 3.0
h_count{k="y",n="x"} 3.0
h_sum{k="y",n="x"} 11.0
# HELP s Sums.
# TYPE s summary
s_count 2.0
s_sum 3.0
`
	if got := text(counter, histogram, summary); got != want || counter.Len() != 2 {
		t.Errorf("%d label sets, %s", counter.Len(), got)
	}
}

// TestQuotedLabels: escaped names leave values alone.
func TestQuotedLabels(t *testing.T) {
	f := &promclient.Family{Name: "f", Help: "h", Kind: promclient.Gauge}
	f.With(promclient.Labels{"a_b": `c_"d_\`, "e": "f"})
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header.Set("Accept", "text/plain;version=1.0.0;escaping=dots")
	w := httptest.NewRecorder()
	promclient.Serve(w, r, false, func(b []byte, format promclient.Format) []byte { return format.Append(b, []*promclient.Family{f}) })
	if got := w.Body.String(); !strings.Contains(got, `f{a__b="c_\"d_\\",e="f"} 0.0`) {
		t.Error(got)
	}
}
