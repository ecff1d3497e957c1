package logs

import (
	"regexp"
	"strings"
)

// escapes are what ECMA-48 calls control sequences, control strings and other escape sequences, and control characters but the tab.
var escapes = regexp.MustCompile(`\x1b\[[0-?]*[ -/]*[@-~]|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[ -/]*[0-~]?|[\x00-\x08\x0a-\x1f\x7f\x{80}-\x{9f}]`)

var colour = regexp.MustCompile(`^\x1b\[[0-9;:]*m$`)

const reset = "\x1b[0m"

// Plain takes the colours out of a line, and all else that is for a terminal.
func Plain(text string) string {
	if !controlled(text) {
		return text
	}
	return escapes.ReplaceAllString(text, "")
}

// Coloured leaves the colours in: nothing that a server prints can do more to a terminal than paint its own line.
func Coloured(text string) string {
	if !controlled(text) {
		return text
	}
	last := ""
	text = escapes.ReplaceAllStringFunc(text, func(seq string) string {
		if !colour.MatchString(seq) {
			return ""
		}
		last = seq
		return seq
	})
	if last != "" && last != reset && last != "\x1b[m" {
		text += reset
	}
	return text
}

func controlled(text string) bool {
	return strings.ContainsFunc(text, func(c rune) bool { return c < ' ' && c != '\t' || 0x7f <= c && c <= 0x9f })
}
