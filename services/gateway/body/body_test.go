package body_test

import (
	"encoding/json"
	"maps"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/fluidmcp/fluidmcp/services/gateway/body"
)

func parsed(src []byte) (*body.Document, error) {
	d := new(body.Document)
	return d, d.Parse(src)
}

func parse(t *testing.T, src string) *body.Document {
	t.Helper()
	d, err := parsed([]byte(src))
	if err != nil {
		t.Fatalf("%s: %v", src, err)
	}
	return d
}

func TestModel(t *testing.T) {
	f := func(src, want string, bad bool) {
		t.Helper()
		if d := parse(t, src); d.Model != want || d.BadModel != bad {
			t.Errorf("%s: model %q, bad %v; want %q, %v", src, d.Model, d.BadModel, want, bad)
		}
	}
	f(`{}`, "", false)
	f(`{"model":"a"}`, "a", false)
	f(`{"m\u006fdel":"a\/b"}`, "a/b", false)
	f(`{"Model":"a","x":{"model":"b"}}`, "", false)
	f(`{"model":"a","model":"b"}`, "b", false)
	f(`{"model":null}`, "", false)
	f(`{"model":""}`, "", false)
	f(`{"model":5}`, "", true)
	f(`{"model":5,"model":"a"}`, "a", false)
}

// TestStream: the table of pydantic's lax booleans.
func TestStream(t *testing.T) {
	f := func(want bool, values ...string) {
		t.Helper()
		for _, v := range values {
			if d := parse(t, `{"stream":`+v+`}`); d.Stream != want {
				t.Errorf("stream %s is taken for %v", v, d.Stream)
			}
		}
	}
	f(true, `true`, `1`, `1.0`, `"true"`, `"TRUE"`, `"1"`, `"yes"`, `"Y"`, `"on"`, `"t"`)
	f(false, `false`, `0`, `null`, `"false"`, `"no"`, `"off"`, `"0"`, `""`, `2`, `"2"`, `[]`, `{}`, `" true"`, `NaN`)
	if parse(t, `{"stream":true,"stream":false}`).Stream || parse(t, `{"messages":[]}`).Stream {
		t.Error("the last of two counts, and none is no stream")
	}
}

func TestRewrite(t *testing.T) {
	f := func(src, model string, count bool, want string) {
		t.Helper()
		if got := string(parse(t, src).Rewrite(model, count)); got != want {
			t.Errorf("Rewrite(%s)\n got %s\nwant %s", src, got, want)
		}
	}
	const ask = `"stream_options":{"include_usage":true}`
	f(`{ "x": 1.0, "model" : "a" }`, "b", true, `{ "x": 1.0, "model" : "b" }`)
	f(`{"model":"a"}`, "", true, `{"model":"a"}`)
	f(`{"model":"a","model":"c"}`, `q"`, true, `{"model":"q\"","model":"q\""}`)
	f(`{"model":null}`, "b", true, `{"model":null}`)
	f(`{"model":7}`, "b", true, `{"model":7}`)
	f(`{"stream":true}`, "b", false, `{"stream":true}`)
	f(`{"stream":"false"}`, "b", true, `{"stream":"false"}`)
	f(`{"stream":true }`, "b", true, `{"stream":true ,`+ask+`}`)
	f(`{"model":"a","stream":1}`, "b", true, `{"model":"b","stream":1,`+ask+`}`)
	f(`{"stream":true,"stream_options":null}`, "", true, `{"stream":true,`+ask+`}`)
	f(`{"stream":true,"stream_options":{}}`, "", true, `{"stream":true,`+ask+`}`)
	f(`{"stream":true,"stream_options":{ "x":1}}`, "", true, `{"stream":true,"stream_options":{"include_usage":true, "x":1}}`)
	f(`{"stream":true,"stream_options":{"include_usage":false}}`, "", true, `{"stream":true,`+ask+`}`)
	f(`{"stream":true,"stream_options":{"continuous_usage_stats":true}}`, "", true,
		`{"stream":true,"stream_options":{"include_usage":true,"continuous_usage_stats":false}}`)
	f(`{"stream":true,"stream_options":{"include_usage":"yes","continuous_usage_stats":true}}`, "", true,
		`{"stream":true,"stream_options":{"include_usage":"yes","continuous_usage_stats":true}}`)
	f(`{"stream":true,"stream_options":5}`, "", true, `{"stream":true,"stream_options":5}`)
	for _, wrong := range []string{`7`, `[]`, `"x"`, `{"include_usage":"x"}`, `{"include_usage":2}`, `{"include_usage":"null"}`, `{"include_usage":[]}`,
		`{"continuous_usage_stats":"maybe"}`, `{"include_usage":false,"include_usage":{}}`} {
		f(`{"stream":true,"stream_options":`+wrong+`}`, "", true, `{"stream":true,"stream_options":`+wrong+`}`) // the server refuses it
	}
	f(`{"stream":true,"stream_options":{"include_usage":"x","include_usage":null,"continuous_usage_stats":[],"continuous_usage_stats":"no"}}`, "", true,
		`{"stream":true,"stream_options":{"include_usage":true,"include_usage":true,"continuous_usage_stats":false,"continuous_usage_stats":false}}`)
	f(`{"stream_options":{"include_usage":true},"stream":true,"stream_options":{}}`, "", true,
		`{`+ask+`,"stream":true,`+ask+`}`)
}

func TestWantUsage(t *testing.T) {
	f := func(options string, want bool) {
		t.Helper()
		if d := parse(t, `{"stream":true,"stream_options":`+options+`}`); d.WantUsage != want {
			t.Errorf("%s: WantUsage %v", options, d.WantUsage)
		}
	}
	f(`{"include_usage":true}`, true)
	f(`{"include_usage":"1"}`, true)
	f(`{"include_usage":true,"include_usage":false}`, false)
	f(`{"continuous_usage_stats":true}`, false)
	f(`null`, false)
	f(`{"include_usage":true},"stream_options":{}`, false)
}

func TestParseRefuses(t *testing.T) {
	for _, src := range []string{``, `[]`, `{"model":"a"`, `{"model":"a"}x`, `nonsense`} {
		if _, err := parsed([]byte(src)); err == nil {
			t.Errorf("%q was accepted", src)
		}
	}
}

// FuzzRewrite: the result is the same document, but for the members that were to change.
func FuzzRewrite(f *testing.F) {
	f.Add([]byte(`{"model":"a","stream":true,"messages":[{"role":"user","content":"hi"}]}`), "served", true)
	f.Add([]byte(`{"stream":"yes","stream_options":{"continuous_usage_stats":1,"x":[]},"model":null}`), "m", true)
	f.Add([]byte(`{"stream_options":{"include_usage":0},"stream":1,"stream_options":{},"model":"\u0061"}`), "", true)
	f.Fuzz(func(t *testing.T, src []byte, model string, count bool) {
		d, err := parsed(src)
		var before map[string]any
		if err != nil || json.Unmarshal(src, &before) != nil || !utf8.ValidString(model) {
			return
		}
		var after map[string]any
		out := d.Rewrite(model, count)
		if err := json.Unmarshal(out, &after); err != nil {
			t.Fatalf("%q became %q: %v", src, out, err)
		}
		if name, _ := before["model"].(string); name != "" && model != "" {
			before["model"] = model
		}
		if count && d.Stream {
			expectUsage(before)
		}
		if diff := cmp.Diff(before, after); diff != "" {
			t.Fatalf("%q became %q (-want +got):\n%s", src, out, diff)
		}
	})
}

// expectUsage does to a decoded document what Rewrite has to do to its bytes.
func expectUsage(doc map[string]any) {
	options, isObject := doc["stream_options"].(map[string]any)
	if !isObject && doc["stream_options"] != nil {
		return
	}
	if wanted, err := json.Marshal(map[string]any{"stream": options["include_usage"]}); err == nil {
		if d, err := parsed(wanted); err == nil && d.Stream { // the same reading of booleans
			return
		}
	}
	changed := map[string]any{}
	maps.Copy(changed, options)
	changed["include_usage"] = true
	if _, ok := changed["continuous_usage_stats"]; ok {
		changed["continuous_usage_stats"] = false
	}
	doc["stream_options"] = changed
}
