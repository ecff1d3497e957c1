package grammar_test

import (
	"errors"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/text/structured/grammar"
)

func source(seed uint64, guide bool) grammar.Source {
	return grammar.Source{Rand: rand.New(rand.NewPCG(seed, 1)), Guide: guide, Asked: "Which city, Paris or London?"}
}

// TestRegexp: what is made matches, guided and at random.
func TestRegexp(t *testing.T) {
	f := func(pattern, guided string) {
		t.Helper()
		g, err := grammar.Regexp(pattern)
		if err != nil {
			t.Errorf("%s: %v", pattern, err)
			return
		}
		re := regexp.MustCompile("^(?:" + pattern + ")$")
		for seed := range uint64(200) {
			got := g.Generate(source(seed, seed == 0), 1000)
			if !re.MatchString(got) || seed == 0 && got != guided {
				t.Errorf("%s: %q, guided want %q", pattern, got, guided)
				return
			}
		}
	}
	f(``, ``)
	f(`abc`, `abc`)
	f(`a|b|London`, `London`)
	f(`[A-Z]{3}-\d+(x|y)?`, `AAA-1x`)
	f(`^\w+@\w+\.(com|org)$`, `a@a.com`)
	f(`(?i)yes|no`, `YES`)
	f(`[^a-z]+\s*\S\D\W.`, `1 aa a`)
	f(`(?:a|b)+?c{2,}d{0,2}`, `accd`)
	f(`(?P<year>\d{4})-(?<m>0[1-9])`, `1111-01`)
	f(`\x41\.\-\/[\d-x]`, `A.-/1`)
	f(`[é]`, "é")
	f(`(a{3}){3}`, `aaaaaaaaa`)
}

func TestRegexpOtherSpellings(t *testing.T) {
	f := func(pattern, want string) {
		t.Helper()
		g, err := grammar.Regexp(pattern)
		if err != nil {
			t.Errorf("%s: %v", pattern, err)
		} else if got := g.Generate(source(1, true), 100); got != want {
			t.Errorf("%s: %q, want %q", pattern, got, want)
		}
	}
	f(`\u0041\cA\0\u{e9}`, "A\x01\x00é")
	f(`[^]x`, "ax")
	f(`\Aab\Z`, "AabZ")
	f(`[\b][\z][\1]`, "\bz1")
	f(`a{5000}`, strings.Repeat("a", 1000))
	f(`\q\ö`, "qö")
}

func TestRegexpRefuses(t *testing.T) {
	for _, pattern := range []string{`(`, `\bx`, `(?=a)`, `(a)\1`, `[^\s\S]`, `a{900}{900}`, `(?:a{500}){500}`} {
		if _, err := grammar.Regexp(pattern); err == nil {
			t.Errorf("%s is taken", pattern)
		}
	}
}

func TestEBNF(t *testing.T) {
	f := func(text, matches string) {
		t.Helper()
		g, err := grammar.EBNF(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			return
		}
		re := regexp.MustCompile("^(?:" + matches + ")$")
		for seed := range uint64(100) {
			if got := g.Generate(source(seed, seed == 0), 300); !re.MatchString(got) || len(got) > 400 {
				t.Errorf("%s: %q", text, got)
				return
			}
		}
	}
	f(`root ::= "a"`, `a`)
	f("root ::= \"a\"* # comment\n", `a*`)
	f("root ::= \"a\"{2,3} [^a-z]+ x?\nx ::= \"y\" | \"\"", `a{2,3}[^a-z]+y?`)
	f("root ::= \"(\" root \")\" | \"x\"", `\(*x\)*`)
	f("root ::= (\"a\"\n | [\\x41-\\u0043]){2} \"\\n\\\"\\\\\"", `[aA-C]{2}\n"\\`)
	f("root ::= item | root \",\" item\nitem ::= [0-9]", `[0-9](,[0-9])*`)
	f("root ::=", ``)
	f("root ::= .", `(?s).`)
	f("# first\n\nroot-a ::= \"z\"\nroot ::= root-a{2} | root", `zz`)
}

func TestEBNFRefuses(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		_, err := grammar.EBNF(text)
		if err == nil || err.Error() != want {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
	f(`x y z`, `Expected ::= at line 1, 'x ' ^ 'y z'`)
	f(`nope`, `Expected ::= at line 1, 'nope' ^ ''`)
	f(`root = "a"`, `Expected ::= at line 1, 'root ' ^ '= "a"'`)
	f(`root ::= b`, `Rule 'b' not found`)
	f(`foo ::= "a"`, `No 'root' rule found`)
	f(`root ::= "a`, `Unexpected end of input at line 1, 'root ::= "a' ^ ''`)
	f(`root ::= (`, `Expected ')' at line 1, 'root ::= (' ^ ''`)
	f(`root ::= [a-`, `Unexpected end of input at line 1, 'root ::= [a-' ^ ''`)
	f("root ::= \"a\"\n\n?", `Expected name at line 3, 'root ::= "a"\n\n' ^ '?'`)
	f(`root ::= "it's" {x}`, `Expected integer at line 1, 'root ::= "it\'s" {' ^ 'x}'`)
	f(`root ::= "\q"`, `Invalid escape sequence \q at line 1, 'root ::= "\\' ^ 'q"'`)
	if _, err := grammar.EBNF("root ::= root"); !errors.Is(err, grammar.ErrEndless) {
		t.Error(err)
	}
}

func TestLark(t *testing.T) {
	f := func(text, matches string) {
		t.Helper()
		g, err := grammar.Lark(text)
		if err != nil || !grammar.IsLark(text) {
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

func TestLarkRefuses(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		_, err := grammar.Lark(text)
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

// TestBounds: empty parts in repetitions in repetitions take no time.
func TestBounds(t *testing.T) {
	for _, text := range []string{
		"root ::= " + strings.Repeat("(", 100) + `""` + strings.Repeat("*)", 100),
		"root ::= " + strings.Repeat("(", 20) + `""` + strings.Repeat("{1000000000})", 20) + `"a"`,
		"root ::= (" + strings.Repeat(`"" `, 10000) + `"a"){60000}`,
		"root ::= a a a a a a a a\na ::= b b b b b b b b\nb ::= c c c c c c c c\nc ::= d d d d d d d d\nd ::= e e e e e e e e\ne ::= f*\nf ::= \"x\" | root",
	} {
		g, err := grammar.EBNF(text)
		if err != nil {
			continue
		}
		for seed := range uint64(5) {
			if got := g.Generate(source(seed, false), 1000); len(got) > grammar.MaxText {
				t.Errorf("%.50s: %d bytes", text, len(got))
			}
		}
	}
}

func FuzzGrammar(f *testing.F) {
	f.Add(`a(b|c)*[d-f]{2,3}`, 1)
	f.Add("root ::= \"(\" root \")\" | [a-z]+", 2)
	f.Add("start: x+ \"a\"~2\nx: /b|c/", 3)
	f.Fuzz(func(_ *testing.T, text string, seed int) {
		for _, compile := range []func(string) (*grammar.Grammar, error){grammar.Regexp, grammar.EBNF, grammar.Lark} {
			if g, err := compile(text); err == nil {
				g.Generate(source(uint64(seed), seed%2 == 0), 100)
			}
		}
	})
}
