package lark

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/text/structured/grammar"
)

var ebnfRE = regexp.MustCompile(`(?m)^\s*::=|::=`)

// Is tells whether a grammar is one for Lark: no line has ::= outside of a comment.
func Is(text string) bool {
	for line := range strings.SplitSeq(text, "\n") {
		if at := strings.IndexAny(line, "#"); at >= 0 {
			line = line[:at]
		}
		line, _, _ = strings.Cut(line, "//")
		if ebnfRE.MatchString(line) {
			return false
		}
	}
	return text != ""
}

// Begins tells whether a text says itself that it is for Lark; a wrong one that does not is read as EBNF.
func Begins(text string) bool { return startRE.MatchString(text) }

var startRE = regexp.MustCompile(`(?m)^\s*(%llguidance\b|start\s*:)`)

// Error is what is wrong at a place of a Lark grammar.
type Error struct {
	Line, Column int // from 1
	Text         string
	What         string
}

// around is how many lines are shown before and after that of a fault.
const around = 2

// Error has the form that vLLM's library gives it.
func (e *Error) Error() string {
	at, sep := fmt.Sprintf("%d(%d)", e.Line, e.Column), ": "
	if strings.HasPrefix(e.What, "unknown") || strings.HasPrefix(e.What, "invalid regex") || strings.HasPrefix(e.What, "duplicate") ||
		strings.HasPrefix(e.What, "declare") {
		at = "at " + at
	}
	out := at + sep + e.What
	lines := strings.Split(e.Text, "\n")
	for n := max(1, e.Line-around); n <= min(len(lines), e.Line+around); n++ {
		if out += fmt.Sprintf("\n%4d | %s", n, lines[n-1]); n == e.Line {
			out += "\n" + strings.Repeat(" ", 6+e.Column) + "^"
		}
	}
	return out
}

// commonTerminals are what %import common.X brings.
var commonTerminals = map[string]string{
	"DIGIT": "[0-9]", "HEXDIGIT": "[a-fA-F0-9]", "INT": "[0-9]+", "SIGNED_INT": "[+-]?[0-9]+", "DECIMAL": `([0-9]+\.[0-9]*)|(\.[0-9]+)`,
	"FLOAT": `[0-9]+\.[0-9]+`, "SIGNED_FLOAT": `[+-]?[0-9]+\.[0-9]+`, "NUMBER": `[0-9]+(\.[0-9]+)?`, "SIGNED_NUMBER": `[+-]?[0-9]+(\.[0-9]+)?`,
	"LCASE_LETTER": "[a-z]", "UCASE_LETTER": "[A-Z]", "LETTER": "[A-Za-z]", "WORD": "[A-Za-z]+", "CNAME": "[_A-Za-z][_A-Za-z0-9]*",
	"ESCAPED_STRING": `"[^"\\]*"`, "WS_INLINE": "[ \t]+", "WS": "[ \t\f\r\n]+", "CR": "\r", "LF": "\n", "NEWLINE": `(\r?\n)+`,
}

// Read reads rules with a colon, terminals, and %import common.X. What %ignore says is left out of texts. Templates, priorities,
// attributes of rules and other directives are not supported.
func Read(text string) (*grammar.Grammar, error) {
	r := reader{text: text, rules: map[string]*grammar.Node{}, refs: map[string]int{}}
	for r.lines(); r.at < len(text); r.lines() {
		if err := r.statement(); err != nil {
			return nil, err
		}
	}
	for _, name := range r.names {
		if r.rules[name] == nil {
			return nil, r.failAt(r.refs[name], "unknown name: %q", name)
		}
	}
	start := r.rules["start"]
	if start == nil {
		return nil, fmt.Errorf("no start rule found")
	}
	g, err := grammar.New(start, r.rules)
	if err == nil {
		g.Second = r.second
	}
	return g, err
}

type reader struct {
	text  string
	at    int
	depth int
	rules map[string]*grammar.Node
	from  int            // where the choice begins that is read
	names []string       // that rules use, in order
	refs  map[string]int // and where the choices begin that use them first

	second bool // an expression was there that xgrammar does not take
}

// failAt refuses a place, which may be the end of the last line or what follows that.
func (r *reader) failAt(at int, format string, args ...any) error {
	before := (r.text + "\n")[:at]
	line := strings.Count(before, "\n")
	return &Error{line + 1, at - (strings.LastIndexByte(before, '\n') + 1) + 1, r.text, fmt.Sprintf(format, args...)}
}

// space passes over space and comments, lines also over the ends of lines.
func (r *reader) space() { r.pass(" \t\r") }
func (r *reader) lines() { r.pass(" \t\r\n") }

func (r *reader) pass(what string) {
	for r.at < len(r.text) {
		switch {
		case strings.IndexByte(what, r.text[r.at]) >= 0:
			r.at++
		case strings.HasPrefix(r.text[r.at:], "//") || r.text[r.at] == '#':
			for r.at < len(r.text) && r.text[r.at] != '\n' {
				r.at++
			}
		default:
			return
		}
	}
}

func (r *reader) take(token string) bool {
	if !strings.HasPrefix(r.text[r.at:], token) {
		return false
	}
	r.at += len(token)
	return true
}

var (
	nameRE   = regexp.MustCompile(`^[?!]*_*[A-Za-z][A-Za-z0-9_]*`)
	stringRE = regexp.MustCompile(`^("(?:\\(?:["\\/bfnrt]|u[a-fA-F0-9]{4})|[^"\\\x00-\x1f\x7f])*")(i?)`)
	regexpRE = regexp.MustCompile(`^/((?:[^/\\\n]|\\.)+)/([imslux]*)`)
	importRE = regexp.MustCompile(`^%import\s+common\.([A-Z_]+)(?:\s*->\s*([A-Za-z_]+))?`)
	ignoreRE = regexp.MustCompile(`^%ignore[^\n]*`)
	begunRE  = regexp.MustCompile(`^"(?:\\(?:["\\/bfnrt]|u[a-fA-F0-9]{4})|[^"\\\x00-\x1f\x7f])*(?:\\(?:u[a-fA-F0-9]{0,3})?)?`)
)

func (r *reader) match(re *regexp.Regexp) []string {
	m := re.FindStringSubmatch(r.text[r.at:])
	if m != nil {
		r.at += len(m[0])
	}
	return m
}

func (r *reader) statement() error {
	start := r.at
	if r.match(ignoreRE) != nil {
		return nil
	}
	if m := r.match(importRE); m != nil {
		g, err := grammar.Regexp(commonTerminals[m[1]])
		if commonTerminals[m[1]] == "" || err != nil {
			return r.failAt(start, "unknown common terminal: %q", m[1])
		}
		name := m[2]
		if name == "" {
			name = m[1]
		}
		r.rules[name] = g.Start()
		return nil
	}
	if r.take("%declare") {
		return r.failAt(start, "declare statement not supported yet")
	}
	m := r.match(nameRE)
	if m == nil {
		return r.unexpected("expecting rule, token or statement")
	}
	name := strings.TrimLeft(m[0], "?!")
	if r.space(); !r.take(":") {
		return r.failAt(r.at, "Expected token: Colon")
	}
	r.space()
	at := r.at
	n, err := r.choice(false)
	switch {
	case err != nil:
		return err
	case r.rules[name] != nil:
		return r.failAt(at, "duplicate rule: %q", name)
	}
	r.rules[name] = n
	return nil
}

func (r *reader) choice(nested bool) (*grammar.Node, error) {
	if r.depth++; r.depth > grammar.MaxNesting {
		return nil, grammar.ErrEndless
	}
	defer func() { r.depth-- }()
	r.space()
	outer := r.from
	defer func() { r.from = outer }()
	r.from = r.at
	var choices []*grammar.Node
	for {
		s, err := r.sequence()
		if err != nil {
			return nil, err
		}
		choices = append(choices, s)
		at := r.at
		if r.lines(); !r.take("|") {
			if !nested {
				r.at = at
			}
			return grammar.Choice(choices...), nil
		}
	}
}

func (r *reader) sequence() (*grammar.Node, error) {
	var parts []*grammar.Node
	for {
		r.space()
		if r.take("->") {
			r.space()
			r.match(nameRE)
			continue
		}
		part, err := r.part()
		if err != nil || part == nil {
			return grammar.Sequence(parts...), err
		}
		if part, err = r.repeated(part); err != nil {
			return nil, err
		}
		parts = append(parts, part)
	}
}
