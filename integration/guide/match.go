package guide

import (
	"fmt"
	"regexp"
	"strings"
)

// anyLines is a line that stands for any number of lines.
const anyLines = "..."

// gap is the space between two columns, which is as wide as the values of the day want it.
var gap = regexp.MustCompile(` {2,}`)

// took is a time that something took, such as 0.3 s or 5s, where it may be 1m5s as well. QuoteMeta has been there before.
var took = regexp.MustCompile(`\b\d+(\\\.\d+)?( ?m?s)\b`)

// pattern makes what a guide shows a regular expression for the same text with other times, numbers and names.
func pattern(shown string) string {
	var p strings.Builder
	for line := range strings.Lines(tidy(shown)) {
		line = strings.TrimSuffix(line, "\n")
		if line == anyLines {
			p.WriteString(`(?:[^\n]*\n)*?`)
			continue
		}
		line = strings.ReplaceAll(regexp.QuoteMeta(line), regexp.QuoteMeta(anyLines), `[^\n]*`)
		line = took.ReplaceAllString(line, `(?:\d+h)?(?:\d+m)?\d+(?:\.\d+)?$2`)
		p.WriteString(gap.ReplaceAllString(line, ` {2,}`))
		p.WriteString(`\n`)
	}
	return p.String()
}

// tidy removes blanks at the ends of lines, which nobody sees, and ends the text with one line break.
func tidy(s string) string {
	var out strings.Builder
	for line := range strings.Lines(s) {
		out.WriteString(strings.TrimRight(line, " \t\r\n"))
		out.WriteString("\n")
	}
	return strings.TrimRight(out.String(), "\n") + "\n"
}

// compare tells how an output differs from what the guide shows.
func compare(shown, got string) error {
	if regexp.MustCompile(`\A` + pattern(shown) + `\z`).MatchString(tidy(got)) {
		return nil
	}
	return fmt.Errorf("the guide shows\n%s\nbut the output is\n%s", indent(shown), indent(got))
}

func indent(s string) string {
	return "    " + strings.ReplaceAll(strings.TrimRight(s, "\n"), "\n", "\n    ")
}
