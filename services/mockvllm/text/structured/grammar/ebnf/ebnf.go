package ebnf

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/text/structured/grammar"
)

// Read reads a grammar. Errors are those of the converter with which vLLM ends up when one is wrong.
func Read(text string) (*grammar.Grammar, error) {
	r := reader{text: []rune(text), rules: map[string]*grammar.Node{}}
	for r.space(true); r.at < len(r.text); r.space(true) {
		if err := r.rule(); err != nil {
			return nil, err
		}
	}
	for _, name := range r.refs {
		if r.rules[name] == nil {
			return nil, fault(fmt.Sprintf("Rule '%s' not found", name))
		}
	}
	start := r.rules["root"]
	if start == nil {
		return nil, fault("No 'root' rule found")
	}
	g, err := grammar.New(start, r.rules)
	if err == nil {
		g.Second = r.second
	}
	return g, err
}

// fault is an error in the words of that converter.
type fault string

func (f fault) Error() string { return string(f) }

type reader struct {
	text  []rune
	at    int
	rules map[string]*grammar.Node
	refs  []string
	depth int

	second bool // something was there that xgrammar does not take
}

// fail says what was expected, and shows 20 characters on both sides, as Python's repr() does.
func (r *reader) fail(format string, args ...any) error {
	line := 1 + strings.Count(string(r.text[:r.at]), "\n")
	before, after := r.text[max(0, r.at-20):r.at], r.text[r.at:min(len(r.text), r.at+20)]
	return fmt.Errorf("%s at line %d, %s ^ %s", fmt.Sprintf(format, args...), line, repr(string(before)), repr(string(after)))
}

// repr is Python's repr() of a string.
func repr(s string) string {
	quote := `'`
	if strings.Contains(s, `'`) && !strings.Contains(s, `"`) {
		quote = `"`
	}
	out := ""
	for _, c := range s {
		switch {
		case string(c) == quote || c == '\\':
			out += `\` + string(c)
		case unicode.IsPrint(c):
			out += string(c)
		case c < 0x80 && strings.ContainsRune("\n\r\t", c):
			out += strings.Trim(strconv.Quote(string(c)), `"`)
		case c < 0x100:
			out += fmt.Sprintf(`\x%02x`, c)
		case c < 0x10000:
			out += fmt.Sprintf(`\u%04x`, c)
		default:
			out += fmt.Sprintf(`\U%08x`, c)
		}
	}
	return quote + out + quote
}

// peek is the next character, 0 at the end.
func (r *reader) peek() rune {
	if r.at == len(r.text) {
		return 0
	}
	return r.text[r.at]
}

func (r *reader) take(c rune) bool {
	if r.at == len(r.text) || r.text[r.at] != c {
		return false
	}
	r.at++
	return true
}

func (r *reader) space(lines bool) {
	for r.at < len(r.text) {
		switch c := r.peek(); {
		case c == ' ' || c == '\t' || lines && (c == '\n' || c == '\r'):
			r.at++
		case c == '#':
			for r.at < len(r.text) && r.peek() != '\n' && r.peek() != '\r' {
				r.at++
			}
		default:
			return
		}
	}
}

func isName(c rune) bool { return unicode.IsLetter(c) || unicode.IsDigit(c) || c == '-' || c == '_' }

func (r *reader) name() string {
	start := r.at
	for r.at < len(r.text) && isName(r.peek()) {
		r.at++
	}
	return string(r.text[start:r.at])
}

func (r *reader) rule() error {
	name := r.name()
	if name == "" {
		return r.fail("Expected name")
	}
	if r.assigned() {
		r.space(true)
	} else {
		r.space(false)
	}
	if !strings.HasPrefix(string(r.text[r.at:min(len(r.text), r.at+3)]), "::=") {
		return r.fail("Expected ::=")
	}
	r.at += 3
	r.space(true)
	n, err := r.choice(false)
	r.second = r.second || r.rules[name] != nil || unicode.IsDigit([]rune(name)[0])
	r.rules[name] = n
	return err
}

func (r *reader) choice(nested bool) (*grammar.Node, error) {
	if r.depth++; r.depth > grammar.MaxNesting {
		return nil, grammar.ErrEndless
	}
	defer func() { r.depth-- }()
	var choices []*grammar.Node
	nothing := false
	for {
		parts, err := r.sequence(nested)
		if err != nil {
			return nil, err
		}
		choices = append(choices, grammar.Sequence(parts...))
		nothing = nothing || len(parts) == 0
		if r.space(nested || r.goesOn("|")); !r.take('|') {
			r.second = r.second || nothing && !(nested && len(choices) == 1) // () is something
			return grammar.Choice(choices...), nil
		}
		r.space(true)
	}
}

func (r *reader) sequence(nested bool) (parts []*grammar.Node, err error) {
	for r.at < len(r.text) && !strings.ContainsRune("|)", r.peek()) && (nested || !strings.ContainsRune("\r\n", r.peek()) || r.goesOn("\"[(")) {
		r.space(true)
		part, err := r.part(nested)
		if err != nil {
			return nil, err
		}
		if part == nil {
			break
		}
		r.space(nested)
		if part, err = r.repeated(part); err != nil {
			return nil, err
		}
		parts = append(parts, part)
		r.space(nested)
	}
	return parts, nil
}

// assigned tells whether ::= comes after space.
func (r *reader) assigned() bool {
	ahead := reader{text: r.text, at: r.at}
	ahead.space(true)
	return strings.HasPrefix(string(ahead.text[ahead.at:min(len(ahead.text), ahead.at+3)]), "::=")
}

// goesOn tells whether a rule goes on after the end of the line, with one of these characters or with a name that is no rule's.
func (r *reader) goesOn(with string) bool {
	ahead := reader{text: r.text, at: r.at}
	if ahead.space(true); strings.ContainsRune(with, ahead.peek()) {
		return true
	}
	return with != "|" && ahead.name() != "" && !ahead.assigned()
}

// part is nil when nothing begins here.
func (r *reader) part(nested bool) (*grammar.Node, error) {
	switch c := r.peek(); {
	case c == '"':
		return r.literal()
	case c == '[':
		return r.class()
	case c == '.':
		r.at++
		r.second = true
		return grammar.Class(0, unicode.MaxRune), nil
	case c == '(':
		r.at++
		r.space(true)
		ahead := r.take('=') // what has to follow, and is no part of the text
		n, err := r.choice(true)
		if err == nil && !r.take(')') {
			err = r.fail("Expected ')'")
		}
		if ahead && err == nil {
			n = grammar.Sequence()
		}
		r.space(nested)
		return n, err
	case isName(c):
		name := r.name()
		r.refs = append(r.refs, name)
		return grammar.Rule(name), nil
	}
	return nil, nil
}
