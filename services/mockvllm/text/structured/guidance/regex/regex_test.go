package regex_test

import (
	"testing"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/text/structured/guidance/regex"
)

// TestCheck compares with vLLM's messages, the parts that vary.
func TestCheck(t *testing.T) {
	f := func(pattern, want string) {
		t.Helper()
		got := "<nil>"
		if fault := regex.Check(pattern, true); fault != nil {
			got = fault.InLark()
		}
		if got != want {
			t.Errorf("%s\n got %s\nwant %s", pattern, got, want)
		}
	}
	at := func(quoted, shown, marks, what string) string {
		return "at 1(8): invalid regex \"" + quoted + "\" (in regex): regex parse error:\n    " + shown + "\n    " + marks +
			"\nerror: " + what + "\n   1 | start: /" + shown + "/\n              ^"
	}
	f(`(`, at(`(`, `(`, `^`, "unclosed group"))
	f(`(a(b`, at(`(a(b`, `(a(b`, `  ^`, "unclosed group"))
	f(`(?`, at(`(?`, `(?`, `^`, "unclosed group"))
	f(`)`, at(`)`, `)`, `^`, "unopened group"))
	f(`[a`, at(`[a`, `[a`, `^`, "unclosed character class"))
	f(`[]`, at(`[]`, `[]`, `^^`, "unclosed character class"))
	f(`[^a`, at(`[^a`, `[^a`, `^^`, "unclosed character class"))
	f(`[-a`, at(`[-a`, `[-a`, `^^`, "unclosed character class"))
	f(`[^`, at(`[^`, `[^`, `^^`, "unclosed character class"))
	f(`*a`, at(`*a`, `*a`, `^`, "repetition operator missing expression"))
	f(`a|*`, at(`a|*`, `a|*`, `  ^`, "repetition operator missing expression"))
	f(`a{3,2}`, at(`a{3,2}`, `a{3,2}`, ` ^^^^^`, "invalid repetition count range, the start must be <= the end"))
	f(`a{2`, at(`a{2`, `a{2`, ` ^^`, "unclosed counted repetition"))
	f(`a{`, at(`a{`, `a{`, ` ^`, "unclosed counted repetition"))
	f(`a{2,`, at(`a{2,`, `a{2,`, ` ^^^`, "unclosed counted repetition"))
	f(`a{x}`, at(`a{x}`, `a{x}`, `  ^`, "repetition quantifier expects a valid decimal"))
	f(`{`, at(`{`, `{`, `^`, "repetition operator missing expression"))
	f(`[z-a]`, at(`[z-a]`, `[z-a]`, ` ^^^`, "invalid character class range, the start must be <= the end"))
	f(`[a-\d]`, at(`[a-\\d]`, `[a-\d]`, `   ^^`, "invalid range boundary, must be a literal"))
	f(`(?=a)b`, at(`(?=a)b`, `(?=a)b`, `^^^`, "look-around, including look-ahead and look-behind, is not supported"))
	f(`(?<=a)b`, at(`(?<=a)b`, `(?<=a)b`, `^^^^`, "look-around, including look-ahead and look-behind, is not supported"))
	f(`(a)\1`, at(`(a)\\1`, `(a)\1`, `   ^^`, "backreferences are not supported"))
	f(`(?a)`, at(`(?a)`, `(?a)`, `  ^`, "unrecognized flag"))
	f(`(?i`, at(`(?i`, `(?i`, `   ^`, "expected flag but got end of regex"))
	f(`(?P<n`, at(`(?P<n`, `(?P<n`, `     ^`, "unclosed capture group name"))
	f(`(?<1>a)`, at(`(?<1>a)`, `(?<1>a)`, `   ^`, "invalid capture group character"))
	f(`\k<n>`, at(`\\k<n>`, `\k<n>`, `^^`, "unrecognized escape sequence"))
	f("a+b\n(", at(`a+b\\n(`, `a+b\n(`, `     ^`, "unclosed group"))
	f(`a/(`, at(`a\\/(`, `a\/(`, `   ^`, "unclosed group"))
	f(`é(`, at(`é(`, `é(`, ` ^`, "unclosed group"))
	f(`(\`, at(`(`, `(`, `^`, "unclosed group"))
	f(`"(`, at(`\"(`, `"(`, ` ^`, "unclosed group"))
	f(`\bfoo\b`, "at 1(8): invalid regex \"\\\\bfoo\\\\b\" (in regex): lookarounds not supported yet; WordUnicode in regex /\\bfoo\\b/\n   1 | start: /\\bfoo\\b/\n              ^")
	for _, good := range []string{``, `a**`, `\q`, `[^]`, `(?i)a`, `x*?+`, `[[:alpha:]]`, `[\q]`, `]`, `}`, `a\`, `(?<n>a)`, `[\d-x]`, `a{2}{3}`, `[]a]`, `[a-]`} {
		f(good, "<nil>")
	}
}

func FuzzCheck(f *testing.F) {
	f.Add(`a(b|c)*[d-f]{2,3}`, true)
	f.Add(`(?P<n>\p{L}`, false)
	f.Fuzz(func(t *testing.T, pattern string, inLark bool) {
		if fault := regex.Check(pattern, inLark); fault != nil && fault.Error() == "" {
			t.Errorf("%q has a fault without a word", pattern)
		}
	})
}
