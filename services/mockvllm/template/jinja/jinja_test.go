package jinja_test

import (
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/template/jinja"
)

func vars(t testing.TB) *pyjson.Object {
	t.Helper()
	data, err := os.ReadFile("testdata/vars.json")
	if err != nil {
		t.Fatal(err)
	}
	v, err := pyjson.Decode(data)
	if err != nil {
		t.Fatal(err)
	}
	return v.(*pyjson.Object)
}

type snippet struct{ Template, Want, Error, Type string }

func snippets(t testing.TB) []snippet {
	t.Helper()
	data, err := os.ReadFile("testdata/snippets.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	var out []snippet
	for line := range strings.Lines(string(data)) {
		var s snippet
		if err := json.Unmarshal([]byte(line), &s); err != nil {
			t.Fatal(err)
		}
		out = append(out, s)
	}
	return out
}

func render(source string, v *pyjson.Object) (string, error) {
	tpl, err := jinja.Parse(source)
	if err != nil {
		return "", err
	}
	return tpl.Render(v)
}

// TestSnippets holds small templates against what Jinja2 makes of them in the environment of transformers.
func TestSnippets(t *testing.T) {
	v := vars(t)
	for _, s := range snippets(t) {
		got, err := render(s.Template, v)
		switch {
		case err != nil && s.Type == "":
			t.Errorf("%q: error %v, want %q", s.Template, err, s.Want)
		case err == nil && s.Type != "":
			t.Errorf("%q = %q, want error %q", s.Template, got, s.Error)
		case err != nil && err.Error() != s.Error:
			t.Errorf("%q: error %q, want %q", s.Template, err, s.Error)
		case err == nil && got != s.Want:
			t.Errorf("%q\n = %q\nwant %q", s.Template, got, s.Want)
		}
	}
}

// TestBounds: what a hostile template does ends soon, with an error.
func TestBounds(t *testing.T) {
	f := func(source string) {
		t.Helper()
		if _, err := render(source, vars(t)); err == nil {
			t.Errorf("%.60q was rendered", source)
		}
	}
	f("{% for a in range(100000) %}{% for b in range(100000) %}{{ b }}{% endfor %}{% endfor %}")
	f("{% for a in range(100000) %}{% for b in range(100000) %}{% endfor %}{% endfor %}")
	f("{% set ns = namespace(s='x') %}{% for a in range(99) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}")
	f("{% set ns = namespace(s=['x']) %}{% for a in range(99) %}{% set ns.s = ns.s + ns.s %}{% endfor %}")
	f("{% set ns = namespace(s=['x']) %}{% for a in range(99) %}{% set ns.s = [ns.s, ns.s] %}{% endfor %}{{ ns.s }}")
	f("{% set ns = namespace(s=['x']) %}{% for a in range(99) %}{% set ns.s = [ns.s, ns.s] %}{% endfor %}{{ ns.s | tojson }}")
	f("{% set ns = namespace(s=['x'], t=['x']) %}{% for a in range(99) %}{% set ns.s = [ns.s, ns.s] %}{% set ns.t = [ns.t, ns.t] %}{% endfor %}{{ ns.s == ns.t }}")
	f("{% set ns = namespace(s=['x']) %}{% for a in range(99999) %}{% set ns.s = [ns.s] %}{% endfor %}{{ ns.s }}")
	f("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}")
	f("{{ 'x' * 999999999999 }}")
	f("{{ [1] * 999999999 }}")
	f("{{ ('x' * 100000).replace('', 'y' * 100000) }}")
	f("{{ ('x' * 100000).join(range(100000) | map('string') | list) }}")
	f("{% for a in range(99999) %}{{ ('x' * 100000) | upper | length }}{% endfor %}")
	f("{{ " + strings.Repeat("(", 100_000) + "1" + strings.Repeat(")", 100_000) + " }}")
	f("{{ " + strings.Repeat("[", 100_000) + " }}")
	f("{{ " + strings.Repeat("not ", 100_000) + "1 }}")
	f("{{ " + strings.Repeat("-", 100_000) + "1 }}")
	f(strings.Repeat("{% if a %}", 100_000))
	f("{{ 1" + strings.Repeat(" + 1", 5_000_000) + " }}")
}

func TestUnsafe(t *testing.T) {
	f := func(source string) {
		t.Helper()
		if got, err := render(source, vars(t)); err == nil && got != "" {
			t.Errorf("%q = %q", source, got)
		}
	}
	f("{{ s.__class__ }}")
	f("{{ s.__class__.__mro__ }}")
	f("{{ self }}{{ cycler.__init__.__globals__ }}")
	f("{% include '/etc/passwd' %}")
	f("{% import 'os' as os %}{{ os }}")
	f("{% extends '/etc/passwd' %}")
}

func FuzzRender(f *testing.F) {
	for _, s := range snippets(f) {
		f.Add(s.Template)
	}
	v := vars(f)
	f.Fuzz(func(t *testing.T, source string) {
		_, err := render(source, v)
		var failed *jinja.Error
		var syntax *jinja.SyntaxError
		if err != nil && !errors.As(err, &failed) && !errors.As(err, &syntax) && !errors.Is(err, jinja.ErrTooMuch) {
			t.Fatalf("%q: %v", source, err)
		}
	})
}
