package grammar

import (
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// XGrammar tells whether xgrammar, which vLLM asks first, takes a regular expression. What it says of one that it does not take no
// client sees.
func XGrammar(pattern string) bool { return (&xgrammar{rest: pattern}).takes() }

// XGrammarInSchema is XGrammar for an expression in a JSON Schema, where it takes more.
func XGrammarInSchema(pattern string) bool { return (&xgrammar{rest: pattern, inSchema: true}).takes() }

func (x *xgrammar) takes() bool {
	for x.rest != "" {
		if !x.step() {
			return false
		}
	}
	return x.open == 0
}

type xgrammar struct {
	rest     string
	inSchema bool
	open     int
	item     bool // there is something to repeat before
	repeats  int  // 1 once it is repeated, 2 once that is lazy
}

// hexEscape is an escape by a number; what begins as one and is none is refused.
var hexEscape = regexp.MustCompile(`^\\(x[0-9A-Fa-f]{2}|x\{[0-9A-Fa-f]+\}|u[0-9A-Fa-f]{4}|u\{[0-9A-Fa-f]+\}|U[0-9A-Fa-f]{8}|c[^\x00])`)

var (
	repeatCount = regexp.MustCompile(`^\{[0-9]+(,[0-9]*)?\}`)
	groupName   = regexp.MustCompile(`^\(\?<[A-Za-z_][A-Za-z_0-9]*>`)
)

// step takes one part of the expression.
func (x *xgrammar) step() bool {
	switch x.rest[0] {
	case '(':
		return x.group()
	case ')':
		if x.open == 0 {
			return false
		}
		x.open--
		return x.take(1, true)
	case '[':
		return x.class()
	case '|':
		return x.take(1, false)
	case '^', '$':
		x.rest = x.rest[1:]
		return true
	case '*', '+', '?', '{':
		return x.repeat()
	case '\\':
		return x.escape()
	}
	_, size := utf8.DecodeRuneInString(x.rest)
	return x.take(size, true)
}

func (x *xgrammar) take(n int, item bool) bool {
	x.rest, x.item, x.repeats = x.rest[n:], item, 0
	return true
}

// group takes a group with or without a name, and no flags.
func (x *xgrammar) group() bool {
	n := 1
	switch {
	case strings.HasPrefix(x.rest, "(?:"):
		n = 3
	case strings.HasPrefix(x.rest, "(?") && x.inSchema:
		n = 2 // flags are read as text
	case strings.HasPrefix(x.rest, "(?"):
		if n = len(groupName.FindString(x.rest)); n == 0 {
			return false
		}
	}
	x.open++
	return x.take(n, false)
}

// class takes a class of characters. Only those that are empty or whose bounds are in the wrong order are refused.
func (x *xgrammar) class() bool {
	c := checker{text: []rune(x.rest)}
	c.at = 1
	if c.has("^") {
		c.at++
	}
	first, low, ranged := c.at, rune(-1), false
	for ; c.at < len(c.text) && c.text[c.at] != ']'; c.at++ {
		r := c.text[c.at]
		if r == '\\' {
			if c.at++; c.at == len(c.text) || ranged && strings.ContainsRune("dDsSwW", c.text[c.at]) {
				return false
			}
			low, ranged = -1, false
			continue
		}
		switch {
		case r == '-' && low >= 0 && c.at+1 < len(c.text) && c.text[c.at+1] != ']' && !ranged:
			ranged = true
		case ranged:
			if r < low {
				return false
			}
			low, ranged = -1, false
		default:
			low = r
		}
	}
	if c.at == len(c.text) || c.at == 1 && c.at == first {
		return false
	}
	return x.take(len(string(c.text[:c.at+1])), true)
}

// repeat takes how often the part before is there: once, and lazily or not.
func (x *xgrammar) repeat() bool {
	n := 1
	if x.rest[0] == '{' {
		n = len(repeatCount.FindString(x.rest))
	}
	again := x.repeats + 1
	if x.repeats == 1 && x.rest[0] != '?' && !x.inSchema {
		again++
	}
	if n == 0 || !x.item || again > 2 && !x.inSchema || backwards(x.rest[:n]) {
		return false
	}
	x.rest, x.repeats = x.rest[n:], again
	return true
}

// backwards tells whether a count {2,1} has its bounds in the wrong order.
func backwards(count string) bool {
	low, high, both := strings.Cut(strings.Trim(count, "{}"), ",")
	least, _ := strconv.Atoi(low)
	most, err := strconv.Atoi(high)
	return both && err == nil && most < least
}

// escape takes a backslash and what follows.
func (x *xgrammar) escape() bool {
	if len(x.rest) == 1 {
		return false
	}
	if n := len(hexEscape.FindString(x.rest)); n > 0 {
		return x.take(n, true)
	}
	if strings.ContainsRune("xuUcpPbBk123456789", rune(x.rest[1])) {
		return false
	}
	_, size := utf8.DecodeRuneInString(x.rest[1:])
	return x.take(1+size, true)
}
