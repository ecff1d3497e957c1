package text

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestReadCalls(t *testing.T) {
	f := func(text, words string, want ...Call) {
		t.Helper()
		gotWords, got := ReadCalls(text)
		if diff := cmp.Diff(want, got); diff != "" || gotWords != words {
			t.Errorf("%q: words %q, calls (-want +got):\n%s", text, gotWords, diff)
		}
	}
	a, b := Call{"a", `{"x": 1}`}, Call{`b"`, `{}`}
	f("", "")
	f("no <tool_", "no <tool_")
	f(Markup([]Call{a}), "", a)
	f("Sure. "+Markup([]Call{a, b})+" lost", "Sure. ", a, b)
	f(strings.TrimSuffix(Markup([]Call{a}), callClose), "", a)
	f(Markup([]Call{a})+"\n<tool_", "", a)
	cut := Markup([]Call{a, b})
	cut = cut[:len(cut)-len(callClose)-1]
	f(cut, cut)
	for _, none := range []string{`{}`, `{"name": "a"}`, `{"name": "a", "arguments": 5}`, `{"arguments": {}}`, `{"name": 5, "arguments": {}}`, `[]`} {
		f(callOpen+none+callClose, callOpen+none+callClose)
	}
}

// TestReadPartsAgreesWithReadCalls: however a text is cut, the pieces are the calls.
func TestReadPartsAgreesWithReadCalls(t *testing.T) {
	for _, text := range []string{
		"", "words only", "a < b <tool", "Sure. " + Markup([]Call{{"a", `{"s": "} \" {", "l": [{}]}`}, {"b", "{}"}}),
	} {
		for size := 1; size <= len(text)+1; size++ {
			checkParts(t, text, size)
		}
	}
}

func checkParts(t *testing.T, text string, size int) {
	t.Helper()
	var deltas []string
	for rest := text; rest != ""; {
		n := min(size, len(rest))
		deltas, rest = append(deltas, rest[:n]), rest[n:]
	}
	var words string
	var calls []Call
	for _, p := range ReadParts(deltas) {
		words += p.Words
		for _, c := range p.Calls {
			if c.Begins {
				calls = append(calls, Call{Name: c.Name})
			}
			calls[c.Index].Arguments += c.Arguments
		}
	}
	wantWords, wantCalls := ReadCalls(text)
	wantWords = wantWords[:len(wantWords)-startOf(wantWords, callOpen)] // the start of a mark is held back for ever
	if diff := cmp.Diff(wantCalls, calls); diff != "" || words != wantWords {
		t.Errorf("%q by %d: words %q, want %q; calls (-want +got):\n%s", text, size, words, wantWords, diff)
	}
}

func FuzzReadParts(f *testing.F) {
	f.Add("Sure. <tool_call>{\"name\": \"a\", \"arguments\": {}}</tool_call>", 3)
	f.Add("<tool_call>{\"name\": \"a\", \"arguments\": 5", 1)
	f.Fuzz(func(_ *testing.T, text string, size int) {
		var deltas []string
		for rest := text; rest != ""; {
			n := min(max(size, 1), len(rest))
			deltas, rest = append(deltas, rest[:n]), rest[n:]
		}
		ReadParts(deltas) // whatever a model writes, it does not crash
		ReadCalls(text)
	})
}
