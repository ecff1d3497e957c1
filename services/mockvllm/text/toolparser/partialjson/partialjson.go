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

// members calls f with the key of each member of the object that text is, or begins with, and with where the colon behind it ends,
// until f returns false.
func members(text string, f func(key string, at int) bool) {
	var c Cutter
	begin, key := 0, ""
	for i := range len(text) {
		wasString := c.inString
		c.Closes(text[i])
		switch {
		case !wasString && c.inString:
			begin = i + 1
		case wasString && !c.inString && c.depth == 1:
			key = text[begin:i]
		case !wasString && text[i] == ':' && c.depth == 1:
			if !f(key, i+1) {
				return
			}
			key = ""
		}
	}
}

// Member is the text of an object that is the value of a member of the object which raw is, or begins with. ok is false while
// it has not begun.
func Member(raw, name string) (value string, ok bool) {
	members(raw, func(key string, at int) bool {
		if key == name {
			value = strings.TrimLeft(raw[at:], " \t\r\n")
			value, ok = object(value), strings.HasPrefix(value, "{")
		}
		return key != name
	})
	return value, ok
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
	last, at := "", -1
	members(arguments, func(key string, value int) bool {
		last, at = key, value
		return true
	})
	if at < 0 {
		return ""
	}
	value := strings.TrimLeft(arguments[at:], " \t\r\n")
	at = len(arguments) - len(value)
	if !strings.HasPrefix(value, `"`) || open != nil && !open[last] {
		return arguments[:at]
	}
	var c Cutter
	for i := range len(value) {
		if c.Closes(value[i]); !c.inString {
			return arguments[:at+i]
		}
	}
	return arguments
}
