package grammar_test

import (
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

func FuzzRegexp(f *testing.F) {
	f.Add(`a(b|c)*[d-f]{2,3}`, uint64(1))
	f.Fuzz(func(_ *testing.T, pattern string, seed uint64) {
		if g, err := grammar.Regexp(pattern); err == nil {
			g.Generate(source(seed, seed%2 == 0), 100)
		}
	})
}

func TestMentions(t *testing.T) {
	f := func(asked, text string, want bool) {
		t.Helper()
		if got := (grammar.Source{Asked: asked}).Mentions(text); got != want {
			t.Errorf("%q mentions %q: %v", asked, text, got)
		}
	}
	f("weather and flights to Rome", "f", false)
	f("in °F, please", "f", true)
	f("I know: no.", "NO", true)
	f("know", "no", false)
	f("new york or New York City", "New York", true)
	f("été", "t", false)
	f("天気は赤です", "赤", true)
	f("a", "", false)
	f("C++ or C", "c++", true)
}
