package latency

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const ms = time.Millisecond

func TestParse(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		d, err := Parse(text)
		got := d.String()
		if err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%q gives %s, want %s", text, got, want)
		}
	}
	f("200ms", "200ms")
	f("0", "0s")
	f("1.5us", "1.5µs")
	f("normal:200ms,20ms", "normal:200ms,20ms")
	f("lognormal:1s, 500us", "lognormal:1s,500µs")
	f("normal:0s,1ms", "normal:0s,1ms")
	f("", `"" is not a time such as 200ms or 1.5s`)
	f("200", `"200" is not a time such as 200ms or 1.5s`)
	f("-1ms", `"-1ms" is negative`)
	f("2000h", `"2000h" is longer than 1000h0m0s`)
	f("uniform:1ms,2ms", `"uniform:1ms,2ms": distribution "uniform" is not known, use normal or lognormal`)
	f(":1ms,2ms", `":1ms,2ms": distribution "" is not known, use normal or lognormal`)
	f("normal:200ms", `"normal:200ms": give mean and standard deviation, such as normal:200ms,20ms`)
	f("normal:200ms,x", `"x" is not a time such as 200ms or 1.5s`)
	f("normal:x,1ms", `"x" is not a time such as 200ms or 1.5s`)
	f("normal:1ms,1ms,1ms", `"1ms,1ms" is not a time such as 200ms or 1.5s`)
	f("lognormal:0s,1ms", `"lognormal:0s,1ms": the mean of a lognormal distribution is positive`)
}

func FuzzParse(f *testing.F) {
	for _, text := range []string{"200ms", "normal:200ms,20ms", "lognormal:200ms,50ms", "normal:,", ":", "1h1m1s1us"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d, err := Parse(text)
		if err != nil {
			return
		}
		again, err := Parse(d.String())
		if err != nil || again != d {
			t.Errorf("%q is read as %s, which is read as %s, %v", text, d, again, err)
		}
		m := Model{TTFT: d, ITL: d}
		for _, drawn := range draw(&m, "x", 10) {
			if drawn < 0 || drawn > longest {
				t.Errorf("%s gives %s", d, drawn)
			}
		}
	})
}

// draw gives the first delays of a request.
func draw(m *Model, id string, n int) []time.Duration {
	delays := m.Delays(id)
	drawn := []time.Duration{delays.First()}
	for len(drawn) < n {
		drawn = append(drawn, delays.Next())
	}
	return drawn
}

func distribution(t *testing.T, text string) Distribution {
	t.Helper()
	d, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestDistributionsHaveTheirMeanAndDeviation(t *testing.T) {
	f := func(text string, mean, dev time.Duration) {
		t.Helper()
		const n = 100_000
		m := Model{ITL: distribution(t, text)}
		var sum, squares float64
		for _, d := range draw(&m, "x", n) {
			if d%time.Microsecond != 0 || d < 0 {
				t.Fatalf("%s gives %s", text, d)
			}
			sum += d.Seconds()
			squares += d.Seconds() * d.Seconds()
		}
		gotMean := sum / n
		gotDev := math.Sqrt(squares/n - gotMean*gotMean)
		if math.Abs(gotMean/mean.Seconds()-1) > 0.01 || math.Abs(gotDev-dev.Seconds()) > 0.03*mean.Seconds() {
			t.Errorf("%s has a mean of %g and a deviation of %g", text, gotMean, gotDev)
		}
	}
	f("20ms", 20*ms, 0)
	f("normal:20ms,0s", 20*ms, 0)
	f("normal:20ms,5ms", 20*ms, 5*ms)
	f("lognormal:20ms,5ms", 20*ms, 5*ms)
	f("lognormal:20ms,20ms", 20*ms, 20*ms)
}

func TestDelaysDependOnSeedAndIDAlone(t *testing.T) {
	model := func(seed int64) *Model {
		return &Model{TTFT: distribution(t, "lognormal:200ms,50ms"), ITL: distribution(t, "normal:20ms,5ms"), Seed: seed}
	}
	same := draw(model(1), "a", 50)
	if diff := cmp.Diff(same, draw(model(1), "a", 50)); diff != "" {
		t.Errorf("the same request has other delays:\n%s", diff)
	}
	for _, other := range [][]time.Duration{draw(model(1), "b", 50), draw(model(2), "a", 50)} {
		if slices.Equal(same, other) {
			t.Error("another id or seed makes no difference")
		}
	}
	scaled := model(1)
	scaled.Scale = 0.5
	for i, d := range draw(scaled, "a", 50) {
		if d != same[i]/2 {
			t.Errorf("delay %d is %s with a scale of 0.5, and %s without", i, d, same[i])
		}
	}
	m := Model{TTFT: Constant(1500 * time.Nanosecond), ITL: Constant(7), Scale: 2}
	if diff := cmp.Diff([]time.Duration{3000, 14, 14}, draw(&m, "", 3)); diff != "" || m.MeanITL() != 14 {
		t.Errorf("constant delays are exact; mean %s:\n%s", m.MeanITL(), diff)
	}
}

const profile = `{"prefill_tokens_per_second": 8000, "step_base_us": 5000, "step_per_sequence_us": 50, "step_per_context_token_us": 0.02}`

func TestProfile(t *testing.T) {
	p, err := parseProfile([]byte(profile))
	if err != nil {
		t.Fatal(err)
	}
	f := func(b Batch, scale float64, want time.Duration) {
		t.Helper()
		m := Model{Profile: p, Scale: scale}
		if got := m.Step(b); got != want {
			t.Errorf("a step with %+v takes %s, want %s", b, got, want)
		}
	}
	f(Batch{}, 0, 5*ms)
	f(Batch{Prefill: 80}, 0, 15*ms)
	f(Batch{Sequences: 10, Context: 100_000}, 0, 5*ms+500*time.Microsecond+2*ms)
	f(Batch{Prefill: 80}, 0.1, 1500*time.Microsecond)
	f(Batch{Prefill: math.MaxInt}, 1, longest)
	if got := new(Model).Step(Batch{Prefill: 1e6}); got != 0 {
		t.Errorf("without a profile a step takes %s", got)
	}
}

func TestProfilesThatAreWrong(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		path := filepath.Join(t.TempDir(), "profile.json")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := LoadProfile(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s gives %v, want %s", text, err, want)
		}
	}
	f(`{}`, "prefill_tokens_per_second: 0 is not positive")
	f(`{"prefill_tokens_per_second": -1, "step_base_us": -2}`, "step_base_us: -2 is not within 0 and 3600000000000")
	f(`{"prefill_tokens_per_second": 1, "step_per_sequence_us": 1e18}`, "step_per_sequence_us: 1e+18 is not within")
	f(`{"prefill_tokens_per_second": "1"}`, "cannot unmarshal string")
	f(`{"prefill_tokens_per_second": 1, "speed": 2}`, `unknown field "speed"`)
	f(profile+profile, "more than one JSON value")
	f(profile+"]", "more than one JSON value")
	f(``, "EOF")
	if _, err := LoadProfile(filepath.Join(t.TempDir(), "none")); err == nil || !strings.Contains(err.Error(), "open profile") {
		t.Errorf("no file: %v", err)
	}
}

func FuzzParseProfile(f *testing.F) {
	for _, text := range []string{profile, `{}`, `{"prefill_tokens_per_second": 1e-320}`, `{"prefill_tokens_per_second": 1e400}`, `[`} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := parseProfile(text)
		if err != nil {
			return
		}
		m := Model{Profile: p}
		for _, b := range []Batch{{}, {Prefill: 1, Sequences: 1, Context: 1}, {Prefill: math.MaxInt, Sequences: math.MaxInt, Context: math.MaxInt}} {
			if d := m.Step(b); d < 0 || d > longest {
				t.Errorf("%s: a step takes %s", text, d)
			}
		}
	})
}
