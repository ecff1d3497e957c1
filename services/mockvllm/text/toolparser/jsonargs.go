package toolparser

import "strings"

// jsonCutter passes JSON on and holds back brackets that close all of it: only what comes next tells whether they belong to it.
type jsonCutter struct {
	held             string
	depth            int
	inString, escape bool
}

// feed returns what is safe to send, with what was held back before.
func (c *jsonCutter) feed(text string) string {
	safe := 0
	all := c.held + text
	for i := len(c.held); i < len(all); i++ {
		if !c.closes(all[i]) {
			safe = i + 1
		}
	}
	c.held = all[safe:]
	return all[:safe]
}

// closes follows one byte, and tells whether it closes the outermost bracket.
func (c *jsonCutter) closes(b byte) bool {
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

func (c *jsonCutter) rest() string {
	rest := c.held
	c.held = ""
	return rest
}

// listCutter knows where in an array of calls a text is.
type listCutter struct {
	begun  bool // [ was there
	inside bool // of a call
}

// listText takes an array of calls apart. What is no array is words.
func (e *engine) listText(text string, out []piece) []piece {
	for i := 0; i < len(text); i++ {
		c := text[i]
		if e.list.inside {
			if !e.json.closes(c) || c != '}' {
				continue
			}
			out = append(out, piece{callArguments, e.call, text[:i+1]}, piece{callEnds, e.call, ""})
			e.list.inside = false
		} else if strings.IndexByte(" \t\r\n", c) < 0 {
			switch {
			case e.list.begun && (c == ',' || c == ';'):
			case e.list.begun && c == '{':
				e.call++
				e.json = jsonCutter{}
				e.json.closes(c)
				e.list.inside = true
				out = append(out, piece{callBegins, e.call, ""})
				text, i = text[i:], 0
				continue
			case e.list.begun && c == ']':
				e.state = inWords
				return e.rest(text[i+1:], out)
			case !e.list.begun && c == '[':
				e.list.begun = true
			default:
				e.state = inWords
				return e.rest(text[i:], out)
			}
		}
		text, i = text[i+1:], -1
	}
	if e.list.inside && text != "" {
		out = append(out, piece{callArguments, e.call, text})
	}
	return out
}

func (e *engine) rest(text string, out []piece) []piece {
	e.list = listCutter{}
	if text == "" {
		return out
	}
	return e.text(text, out)
}

// member is the text of an object that is the value of a member of the object which raw is, or begins with. ok is false while
// it has not begun.
func member(raw, name string) (value string, ok bool) {
	var c jsonCutter
	begin, last := 0, ""
	for i := range len(raw) {
		wasString := c.inString
		c.closes(raw[i])
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
	var c jsonCutter
	depth := 0
	for i := range len(text) {
		c.closes(text[i])
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

// stable is the beginning of arguments that more text will not change: the last value may get another type, or grow. Only a
// value that is a string, and stays one, is sent while it grows. A nil open means that all strings do.
func stable(arguments string, open map[string]bool) string {
	var c jsonCutter
	begin, key, last, at := 0, "", "", -1
	for i := range len(arguments) {
		was := c.inString
		c.closes(arguments[i])
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
	c = jsonCutter{}
	for i := range len(value) {
		if c.closes(value[i]); !c.inString {
			return arguments[:at+i]
		}
	}
	return arguments
}
