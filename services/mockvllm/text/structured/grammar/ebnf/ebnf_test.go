package ebnf_test

import (
	"errors"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/text/structured/grammar"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/text/structured/grammar/ebnf"
)

func source(seed uint64, guide bool) grammar.Source {
	return grammar.Source{Rand: rand.New(rand.NewPCG(seed, 1)), Guide: guide, Asked: "Which city, Paris or London?"}
}

func TestRead(t *testing.T) {
	f := func(text, matches string) {
		t.Helper()
		g, err := ebnf.Read(text)
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

func TestRefuses(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		_, err := ebnf.Read(text)
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
	if _, err := ebnf.Read("root ::= root"); !errors.Is(err, grammar.ErrEndless) {
		t.Error(err)
	}
}

// TestBounds: empty parts in repetitions in repetitions take no time.
func TestBounds(t *testing.T) {
	for _, text := range []string{
		"root ::= " + strings.Repeat("(", 100) + `""` + strings.Repeat("*)", 100),
		"root ::= " + strings.Repeat("(", 20) + `""` + strings.Repeat("{1000000000})", 20) + `"a"`,
		"root ::= (" + strings.Repeat(`"" `, 10000) + `"a"){60000}`,
		"root ::= a a a a a a a a\na ::= b b b b b b b b\nb ::= c c c c c c c c\nc ::= d d d d d d d d\nd ::= e e e e e e e e\ne ::= f*\nf ::= \"x\" | root",
	} {
		g, err := ebnf.Read(text)
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

func FuzzRead(f *testing.F) {
	f.Add("root ::= \"(\" root \")\" | [a-z]+", uint64(2))
	f.Fuzz(func(_ *testing.T, text string, seed uint64) {
		if g, err := ebnf.Read(text); err == nil {
			g.Generate(source(seed, seed%2 == 0), 100)
		}
	})
}
