package generation

import (
	"strings"
	"testing"
)

func TestScript(t *testing.T) {
	script, err := ParseScript([]byte(`[{"match":"(?i)weather in (\\w+)","answer":"It rains in $1."},{"match":"^(?P<who>\\w+), hello","answer":"${who} is not in."},
		{"match":"^$","answer":""},{"match":"price","answer":"5 $$ or $$x"}]`))
	if err != nil {
		t.Fatal(err)
	}
	f := func(asked, want string, found bool) {
		t.Helper()
		if got, ok := script.Answer(asked); got != want || ok != found {
			t.Errorf("%q: %q %v, want %q %v", asked, got, ok, want, found)
		}
	}
	f("What is the WEATHER in Paris?", "It rains in Paris.", true)
	f("Ann, hello", "Ann is not in.", true)
	f("", "", true)
	f("the price", "5 $ or $x", true)
	f("nothing of that", "", false)
	if all, err := ParseScript([]byte(`[{"answer":"$1 always"}]`)); err != nil {
		t.Error(err)
	} else if got, ok := all.Answer("x"); got != "$1 always" || !ok {
		t.Errorf("without match: %q %v", got, ok)
	}
}

func TestBrokenScripts(t *testing.T) {
	f := func(text, part string) {
		t.Helper()
		if _, err := ParseScript([]byte(text)); err == nil || !strings.HasPrefix(err.Error(), "read scripted answers: ") || !strings.Contains(err.Error(), part) {
			t.Errorf("%s: %v, want %s", text, err, part)
		}
	}
	f(`[]`, "the list is empty")
	f(`{}`, `found object at byte 1; write a list such as [{"match": "^ping$", "answer": "pong"}]`)
	f(`[{"answer": 5}]`, "found number at byte 13")
	f(`[{"match":"(","answer":"x"}]`, "missing closing )")
	f(`[{"macht":"x","answer":"x"}]`, `unknown field "macht"`)
	f(`[{"answer":"x"}]]`, "more behind the list")
	f(``, "EOF")
	f(`[{"answer":"x"},{"match":"x"}]`, "number 2 has no answer")
	f(`[{"match":"(a)","answer":"$2"}]`, "number 1: (a) has no group 2")
	f(`[{"match":"(?P<day>a)","answer":"${day} $dax"}]`, "has no group dax")
	f(`[{"match":"(\\d+)","answer":"the $1st"}]`, "has no group 1st; write ${1}st")
}

func FuzzScript(f *testing.F) {
	f.Add([]byte(`[{"match":"(a+)+$","answer":"${1}$$"}]`), "aaaaaaaaaaaaaaaab")
	f.Add([]byte(`[{"match":"\\pL{1000}","answer":1}]`), "")
	f.Fuzz(func(_ *testing.T, text []byte, asked string) {
		if s, err := ParseScript(text); err == nil {
			s.Answer(asked)
		}
	})
}
