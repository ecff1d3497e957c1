package regex

import (
	"strings"
	"unicode"
)

func (c *checker) group() {
	start := c.at
	c.item = false
	c.open = append(c.open, start)
	switch {
	case c.has("(?=") || c.has("(?!"):
		c.fail(start, start+3, "look-around, including look-ahead and look-behind, is not supported")
	case c.has("(?<=") || c.has("(?<!"):
		c.fail(start, start+4, "look-around, including look-ahead and look-behind, is not supported")
	case c.has("(?P<"):
		c.at += 4
		c.groupName()
	case c.has("(?<"):
		c.at += 3
		c.groupName()
	case c.has("(?"):
		c.at += 2
		c.flags()
	default:
		c.at++
	}
}

func (c *checker) groupName() {
	for first := c.at; c.at < len(c.text); c.at++ {
		switch r := c.text[c.at]; {
		case r == '>':
			c.at++
			return
		case !(r == '_' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || c.at > first && r >= '0' && r <= '9'):
			c.fail(c.at, c.at+1, "invalid capture group character")
			return
		}
	}
	c.fail(c.at, c.at, "unclosed capture group name")
	c.fault.to++
}

func (c *checker) flags() {
	for first := c.at; ; c.at++ {
		if c.at == len(c.text) {
			if c.at > first {
				c.fail(c.at, c.at+1, "expected flag but got end of regex")
			}
			return
		}
		switch r := c.text[c.at]; {
		case r == ':':
			c.at++
			return
		case r == ')':
			c.open = c.open[:len(c.open)-1]
			c.at++
			return
		case !strings.ContainsRune("imsUuxR-", r):
			c.fail(c.at, c.at+1, "unrecognized flag")
			return
		}
	}
}

func (c *checker) braces() {
	start := c.at
	if !c.item {
		c.fail(start, start+1, "repetition operator missing expression")
		return
	}
	c.at++
	least, ok := c.number(start)
	most := least
	if ok && c.at < len(c.text) && c.text[c.at] == ',' {
		if c.at++; c.at < len(c.text) && c.text[c.at] == '}' {
			c.at++
			return
		}
		most, ok = c.number(start)
	}
	switch {
	case !ok:
	case c.at == len(c.text) || c.text[c.at] != '}':
		c.fail(start, c.at, "unclosed counted repetition")
	case most < least:
		c.fail(start, c.at+1, "invalid repetition count range, the start must be <= the end")
	}
	c.at++
}

func (c *checker) blanks() {
	for c.at < len(c.text) && unicode.IsSpace(c.text[c.at]) {
		c.at++
	}
}

func (c *checker) number(start int) (n int, ok bool) {
	c.blanks()
	defer c.blanks()
	first := c.at
	for c.at < len(c.text) && '0' <= c.text[c.at] && c.text[c.at] <= '9' {
		n = min(n*10+int(c.text[c.at]-'0'), 1<<30)
		c.at++
	}
	switch {
	case c.at == len(c.text):
		c.fail(start, c.at, "unclosed counted repetition")
	case c.at == first:
		c.fail(first, first+1, "repetition quantifier expects a valid decimal")
	}
	return n, c.fault == nil
}
