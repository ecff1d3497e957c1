package faults

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// decide writes one letter for each of n requests: x for a fault.
func decide(in *Injector, n int) string {
	var b strings.Builder
	for range n {
		if in.Decide("/v1/completions", true, time.Unix(0, 0)).Status != 0 {
			b.WriteByte('x')
		} else {
			b.WriteByte('o')
		}
	}
	return b.String()
}

func percentSet(seed int64, percent float64) Set {
	return Set{Seed: seed, Rules: []Rule{{Match: Match{Percent: &percent}, Do: Action{Status: 500}}}}
}

func TestSharesAreExact(t *testing.T) {
	f := func(percent float64, requests, want int) {
		t.Helper()
		for seed := range int64(5) {
			var in Injector
			in.Put(percentSet(seed, percent))
			if got := strings.Count(decide(&in, requests), "x"); got != want {
				t.Errorf("%g%% of %d requests with seed %d: %d, want %d", percent, requests, seed, got, want)
			}
		}
	}
	f(20, 10, 2)
	f(20, 1000, 200)
	f(25, 100, 25)
	f(12.5, 1000, 125)
	f(33, 100, 33)
	f(0.01, 10000, 1)
	f(0, 100, 0)
	f(100, 100, 100)
}

func TestSeedsDecide(t *testing.T) {
	var a, b, c Injector
	a.Put(percentSet(1, 20))
	b.Put(percentSet(1, 20))
	c.Put(percentSet(2, 20))
	first := decide(&a, 100)
	if second := decide(&b, 100); second != first {
		t.Errorf("one seed gives\n%s and\n%s", first, second)
	}
	if other := decide(&c, 100); other == first {
		t.Errorf("another seed gives the same")
	}
	a.Put(percentSet(1, 20))
	if again := decide(&a, 100); again != first {
		t.Errorf("rules that are set again begin with\n%s, want\n%s", again, first)
	}
}

func TestRateLimitSlides(t *testing.T) {
	var in Injector
	in.Put(Set{Rules: []Rule{{Do: Action{RateLimit: &Rate{2, Duration(time.Minute)}}}}})
	f := func(at, wantRetry time.Duration) {
		t.Helper()
		v := in.Decide("/x", true, time.Unix(0, 0).Add(at))
		if v.RetryAfter != wantRetry || (v.Status == 429) != (wantRetry > 0) {
			t.Errorf("at %s: %+v, want retry after %s", at, v, wantRetry)
		}
	}
	f(0, 0)
	f(20*time.Second, 0)
	f(30*time.Second, 30*time.Second)
	f(59*time.Second, time.Second)
	f(60*time.Second, 0)
	f(61*time.Second, 19*time.Second)
	f(80*time.Second, 0)
}

func TestRulesCombine(t *testing.T) {
	var in Injector
	in.Put(Set{Rules: []Rule{
		{Do: Action{Delay: Duration(time.Second)}},
		{Match: Match{Path: "/a"}, Do: Action{Delay: Duration(time.Second)}},
		{Match: Match{Path: "/a"}, Do: Action{Status: 503, Message: "m"}},
		{Match: Match{Path: "/a"}, Do: Action{Status: 500}},
	}})
	f := func(path string, generates bool, want Verdict) {
		t.Helper()
		if diff := cmp.Diff(want, in.Decide(path, generates, time.Unix(0, 0))); diff != "" {
			t.Errorf("%s:\n%s", path, diff)
		}
	}
	f("/a", true, Verdict{Delay: 2 * time.Second, Status: 503, Message: "m"})
	f("/a", false, Verdict{Delay: time.Second, Status: 503, Message: "m"})
	f("/b", true, Verdict{Delay: time.Second})
	f("/b", false, Verdict{})
}

func TestParse(t *testing.T) {
	f := func(text string, want ...string) {
		t.Helper()
		_, err := Parse([]byte(text))
		if len(want) == 0 {
			if err != nil {
				t.Errorf("%s: %v", text, err)
			}
			return
		}
		if err == nil || err.Error() != strings.Join(want, "\n") {
			t.Errorf("%s:\n%v\nwant\n%s", text, err, strings.Join(want, "\n"))
		}
	}
	f(`{}`)
	f(`{"seed":1,"rules":[{"match":{"path":"/v1/chat/completions","percent":20},"do":{"delay":"5s"}}]}`)
	f(`{"rules":[{"do":{"rate_limit":{"requests":10,"window":"60s"}}}]}`)
	f(`{"rules":[{"do":{"dealy":"5s"}}]}`, `read fault rules: unknown field "dealy"`)
	f(`{"rules":[{"do":{"delay":5}}]}`, `read fault rules: cannot unmarshal number into Go struct field Action.rules.do.delay of type faults.Duration`)
	f(`{} {}`, `read fault rules: text after the object`)
	f(`{"rules":[{"match":{"path":"x","percent":101},"do":{"status":200,"message":"m"}},{"do":{}},{"do":{"delay":"-1s"}},`+
		`{"do":{"status":500,"delay":"1s"}},{"do":{"rate_limit":{"requests":0,"window":"0s"}}},{"do":{"delay":"1s","message":"m"}}]}`,
		`rules[0].match.path: "x" does not begin with a slash`,
		`rules[0].match.percent: 101 is not within 0 and 100`,
		`rules[0].do.status: 200 is not an error, which are 400 to 599`,
		`rules[1].do: 0 actions, want exactly one of delay, status, rate_limit`,
		`rules[2].do.delay: -1s is negative`,
		`rules[3].do: 2 actions, want exactly one of delay, status, rate_limit`,
		`rules[4].do.rate_limit: 0 requests, want at least 1`,
		`rules[4].do.rate_limit: window of 0s, want more than 0`,
		`rules[5].do.message: only goes with a status`)
}

func TestRateFlag(t *testing.T) {
	f := func(text string, want Rate, fails bool) {
		t.Helper()
		var r RateFlag
		if err := r.UnmarshalText([]byte(text)); (err != nil) != fails || !fails && r.Rate != want {
			t.Errorf("%q: %+v, %v", text, r.Rate, err)
		}
	}
	f("10/60s", Rate{10, Duration(time.Minute)}, false)
	for _, bad := range []string{"", "10", "x/60s", "10/x", "0/60s", "10/0s"} {
		f(bad, Rate{}, true)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"seed":1,"rules":[{"match":{"percent":20},"do":{"status":500,"message":"m"}}]}`))
	f.Add([]byte(`{"rules":[{"do":{"rate_limit":{"requests":10,"window":"60s"}}}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		set, err := Parse(text)
		if err != nil {
			return
		}
		again, err := json.Marshal(set)
		if err != nil {
			t.Fatal(err)
		}
		second, err := Parse(again)
		if diff := cmp.Diff(set, second); err != nil || diff != "" {
			t.Fatalf("%s becomes %s: %v\n%s", text, again, err, diff)
		}
		var in Injector
		in.Put(set)
		in.Decide("/x", true, time.Unix(0, 0))
	})
}
