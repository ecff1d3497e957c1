package lark_test

import (
	"math/rand/v2"
	"regexp"
	"testing"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/text/structured/grammar"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/text/structured/grammar/lark"
)

func source(seed uint64, guide bool) grammar.Source {
	return grammar.Source{Rand: rand.New(rand.NewPCG(seed, 1)), Guide: guide, Asked: "Which city, Paris or London?"}
}

func TestRead(t *testing.T) {
	f := func(text, matches string) {
		t.Helper()
		g, err := lark.Read(text)
		if err != nil || !lark.Is(text) {
			t.Errorf("%s: %v", text, err)
			return
		}
		re := regexp.MustCompile("^(?:" + matches + ")$")
		for seed := range uint64(100) {
			if got := g.Generate(source(seed, seed == 0), 300); !re.MatchString(got) {
				t.Errorf("%s: %q", text, got)
				return
			}
		}
	}
	f(`start: "a"`, `a`)
	f("start: \"a\" b // comment\nb: /[0-9]+/i", `a[0-9]+`)
	f("?start: sum\nsum: NUM (\"+\" NUM)* -> all\n  | \"x\"~2..3\nNUM: /[0-9]+/\n%ignore \" \"", `[0-9]+(\+[0-9]+)*|xx|xxx`)
	f("%import common.NUMBER\n%import common.WORD -> W\nstart: NUMBER [W] \"a\"..\"c\" \"y\"{2}", `[0-9]+(\.[0-9]+)?[A-Za-z]*[a-c]yy`)
}

func TestRefuses(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		_, err := lark.Read(text)
		if err == nil || err.Error() != want {
			t.Errorf("%q:\n got %v\nwant %s", text, err, want)
		}
	}
	f("start: b", "at 1(8): unknown name: \"b\"\n   1 | start: b\n              ^")
	f("start: \"a", "1(10): lexer error\n   1 | start: \"a\n                ^")
	f(`start: "\q"`, "1(10): lexer error\n   1 | start: \"\\q\"\n                ^")
	f("start: /a", "2(1): lexer error\n   1 | start: /a")
	f("start: @", "1(9): lexer error\n   1 | start: @\n               ^")
	f("start: (\"a\"", "1(12): Expected token ')', found '\\n' (at \"\\n\" ('\\n'))\n   1 | start: (\"a\"\n                  ^")
	f("start: \"a\")", "1(11): expecting rule, token or statement (at \")\" (')'))\n   1 | start: \"a\")\n                 ^")
	f("start: \"a\"~", "1(12): Expected value (at \"\\n\" ('\\n'))\n   1 | start: \"a\"~\n                  ^")
	f("start: \"a\" : \"b\"", "1(12): Expected value (at \":\" (':'))\n   1 | start: \"a\" : \"b\"\n                  ^")
	f("start: \"a\"\n  | b", "at 1(8): unknown name: \"b\"\n   1 | start: \"a\"\n              ^\n   2 |   | b")
	f("start: *", "1(8): Expected value (at \"*\" ('+' or '*' or '?'))\n   1 | start: *\n              ^")
	f("start: (\"a\"]", "1(12): Expected token ')', found ']' (at \"]\" (']'))\n   1 | start: (\"a\"]\n                  ^")
	f("\"b\"", "1(1): expecting rule, token or statement (at \"\\\"b\\\"\" (\"string...\"))\n   1 | \"b\"\n       ^")
	f("start: A\n%declare A", "at 2(1): declare statement not supported yet\n   1 | start: A\n   2 | %declare A\n       ^")
}

func FuzzRead(f *testing.F) {
	f.Add("start: x+ \"a\"~2\nx: /b|c/", uint64(2))
	f.Fuzz(func(_ *testing.T, text string, seed uint64) {
		if g, err := lark.Read(text); err == nil {
			g.Generate(source(seed, seed%2 == 0), 100)
		}
	})
}
