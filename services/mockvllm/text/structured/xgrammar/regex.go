package xgrammar

import (
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// TakesRegex tells whether the library takes a regular expression.
func TakesRegex(pattern string) bool { return (&regex{rest: pattern}).takes() }

// takesRegexInSchema is TakesRegex for an expression in a JSON Schema, where the library takes more.
func takesRegexInSchema(pattern string) bool { return (&regex{rest: pattern, inSchema: true}).takes() }

func (r *regex) takes() bool {
	for r.rest != "" {
		if !r.step() {
			return false
		}
	}
	return r.open == 0
}

type regex struct {
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
func (r *regex) step() bool {
	switch r.rest[0] {
	case '(':
		return r.group()
	case ')':
		if r.open == 0 {
			return false
		}
		r.open--
		return r.take(1, true)
	case '[':
		return r.class()
	case '|':
		return r.take(1, false)
	case '^', '$':
		r.rest = r.rest[1:]
		return true
	case '*', '+', '?', '{':
		return r.repeat()
	case '\\':
		return r.escape()
	}
	_, size := utf8.DecodeRuneInString(r.rest)
	return r.take(size, true)
}

func (r *regex) take(n int, item bool) bool {
	r.rest, r.item, r.repeats = r.rest[n:], item, 0
	return true
}

// group takes a group with or without a name, and no flags.
func (r *regex) group() bool {
	n := 1
	switch {
	case strings.HasPrefix(r.rest, "(?:"):
		n = 3
	case strings.HasPrefix(r.rest, "(?") && r.inSchema:
		n = 2 // flags are read as text
	case strings.HasPrefix(r.rest, "(?"):
		if n = len(groupName.FindString(r.rest)); n == 0 {
			return false
		}
	}
	r.open++
	return r.take(n, false)
}

// class takes a class of characters. Only those that are empty or whose bounds are in the wrong order are refused.
func (r *regex) class() bool {
	text := []rune(r.rest)
	at := 1
	if at < len(text) && text[at] == '^' {
		at++
	}
	first, low, ranged := at, rune(-1), false
	for ; at < len(text) && text[at] != ']'; at++ {
		c := text[at]
		if c == '\\' {
			if at++; at == len(text) || ranged && strings.ContainsRune("dDsSwW", text[at]) {
				return false
			}
			low, ranged = -1, false
			continue
		}
		switch {
		case c == '-' && low >= 0 && at+1 < len(text) && text[at+1] != ']' && !ranged:
			ranged = true
		case ranged:
			if c < low {
				return false
			}
			low, ranged = -1, false
		default:
			low = c
		}
	}
	if at == len(text) || at == 1 && at == first {
		return false
	}
	return r.take(len(string(text[:at+1])), true)
}

// repeat takes how often the part before is there: once, and lazily or not.
func (r *regex) repeat() bool {
	n := 1
	if r.rest[0] == '{' {
		n = len(repeatCount.FindString(r.rest))
	}
	again := r.repeats + 1
	if r.repeats == 1 && r.rest[0] != '?' && !r.inSchema {
		again++
	}
	if n == 0 || !r.item || again > 2 && !r.inSchema || backwards(r.rest[:n]) {
		return false
	}
	r.rest, r.repeats = r.rest[n:], again
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
func (r *regex) escape() bool {
	if len(r.rest) == 1 {
		return false
	}
	if n := len(hexEscape.FindString(r.rest)); n > 0 {
		return r.take(n, true)
	}
	if strings.ContainsRune("xuUcpPbBk123456789", rune(r.rest[1])) {
		return false
	}
	_, size := utf8.DecodeRuneInString(r.rest[1:])
	return r.take(1+size, true)
}
