package regex

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// Fault is what is wrong with a regular expression, in the words of Rust's regex-syntax.
type Fault struct {
	text     string // of the expression
	from, to int    // where, in characters
	what     string
	whole    bool // what says all
}

// Error is the message for an expression inside of a JSON Schema.
func (f *Fault) Error() string {
	if f.whole {
		return f.what
	}
	return fmt.Sprintf("regex parse error:\n    %s\n    %s%s\nerror: %s", f.text, strings.Repeat(" ", f.from), strings.Repeat("^", f.to-f.from), f.what)
}

// InLark is the message for an expression of its own, which vLLM puts into a grammar first.
func (f *Fault) InLark() string {
	return fmt.Sprintf("at 1(8): %s\n   1 | start: /%s/\n              ^", f.Invalid(), f.text)
}

// Invalid is the message for an expression in a grammar, without the place.
func (f *Fault) Invalid() string {
	quoted := strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(f.text)
	return fmt.Sprintf("invalid regex \"%s\" (in regex): %s", quoted, f.Error())
}

// Check finds the first fault of an expression; nil is none. inLark says that it will be put into a grammar, where a slash
// and control characters are escaped.
func Check(pattern string, inLark bool) *Fault {
	if inLark {
		pattern = larkSpelling(pattern)
	}
	c := checker{text: []rune(pattern)}
	for c.at < len(c.text) && c.fault == nil {
		c.step()
	}
	if c.fault == nil && len(c.open) > 0 {
		at := c.open[len(c.open)-1]
		c.fail(at, at+1, "unclosed group")
	}
	if c.fault == nil && c.look != "" {
		c.fault = &Fault{text: pattern, what: fmt.Sprintf("lookarounds not supported yet; %s in regex /%s/", c.look, pattern), whole: true}
	}
	return c.fault
}

func larkSpelling(pattern string) string {
	var b strings.Builder
	for i := 0; i < len(pattern); i++ {
		switch c := pattern[i]; {
		case c == '\\' && i+1 == len(pattern):
		case c == '\\':
			b.WriteString(pattern[i : i+2])
			i++
		case c == '/':
			b.WriteString(`\/`)
		case c == '\n':
			b.WriteString(`\n`)
		case c == '\r':
			b.WriteString(`\r`)
		case c == '\t':
			b.WriteString(`\t`)
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

type checker struct {
	text  []rune
	at    int
	open  []int // where groups begin
	item  bool  // something to repeat is before
	look  string
	fault *Fault
}

func (c *checker) fail(from, to int, what string) {
	if c.fault == nil {
		c.fault = &Fault{text: string(c.text), from: from, to: to, what: what}
	}
}

func (c *checker) has(prefix string) bool {
	p := []rune(prefix)
	return len(c.text)-c.at >= len(p) && slices.Equal(c.text[c.at:c.at+len(p)], p)
}

func (c *checker) step() {
	switch c.text[c.at] {
	case '\\':
		c.escape()
		c.item = true
	case '[':
		c.class()
		c.item = true
	case '(':
		c.group()
	case ')':
		if len(c.open) == 0 {
			c.fail(c.at, c.at+1, "unopened group")
			return
		}
		c.open = c.open[:len(c.open)-1]
		c.at++
		c.item = true
	case '|':
		c.at++
		c.item = false
	case '*', '+', '?':
		c.anchored()
		if !c.item {
			c.fail(c.at, c.at+1, "repetition operator missing expression")
		}
		c.at++
	case '{':
		c.braces()
	default:
		c.at++
		c.item = true
	}
}

// anchored notes that an anchor may be there or not, which its library cannot follow.
func (c *checker) anchored() {
	if c.at == 0 || c.look != "" || c.text[c.at] == '+' {
		return
	}
	switch c.text[c.at-1] {
	case '^':
		c.look = "Start"
	case '$':
		c.look = "End"
	}
}

// hexDigits is how many digits follow a letter.
var hexDigits = map[rune]int{'x': 2, 'u': 4, 'U': 8}

func (c *checker) escape() {
	start := c.at
	if c.at += 2; c.at > len(c.text) {
		return // vLLM drops a backslash at the end
	}
	switch e := c.text[start+1]; {
	case '1' <= e && e <= '9':
		c.fail(start, start+2, "backreferences are not supported")
	case e == 'c':
		c.fail(start, start+2, "unrecognized escape sequence")
	case hexDigits[e] > 0 && len(c.text) < start+2+hexDigits[e] && !strings.ContainsRune(string(c.text[start+2:]), '{'):
		c.fail(len(c.text), len(c.text)+1, "incomplete escape sequence, reached end of pattern prematurely")
	case (e == 'p' || e == 'P') && c.at < len(c.text) && c.text[c.at] == '{':
		c.property(start)
	case e == 'k':
		c.fail(start, start+2, "unrecognized escape sequence")
	case e == 'b' && c.look == "":
		c.look = "WordUnicode"
	case e == 'B' && c.look == "":
		c.look = "WordUnicodeNegate"
	}
}

// property is \p{...}.
func (c *checker) property(start int) {
	end := slices.Index(c.text[c.at:], '}')
	if end < 0 {
		return
	}
	name := strings.TrimPrefix(string(c.text[c.at+1:c.at+end]), "^")
	c.at += end + 1
	if unicode.Categories[name] == nil && unicode.Scripts[name] == nil {
		c.fail(start, c.at, "Unicode property not found")
	}
}

func (c *checker) class() {
	start := c.at
	c.at++
	empty := c.at
	if c.at < len(c.text) && c.text[c.at] == '^' {
		c.at++
		empty++
		if c.at < len(c.text) && c.text[c.at] == ']' { // [^] is anything
			c.at++
			return
		}
	}
	for c.at < len(c.text) && c.text[c.at] == '-' {
		c.at++
	}
	if c.at == empty && c.at < len(c.text) && c.text[c.at] == ']' {
		c.at++
	}
	opened := c.at
	for c.at < len(c.text) && c.text[c.at] != ']' {
		from, at := c.classItem()
		if c.at+1 < len(c.text) && c.text[c.at] == '-' && c.text[c.at+1] != ']' {
			c.at++
			to, second := c.classItem()
			switch {
			case from < 0: // a class, and then a dash
			case to < 0:
				c.fail(second, c.at, "invalid range boundary, must be a literal")
			case to < from:
				c.fail(at, c.at, "invalid character class range, the start must be <= the end")
			}
		}
	}
	if c.at == len(c.text) {
		c.fail(start, opened, "unclosed character class")
	}
	c.at++
}

// classItem is a character, or -1 for an escape that stands for several.
func (c *checker) classItem() (r rune, at int) {
	at = c.at
	r = c.text[c.at]
	if c.at++; r != '\\' || c.at == len(c.text) {
		return r, at
	}
	r = c.text[c.at]
	if c.at++; strings.ContainsRune("dDsSwWpP", r) {
		return -1, at
	}
	return r, at
}
