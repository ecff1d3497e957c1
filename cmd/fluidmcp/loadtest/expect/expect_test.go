package expect

import (
	"strings"
	"testing"

	"github.com/fluidmcp/fluidmcp/cmd/fluidmcp/loadtest/result"
)

var run = &result.Summary{ErrorRate: .02, RequestsPerSecond: 50, TokensPerSecond: 1000, Requests: result.Requests{OK: 98, Failed: 2},
	Latencies: map[string]result.Distribution{"ttft": {Min: 20, P50: 100, P99: 500, P999: 800, Max: 1200, Mean: 150}, "itl": {P99: .25}}}

func TestJudge(t *testing.T) {
	f := func(text string, failed bool) {
		t.Helper()
		c, err := Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if v := c.Judge(run); v.Failed != failed || v.Condition != text || v.Value == nil {
			t.Errorf("%s: %+v", text, v)
		}
	}
	f("ttft_p99 > 500ms", false)
	f("ttft_p99 >= 500ms", true)
	f("ttft_p99>=0.5s", true)
	f("ttft_p999 < 0.8s", false)
	f(" ttft_max <= 1200ms ", true)
	f("ttft_mean < 150.5ms", true)
	f("ttft_mean > .15s", false)
	f("ttft_min >= 0.02s", true)
	f("ttft_max > 1m", false)
	f("ttft_p50 > 99999us", true)
	f("itl_p99 > 249µs", true)
	f("itl_p99 > 251us", false)
	f("error_rate > 1%", true)
	f("error_rate > 0.03", false)
	f("errors >= 2", true)
	f("requests < 100", true)
	f("requests_per_second < 50", false)
	f("tokens_per_second <= 1000", true)
	f("tokens_per_second < 1e4", true)
	f("error_rate >= 2 %", true)
}

func TestNothingMeasuredFails(t *testing.T) {
	c, err := Parse("e2e_p99 > 1s")
	if err != nil {
		t.Fatal(err)
	}
	if v := c.Judge(run); !v.Failed || v.Value != nil {
		t.Errorf("%+v", v)
	}
}

func TestRefusals(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		if _, err := Parse(text); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), text) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
	f("", "requests_per_second")
	f("ttft_p99", "such as 'ttft_p99 > 500ms'")
	f("ttft_p99 = 5ms", "one of < <= > >=")
	f("ttft_p98 > 5ms", "there is no ttft_p98; names are ttft, itl")
	f("ttft_p99 > 500", "a time such as 500ms")
	f("ttft_p99 > 1%", "a time such as 500ms")
	f("error_rate > 1ms", "a share such as 1%")
	f("tokens_per_second < 1s", "a number without a unit")
	f("errors > -1", "a number without a unit")
	f("errors > NaN", "a number without a unit")
	f("ttft_p99 > -1s", "a time such as 500ms")
	f("ttft_p99 >", "write a name")
	f("errors > "+strings.Repeat("9", 400), "a number without a unit")
}

func TestPossible(t *testing.T) {
	f := func(text string, stream, open, want bool) {
		t.Helper()
		c, err := Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Possible(stream, open); (err == nil) != want {
			t.Errorf("%s, stream %v, open %v: %v", text, stream, open, err)
		}
	}
	f("ttft_p99 > 1s", true, false, true)
	f("ttft_p99 > 1s", false, true, false)
	f("itl_p99 > 1s", false, false, false)
	f("e2e_p99 > 1s", false, false, true)
	f("e2e_scheduled_p99 > 1s", false, false, false)
	f("e2e_scheduled_p99 > 1s", false, true, true)
	f("ttft_scheduled_p99 > 1s", false, true, false)
	f("error_rate > 1%", false, false, true)
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"ttft_p99 > 500ms", "error_rate>=1%", "tokens_per_second < 5", "itl_p99 > 1.5µs", "e2e_max <= .5s", "> <"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, err := Parse(text)
		if err != nil {
			return
		}
		if !(c.bound >= 0) || c.Text != text {
			t.Errorf("%q is read as %+v", text, c)
		}
		if v := c.Judge(run); v.Value == nil && !v.Failed {
			t.Errorf("%q: passes without a measurement", text)
		}
		// A value is on exactly one side of a bound.
		opposite := map[string]string{"<": ">=", ">=": "<", ">": "<=", "<=": ">"}
		other := c
		other.operator = opposite[c.operator]
		if a, b := c.Judge(run), other.Judge(run); a.Value != nil && a.Failed == b.Failed {
			t.Errorf("%q and its opposite both give %v", text, a.Failed)
		}
	})
}
