package prompt

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func body(t *testing.T, s *Source, i int) map[string]any {
	t.Helper()
	b, err := s.Body("m", i)
	if err != nil {
		t.Fatal(err)
	}
	var v map[string]any
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestSynthetic(t *testing.T) {
	opts := Options{Stream: true, Input: Length{40, 60}, Output: Length{7, 7}, Seed: 3}
	s := Synthetic(opts)
	lengths, prompts := map[int]bool{}, map[string]bool{}
	for i := range 500 {
		b := body(t, s, i)
		text := b["prompt"].(string)
		n := len(strings.Fields(text))
		if n < 40 || n > 60 {
			t.Fatalf("prompt of %d words", n)
		}
		lengths[n], prompts[text] = true, true
		delete(b, "prompt")
		want := map[string]any{"model": "m", "stream": true, "stream_options": map[string]any{"include_usage": true},
			"max_tokens": 7.0, "min_tokens": 7.0, "ignore_eos": true}
		if diff := cmp.Diff(want, b); diff != "" {
			t.Fatal(diff)
		}
	}
	if len(lengths) != 21 || len(prompts) != 500 {
		t.Errorf("%d lengths, %d prompts; want 21 and 500", len(lengths), len(prompts))
	}
	again, _ := Synthetic(opts).Body("m", 17)
	if first, _ := s.Body("m", 17); string(again) != string(first) {
		t.Error("the same seed gives another prompt")
	}
	opts.Seed = 4
	if other, _ := Synthetic(opts).Body("m", 17); string(again) == string(other) {
		t.Error("another seed gives the same prompt")
	}
}

func TestSyntheticChat(t *testing.T) {
	b := body(t, Synthetic(Options{Chat: true, Input: Length{2, 2}}), 0)
	messages := b["messages"].([]any)
	if len(messages) != 1 || len(strings.Fields(messages[0].(map[string]any)["content"].(string))) != 2 {
		t.Errorf("%v", b)
	}
	if len(b) != 3 || b["stream"] != false { // no length asked, nothing about lengths
		t.Errorf("%v", b)
	}
}

func TestFile(t *testing.T) {
	s, err := read(strings.NewReader(`{"prompt":"a"}

{"messages":[{"role":"system","content":"b"}],"temperature":0.5,"model":"other","max_completion_tokens":3,"stream_options":{}}`),
		Options{Chat: true, Output: Length{9, 9}})
	if err != nil {
		t.Fatal(err)
	}
	first := map[string]any{"model": "m", "stream": false, "messages": []any{map[string]any{"role": "user", "content": "a"}},
		"max_tokens": 9.0, "min_tokens": 9.0, "ignore_eos": true}
	second := map[string]any{"model": "m", "stream": false, "messages": []any{map[string]any{"role": "system", "content": "b"}},
		"temperature": 0.5, "max_tokens": 9.0, "min_tokens": 9.0, "ignore_eos": true}
	for i, want := range []map[string]any{first, second, first} {
		if diff := cmp.Diff(want, body(t, s, i)); diff != "" {
			t.Errorf("request %d: %s", i, diff)
		}
	}
}

func TestFileRefusals(t *testing.T) {
	f := func(file, want string, chat bool) {
		t.Helper()
		if _, err := read(strings.NewReader(file), Options{Chat: chat}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", file, err, want)
		}
	}
	f("", "no prompts", true)
	f("{\"prompt\":\"a\"}\nhello", "line 2: not an object", true)
	f(`[]`, "line 1: not an object", true)
	f(`{"prompts":"a"}`, "line 1: needs either", true)
	f(`{"prompt":"a","messages":[]}`, "line 1: needs either", true)
	f(`{"prompt":["a"]}`, "line 1: the prompt of a chat is a string", true)
	f(`{"messages":[]}`, "only --endpoint chat", false)
}

func TestLength(t *testing.T) {
	for text, want := range map[string]Length{"0": {}, "128": {128, 128}, "64-512": {64, 512}, "5-5": {5, 5}} {
		if got, err := ParseLength(text); err != nil || got != want {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "-", "-5", "5-", "9-3", "a", "1e3", "99999999", "1-2-3"} {
		if got, err := ParseLength(text); err == nil {
			t.Errorf("%q is read as %v", text, got)
		}
	}
}
