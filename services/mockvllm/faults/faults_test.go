package faults

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// decide writes one letter for each of n requests: x for a fault.
func decide(in *Injector, n int) string {
	var b strings.Builder
	for range n {
		if in.Decide(Request{Path: "/v1/completions", Generates: true}, time.Unix(0, 0)).Status != 0 {
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
			in.Put(percentSet(seed, percent), time.Unix(0, 0))
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
	a.Put(percentSet(1, 20), time.Unix(0, 0))
	b.Put(percentSet(1, 20), time.Unix(0, 0))
	c.Put(percentSet(2, 20), time.Unix(0, 0))
	first := decide(&a, 100)
	if second := decide(&b, 100); second != first {
		t.Errorf("one seed gives\n%s and\n%s", first, second)
	}
	if other := decide(&c, 100); other == first {
		t.Errorf("another seed gives the same")
	}
	a.Put(percentSet(1, 20), time.Unix(0, 0))
	if again := decide(&a, 100); again != first {
		t.Errorf("rules that are set again begin with\n%s, want\n%s", again, first)
	}
}

func mustParse(t *testing.T, text string) Set {
	t.Helper()
	set, err := Parse([]byte(text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return set
}

func TestRateLimitSlides(t *testing.T) {
	var in Injector
	in.Put(mustParse(t, `{"rules":[{"do":{"rate_limit":{"requests":2,"window":"1m"}}}]}`), time.Unix(0, 0))
	f := func(at, wantRetry time.Duration) {
		t.Helper()
		do := in.Decide(Request{Path: "/x", Generates: true}, time.Unix(0, 0).Add(at))
		if time.Duration(do.RetryAfter) != wantRetry || (do.Status == 429) != (wantRetry > 0) {
			t.Errorf("at %s: %+v, want retry after %s", at, do, wantRetry)
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

func TestRateLimitPerKey(t *testing.T) {
	var in Injector
	in.Put(mustParse(t, `{"rules":[{"do":{"rate_limit":{"requests":1,"window":"1m","per":"key"}}}]}`), time.Unix(0, 0))
	got := ""
	for _, key := range []string{"a", "b", "a", "", "b", ""} {
		if in.Decide(Request{Path: "/x", Generates: true, Key: key}, time.Unix(0, 0)).Status == 0 {
			got += "o"
		} else {
			got += "l"
		}
	}
	if got != "oololl" {
		t.Error(got)
	}
	for i := range 2 * mostKeys {
		in.Decide(Request{Path: "/x", Generates: true, Key: strconv.Itoa(i)}, time.Unix(0, 0))
	}
	if n := len(in.rules[0].each); n > mostKeys {
		t.Errorf("%d keys are remembered", n)
	}
}

func TestMatch(t *testing.T) {
	all := map[string]Request{
		"chat": {Path: "/v1/chat/completions", Generates: true, Model: "m", Key: "k", Header: http.Header{"X-Tenant": {"a", "b"}}},
		"text": {Path: "/v1/completions", Generates: true, Model: "n", Header: http.Header{"X-Tenant": {"c"}}},
		"list": {Path: "/v1/models"},
	}
	f := func(match string, want ...string) {
		t.Helper()
		var got []string
		for _, name := range []string{"chat", "text", "list"} {
			var in Injector
			in.Put(mustParse(t, `{"rules":[{"match":`+match+`,"do":{"status":500}}]}`), time.Unix(0, 0))
			if in.Decide(all[name], time.Unix(0, 0)).Status != 0 {
				got = append(got, name)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s:\n%s", match, diff)
		}
	}
	f(`{}`, "chat", "text")
	f(`{"path":"/v1/models"}`, "list")
	f(`{"path":"/v1/completions"}`, "text")
	f(`{"model":"m"}`, "chat")
	f(`{"key":"k"}`, "chat")
	f(`{"header":{"x-tenant":"b"}}`, "chat")
	f(`{"header":{"X-Tenant":"*"}}`, "chat", "text")
	f(`{"header":{"X-Tenant":"*","X-Other":"*"}}`)
	f(`{"header":{"X-Tenant":"c"},"model":"m"}`)
}

func TestNth(t *testing.T) {
	f := func(nth, want string) {
		t.Helper()
		var in Injector
		in.Put(mustParse(t, `{"rules":[{"match":{"path":"/v1/completions","nth":`+nth+`},"do":{"status":500}}]}`), time.Unix(0, 0))
		got := ""
		for range 3 {
			in.Decide(Request{Path: "/other", Generates: true}, time.Unix(0, 0)) // is not counted
			got += decide(&in, 1)
		}
		if got != want {
			t.Errorf("%s: %s, want %s", nth, got, want)
		}
	}
	f("1", "xoo")
	f("[3]", "oox")
	f("[1,2]", "xxo")
}

func TestWindows(t *testing.T) {
	f := func(window, want string) {
		t.Helper()
		var in Injector
		in.Put(mustParse(t, `{"rules":[{"match":{"window":`+window+`},"do":{"status":500}}]}`), time.Unix(100, 0))
		got := ""
		for s := range 5 {
			if in.Decide(Request{Path: "/x", Generates: true}, time.Unix(100+int64(s), 0)).Status != 0 {
				got += "x"
			} else {
				got += "o"
			}
		}
		if got != want {
			t.Errorf("%s: %s, want %s", window, got, want)
		}
	}
	f(`{}`, "xxxxx")
	f(`{"at":"2s"}`, "ooxxx")
	f(`{"for":"2s"}`, "xxooo")
	f(`{"at":"1s","for":"2s"}`, "oxxoo")
	f(`{"at":"2000000h","for":"2000000h"}`, "ooooo")
}

func TestState(t *testing.T) {
	var in Injector
	began := time.Unix(100, 0)
	in.Put(mustParse(t, `{"rules":[{"match":{"window":{"at":"10s","for":"5s"}},"do":{"refuse":true}},{"do":{"shutdown":"hang"}},{"do":{"status":500}},
		{"match":{"window":{"at":"12s"}},"do":{"oom":0}}, {"match":{"window":{"at":"20s","for":"1s"},"nth":1},"do":{"crash":0}}]}`), began)
	f := func(at time.Duration, want State) {
		t.Helper()
		if diff := cmp.Diff(want, in.State(began.Add(at))); diff != "" {
			t.Errorf("at %s:\n%s", at, diff)
		}
	}
	at := func(s int) time.Time { return began.Add(time.Duration(s) * time.Second) }
	f(0, State{Hang: true, Next: at(10)})
	f(10*time.Second, State{Hang: true, Refuse: true, Next: at(12)})
	f(12*time.Second, State{Hang: true, Refuse: true, Death: OutOfMemory, Next: at(15)})
	f(13*time.Second, State{Hang: true, Refuse: true, Next: at(15)})
	f(15*time.Second, State{Hang: true})
}

func TestRulesCombine(t *testing.T) {
	var in Injector
	in.Put(mustParse(t, `{"rules":[{"do":{"delay":"1s","cut":3}},{"match":{"path":"/a"},"do":{"delay":"1s","split":2}},{"do":{"reset":1,"split":5,"join":2}},
		{"match":{"path":"/a"},"do":{"status":503,"message":"m"}},{"match":{"path":"/a"},"do":{"status":500,"delay":"1h"}}]}`), time.Unix(0, 0))
	three := 3
	f := func(path string, generates bool, want Action, rules ...int) {
		t.Helper()
		if diff := cmp.Diff(Decision{want, rules}, in.Decide(Request{Path: path, Generates: generates}, time.Unix(0, 0))); diff != "" {
			t.Errorf("%s:\n%s", path, diff)
		}
	}
	f("/a", true, Action{Delay: Duration(2 * time.Second), Cut: &three, Split: 2, Join: 2, Status: 503, Message: "m"}, 0, 1, 2, 3)
	f("/a", false, Action{Delay: Duration(time.Second), Split: 2, Status: 503, Message: "m"}, 1, 3)
	f("/b", true, Action{Delay: Duration(time.Second), Cut: &three, Split: 5, Join: 2}, 0, 2)
	f("/b", false, Action{})
}

// faultsOf is the error that a text is to give: one line for each argument, none for a valid text.
func faultsOf(t *testing.T, text string, err error, want []string) {
	t.Helper()
	got := ""
	if err != nil {
		got = err.Error()
	}
	if diff := cmp.Diff(strings.Join(want, "\n"), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", text, diff)
	}
}

func TestParse(t *testing.T) {
	f := func(text string, want ...string) {
		t.Helper()
		_, err := Parse([]byte(text))
		faultsOf(t, text, err, want)
	}
	f(`{}`)
	f(`{"seed":1,"rules":[{"match":{"path":"/v1/chat/completions","percent":20},"do":{"delay":"5s"}}]} // a comment`)
	f(`{"rules":[{"do":{"rate_limit":{"requests":10,"window":"60s"}}},{"do":{"rate_limit":"10/60s"}}]}`)
	f(`{"rules":[{"do":{"delay":"1s","cut":3,"split":1,"join":2,"trickle":100,"stall":1,"stall_for":"1s"}}]}`)
	f(``, `no rules: there has to be at least {"rules": []}`)
	f(`[]`, `expected an object, found a list`)
	f(`{"rules":1}`, `rules: expected a list, found a number`)
	f(`{"rules":[1, {}]}`, `rules[0]: expected an object, found a number`, `rules[1].do: missing; it says what happens`)
	f(`{"rules":[{"do":{"dealy":"5s"}}]}`, `rules[0].do.dealy: unknown field; did you mean "delay"?`)
	f(`{"rules":[{"do":{"delay":"5s"},"mach":{}}]}`, `rules[0].mach: unknown field; did you mean "match"?`)
	f(`{"rules":[{"do":{"delay":"5s"},"frobnicate":{}}]}`, `rules[0].frobnicate: unknown field; known are do, match`)
	f(`{"rules":[{"do":{"delay":5}}]}`, `rules[0].do.delay: 5 is a number without a unit; write a time such as 5s or 1m30s`)
	f(`{"rules":[{"do":{"delay":"5"}}]}`, `rules[0].do.delay: "5" is not a time such as 1m30s`)
	f(`{"rules":[{"do":{"cut":"3"}}]}`, `rules[0].do.cut: expected a number, found a string`)
	f(`{"rules":[{"do":{"cut":1.5}}]}`, `rules[0].do.cut: 1.5 is not a whole number`)
	f(`{"seed":1,"seed":2}`, `seed: given twice; keep one`)
	f(`{"seed":9223372036854775808}`, `seed: 9223372036854775808 is not a whole number of 64 bits`)
	f(`{"rules":[{"match":{"nth":[0]},"do":{"cut":0}}]}`, `rules[0].match.nth: 0 is less than 1`)
	f(`{"rules":[{"do":{"message":"m","cut":0,"reset":0,"stall_for":"1s"}}]}`,
		`rules[0].do.message: only goes with a status`, `rules[0].do.stall_for: only goes with a stall`,
		`rules[0].do: cut, reset, crash, oom and wrong_length each end the answer; keep one`)
	f(`{"rules":[{"do":{"refuse":true}},{"match":{"nth":1,"window":{"for":"1s"}},"do":{"refuse":true,"delay":"1s"}},{"do":{"shutdown":"hand"}}]}`,
		`rules[0].match.window.for: missing; while connections are refused nobody can take the rule back`,
		`rules[1].do: what is done to the server as a whole does not go with what is done to a request; write two rules`,
		`rules[1].match: refuse and shutdown are for the server as a whole; only a window goes with them`,
		`rules[2].do.shutdown: "hand" is not known; write "hang"`)
	f(`{"rules":[{"match":{"path":"x","percent":101},"do":{"status":200,"message":"m"}},{"do":{}},{"do":{"delay":"-1s"}},`+
		`{"do":{"rate_limit":{"requests":0,"window":"0s"}}},{"do":{"delay":"1s","message":"m"}},{"do":{"rate_limit":{}}}]}`,
		`rules[0].match.path: "x" does not begin with a slash`,
		`rules[0].match.percent: 101 is not within 0 and 100`,
		`rules[0].do.status: 200 is not an error, which are 400 to 599`,
		`rules[1].do: nothing to do; write delay, status, rate_limit, cut or another fault`,
		`rules[2].do.delay: -1s is negative`,
		`rules[3].do.rate_limit.requests: 0 is less than 1`,
		`rules[3].do.rate_limit.window: 0s is not more than 0`,
		`rules[4].do.message: only goes with a status`,
		`rules[5].do.rate_limit.requests: missing`,
		`rules[5].do.rate_limit.window: missing`)
	for text, part := range map[string]string{`{} {}`: "not JSON", `{"rules":`: "not JSON", "\xff": "not UTF-8", strings.Repeat("[", 2000): "nest deeper than 1000"} {
		if _, err := Parse([]byte(text)); err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%.20q: %v, want %s", text, err, part)
		}
	}
}

func TestLoad(t *testing.T) {
	f := func(name, text string, want ...string) {
		t.Helper()
		set, err := Load(name, []byte(text))
		faultsOf(t, text, err, want)
		if err == nil && (len(set.Rules) != 1 || set.Rules[0].Do.Delay != Duration(time.Second)) {
			t.Errorf("%s: %+v", text, set)
		}
	}
	f("a.yaml", "rules:\n- match: {nth: 1} # the first\n  do: {delay: 1s}\n")
	f("a.YML", `{"rules":[{"do":{"delay":"1s"}}]}`)
	f("a.json", `{"rules":[{"do":{"delay":"1s"}}]}`)
	f("a.yaml", "rules:\n- do: {dealy: 1s}\n", `rules[0].do.dealy: unknown field; did you mean "delay"?`)
	f("a.yaml", "a: &a 1\nrules: *a\n", "line 2, column 8: YAML aliases are not supported; write the value out")
	f("a.yaml", "{}\n---\n{}\n", "more than one YAML document: the file is to be one")
}

func TestParseHeader(t *testing.T) {
	three := 3
	f := func(text string, want Action, faults ...string) {
		t.Helper()
		got, err := ParseHeader(text)
		faultsOf(t, text, err, faults)
		if err == nil {
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s:\n%s", text, diff)
			}
		}
	}
	f("delay=1s, cut=3", Action{Delay: Duration(time.Second), Cut: &three})
	f(`{"delay":"1s","cut":3}`, Action{Delay: Duration(time.Second), Cut: &three})
	f("status=503,message=out of order,retry_after=2s", Action{Status: 503, Message: "out of order", RetryAfter: Duration(2 * time.Second)})
	f("wrong_length=-1", Action{WrongLength: -1})
	f("cut", Action{}, `"cut": write name=value, such as delay=1s, cut=3, or JSON`)
	f("cutt=3", Action{}, `cutt: unknown field; did you mean "cut"?`)
	f("rate_limit=1/1s", Action{}, `rate_limit is not for one request; set a rule for it with PUT /mock/faults`)
	f("delay=1s,refuse=true", Action{}, `refuse is not for one request; set a rule for it with PUT /mock/faults`)
	f(`{"shutdown":"hang"}`, Action{}, `shutdown is not for one request; set a rule for it with PUT /mock/faults`)
	f("status=503,message=404", Action{Status: 503, Message: "404"})
	f("stall_for=1s,cut=3,reset=3", Action{}, `stall_for: only goes with a stall`, `cut, reset, crash, oom and wrong_length each end the answer; keep one`)
}

func TestRateFlag(t *testing.T) {
	f := func(text string, want Rate, fails bool) {
		t.Helper()
		var r RateFlag
		if err := r.UnmarshalText([]byte(text)); (err != nil) != fails || !fails && r.Rate != want {
			t.Errorf("%q: %+v, %v", text, r.Rate, err)
		}
	}
	f("10/60s", Rate{Requests: 10, Window: Duration(time.Minute)}, false)
	for _, bad := range []string{"", "10", "x/60s", "10/x", "0/60s", "10/0s"} {
		f(bad, Rate{}, true)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"seed":1,"rules":[{"match":{"percent":20},"do":{"status":500,"message":"m"}}]}`))
	f.Add([]byte(`{"rules":[{"do":{"rate_limit":{"requests":10,"window":"60s"}}}]}`))
	f.Add([]byte(`{"rules":[{"match":{"header":{"X":"*"},"nth":[1,2],"window":{"at":"1s","for":"1s"}},"do":{"delay":"1s","cut":3,"split":1,"join":2}}]}`))
	f.Add([]byte(`{"rules":[{"match":{"window":{"for":"9s"}},"do":{"refuse":true}},{"do":{"shutdown":"hang"}},{"do":{"oom":0}}]} // x`))
	f.Fuzz(func(t *testing.T, text []byte) {
		_, _ = Load("x.yaml", text)
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
		in.Put(set, time.Unix(0, 0))
		in.Decide(Request{Path: "/x", Generates: true}, time.Unix(0, 0))
		in.State(time.Unix(0, 0))
	})
}

func FuzzParseHeader(f *testing.F) {
	f.Add("delay=1s, cut=3")
	f.Add(`{"stall":3,"stall_for":"1s","trickle":10}`)
	f.Add("status=500,body=\xff")
	f.Add("status=500,body=,wrong_length=1e3")
	f.Fuzz(func(t *testing.T, text string) {
		do, err := ParseHeader(text)
		if err != nil {
			return
		}
		again, err := json.Marshal(do)
		if err != nil {
			t.Fatal(err)
		}
		second, err := ParseHeader(string(again))
		if diff := cmp.Diff(do, second); err != nil || diff != "" {
			t.Fatalf("%s becomes %s: %v\n%s", text, again, err, diff)
		}
		(Action{}).With(do).Breaks()
	})
}
