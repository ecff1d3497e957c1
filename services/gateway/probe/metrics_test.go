package probe

import (
	"bytes"
	"errors"
	"io"
	"math"
	"strings"
	"testing"
	"testing/iotest"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

func TestReadLoad(t *testing.T) {
	f := func(name, text string, want Load, wantTold bool) {
		t.Helper()
		got, told, err := readLoad(strings.NewReader(text))
		if got != want || told != wantTold || err != nil {
			t.Errorf("%s: %+v, %v, %v; want %+v, %v", name, got, told, err, want, wantTold)
		}
	}
	f("nothing", "", Load{}, false)
	f("other metrics", "# HELP a b\nup 1\nvllm:num_requests_waiting_by_reason{reason=\"capacity\"} 7\n", Load{}, false)
	f("all", running+`{engine="0"} 2.0`+"\n"+waiting+`{engine="0"} 5`+"\n"+kvUse+`{engine="0"} 0.5`+"\n", Load{2, 5, 0.5}, true)
	f("no labels, no last newline", running+" 2", Load{Running: 2}, true)
	f("a time", waiting+" 2 1700000000", Load{Waiting: 2}, true)
	f("engines", running+`{engine="0"} 2`+"\n"+running+`{engine="1"} 3`+"\n"+kvUse+`{engine="0"} 0.2`+"\n"+kvUse+`{engine="1"} 0.6`+"\n",
		Load{Running: 5, KVUse: 0.4}, true)
	f("the older name", running+" 1\nvllm:gpu_cache_usage_perc 0.75\n", Load{Running: 1, KVUse: 0.75}, true)
	f("no requests are told", kvUse+" 0.75\n", Load{KVUse: 0.75}, false)
	f("labels that look like the end", running+`{a="} 9 \"{",b="\\"} 4`+"\n", Load{Running: 4}, true)
	f("nonsense values", running+" NaN\n"+running+" -1\n"+running+" +Inf\n"+running+" 1e200\n"+running+" x\n"+running+"\n"+running+"{a=\"\n", Load{}, false)
	f("a use over 1", running+" 1\n"+kvUse+" 99\n", Load{Running: 1, KVUse: 1}, true)
	f("carriage returns and tabs", running+"\t3\r\n", Load{Running: 3}, true)
	f("a long line before", strings.Repeat("x", 3*maxLine)+"\n"+running+" 1\n", Load{Running: 1}, true)
	f("a long line that goes on as one of ours", strings.Repeat("x", maxLine)+running+" 1\n", Load{}, false)
	f("as much as may be", running+" 1\n"+strings.Repeat("\n", maxMetrics-len(running)-3), Load{Running: 1}, true)
	f("a long line of ours", running+`{a="`+strings.Repeat("x", maxLine)+"\"} 1\n"+waiting+" 1\n", Load{Waiting: 1}, true)
}

func TestReadLoadFails(t *testing.T) {
	if _, told, err := readLoad(strings.NewReader(strings.Repeat("\n", maxMetrics+1))); !errors.Is(err, errTooLong) || told {
		t.Errorf("one byte too many: %v, %v", told, err)
	}
	endless := io.MultiReader(strings.NewReader("vllm:num_requests_running 1\n"), endlessly("a 1\n"))
	if l, told, err := readLoad(endless); !errors.Is(err, errTooLong) || told || l != (Load{}) {
		t.Errorf("endless: %v, %v, %v", l, told, err)
	}
	if _, told, err := readLoad(endlessly("a")); !errors.Is(err, errTooLong) || told {
		t.Errorf("one endless line: %v, %v", told, err)
	}
	lost := errors.New("connection lost")
	if _, told, err := readLoad(io.MultiReader(strings.NewReader("vllm:num_requests_running 1\n"), iotest.ErrReader(lost))); !errors.Is(err, lost) || told {
		t.Errorf("cut: %v, %v", told, err)
	}
}

type endlessly string

func (e endlessly) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = e[i%len(e)]
	}
	return len(p), nil
}

// FuzzReadLoad: what Prometheus' own parser reads is read alike, and nothing is read out of range.
func FuzzReadLoad(f *testing.F) {
	f.Add([]byte("# TYPE vllm:num_requests_running gauge\nvllm:num_requests_running{engine=\"0\",model_name=\"m\"} 3.0\n"))
	f.Add([]byte("vllm:num_requests_waiting{a=\"\\\"} 1\"} 2 17\nvllm:kv_cache_usage_perc 1e-1\n"))
	f.Add([]byte("vllm:gpu_cache_usage_perc{} NaN\nvllm:num_requests_running 0x1p4\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		got, told, err := readLoad(bytes.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range []float64{got.Running, got.Waiting, got.KVUse} {
			if !(v >= 0) || math.IsInf(v, 0) {
				t.Fatalf("%q: %+v", text, got)
			}
		}
		parser := expfmt.NewTextParser(model.LegacyValidation)
		families, err := parser.TextToMetricFamilies(bytes.NewReader(text))
		if err != nil || len(text) > maxLine || bytes.Contains(text, []byte(`{"`)) { // a quoted name is never one of vLLM's
			return
		}
		wantRunning, some := sum(families[running])
		wantWaiting, more := sum(families[waiting])
		if got.Running != wantRunning || got.Waiting != wantWaiting || told != (some || more) {
			t.Fatalf("%q: %+v, %v; want %v and %v", text, got, told, wantRunning, wantWaiting)
		}
	})
}

func sum(f *dto.MetricFamily) (total float64, some bool) {
	for _, m := range f.GetMetric() {
		v := m.GetUntyped().GetValue() + m.GetGauge().GetValue() + m.GetCounter().GetValue() // one of them is there
		if v >= 0 && v <= 1e9 {
			total += v
			some = true
		}
	}
	return total, some
}

func BenchmarkReadLoad(b *testing.B) {
	var text strings.Builder
	for text.Len() < 60<<10 { // as much as vLLM tells
		text.WriteString("vllm:time_to_first_token_seconds_bucket{engine=\"0\",le=\"0.001\",model_name=\"tiny\"} 0.0\n")
	}
	text.WriteString("vllm:num_requests_running{engine=\"0\",model_name=\"tiny\"} 3.0\n")
	b.SetBytes(int64(text.Len()))
	b.ReportAllocs()
	for b.Loop() {
		if _, told, err := readLoad(strings.NewReader(text.String())); err != nil || !told {
			b.Fatal(told, err)
		}
	}
}
