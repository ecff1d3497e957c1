// Package partialjson follows JSON that is still being written, and tells what of it can be sent on.
package partialjson

import "strings"

// Cutter passes JSON on, and holds back brackets that close all of it: only what comes next tells whether they belong to it.
type Cutter struct {
	held             string
	depth            int
	inString, escape bool
}

// Feed returns what is safe to send, with what was held back before.
func (c *Cutter) Feed(text string) string {
	safe := 0
	all := c.held + text
	for i := len(c.held); i < len(all); i++ {
		if !c.Closes(all[i]) {
			safe = i + 1
		}
	}
	c.held = all[safe:]
	return all[:safe]
}

// Closes follows one byte, and tells whether it closes the outermost bracket.
func (c *Cutter) Closes(b byte) bool {
	switch {
	case c.escape:
		c.escape = false
	case c.inString:
		c.escape = b == '\\'
		c.inString = b != '"'
	case b == '"':
		c.inString = true
	case b == '{' || b == '[':
		c.depth++
	case b == '}' || b == ']':
		c.depth = max(0, c.depth-1)
		return c.depth == 0
	}
	return false
}

// Rest is what was held back.
func (c *Cutter) Rest() string {
	rest := c.held
	c.held = ""
	return rest
}

// Member is the text of an object that is the value of a member of the object which raw is, or begins with. ok is false while
// it has not begun.
func Member(raw, name string) (value string, ok bool) {
	var c Cutter
	begin, last := 0, ""
	for i := range len(raw) {
		wasString := c.inString
		c.Closes(raw[i])
		switch {
		case !wasString && c.inString:
			begin = i + 1
		case wasString && !c.inString && c.depth == 1:
			last = raw[begin:i]
		case !wasString && raw[i] == ':' && c.depth == 1 && last == name:
			value = strings.TrimLeft(raw[i+1:], " \t\r\n")
			return object(value), strings.HasPrefix(value, "{")
		}
	}
	return "", false
}

// object is the part of text that is one object, or all of it when that does not end. Only braces count.
func object(text string) string {
	var c Cutter
	depth := 0
	for i := range len(text) {
		c.Closes(text[i])
		switch {
		case c.inString:
		case text[i] == '{':
			depth++
		case text[i] == '}':
			if depth--; depth == 0 {
				return text[:i+1]
			}
		}
	}
	return text
}

// Stable is the beginning of arguments that more text will not change: the last value may get another type, or grow. Only a
// value that is a string, and stays one, is sent while it grows. A nil open means that all strings do.
func Stable(arguments string, open map[string]bool) string {
	var c Cutter
	begin, key, last, at := 0, "", "", -1
	for i := range len(arguments) {
		was := c.inString
		c.Closes(arguments[i])
		switch {
		case !was && c.inString:
			begin = i + 1
		case was && !c.inString && c.depth == 1:
			key = arguments[begin:i]
		case !was && arguments[i] == ':' && c.depth == 1:
			at, last, key = i+1, key, ""
		}
	}
	if at < 0 {
		return ""
	}
	value := strings.TrimLeft(arguments[at:], " \t\r\n")
	at = len(arguments) - len(value)
	if !strings.HasPrefix(value, `"`) || open != nil && !open[last] {
		return arguments[:at]
	}
	c = Cutter{}
	for i := range len(value) {
		if c.Closes(value[i]); !c.inString {
			return arguments[:at+i]
		}
	}
	return arguments
}
