package body_test

import (
	"strings"
	"testing"
)

func TestPrompt(t *testing.T) {
	f := func(src string, want ...string) {
		t.Helper()
		text := ""
		for _, part := range want {
			text += "\x00" + part
		}
		if got := string(parse(t, src).Prompt()); got != text {
			t.Errorf("%s: %q, want %q", src, got, text)
		}
	}
	f(`{}`)
	f(`{"model":"m","stream":true,"stop":["a"],"temperature":1}`)
	f(`{"messages":[]}`)
	f(`{"messages":[{"role":"system","content":"Be brief."},{"content":[{"type":"text","text":"Hi"}],"role":"user"}],"n":1}`,
		"system", "Be brief.", "text", "Hi", "user")
	f(`{"prompt":"Once upon"}`, "Once upon")
	f(`{"prompt":[17,4,2]}`, "17", "4", "2")
	f(`{"input":["a","b"]}`, "a", "b")
	f(`{"messages":[{"role":"user","content":"Hi"}],"system":"first"}`, "first", "user", "Hi")
	f(`{"input":"Hi","instructions":"first"}`, "first", "Hi")
	f(`{"prompt":"a","prompt":"b"}`, "b")
	f(`{"p\u0072ompt":"a"}`, "a")
}

// TestPromptIsBounded: what begins alike for 1 KiB is alike, wherever it goes on.
func TestPromptIsBounded(t *testing.T) {
	start := func(messages string) string { return string(parse(t, `{"messages":[`+messages+`]}`).Prompt()) }
	long := `{"role":"system","content":"` + strings.Repeat("you are a model, ", 200) + `"}`
	a, b := start(long+`,{"role":"user","content":"a"}`), start(long+`,{"role":"user","content":"b"}`)
	if a != b || len(a) != 1<<10 {
		t.Errorf("%d and %d bytes of two prompts that begin alike, equal: %v", len(a), len(b), a == b)
	}
	if a == start(strings.Replace(long, "you", "You", 1)) {
		t.Error("prompts that begin differently are equal")
	}
	if start(`"ab","c"`) == start(`"a","bc"`) {
		t.Error("where a text ends does not count")
	}
	for n := 1<<10 - 4; n < 1<<10+2; n++ { // around the end
		if got := start(`"` + strings.Repeat("x", n) + `","yz"`); len(got) != 1<<10 {
			t.Errorf("%d bytes and two more: %d", n, len(got))
		}
	}
}

func BenchmarkPrompt(b *testing.B) {
	doc, err := parsed([]byte(`{"model":"m","messages":[{"role":"system","content":"` + strings.Repeat("x", 100_000) + `"}]}`))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		doc.Prompt()
	}
}
