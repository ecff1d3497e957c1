package instance

import (
	"fmt"
	"regexp/syntax"
	"strings"
	"unicode/utf8"
)

// match makes a string of at least least characters that a regular expression matches. JSON Schema's expressions are not
// anchored, so the string may be just what the expression is about.
func match(pattern string, least int) (string, error) {
	tree, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return "", fmt.Errorf("pattern %q: %w", pattern, err)
	}
	w := writer{steps: maxSteps}
	for w.repeat = 0; w.repeat <= least; w.repeat++ {
		w.text.Reset()
		if !w.write(tree) {
			break
		}
		if text := w.text.String(); utf8.RuneCountInString(text) >= least {
			return text, nil
		}
	}
	return "", fmt.Errorf("pattern %q: no text found", pattern)
}

// maxSteps bounds the work for one pattern.
const maxSteps = 100000

// writer writes texts that match.
type writer struct {
	text   strings.Builder
	repeat int // how often that is written which may be repeated, where the expression allows it
	steps  int // left
}

// write appends a text for one node, and returns false when there is none or too much to do.
func (w *writer) write(node *syntax.Regexp) bool {
	if w.steps--; w.steps < 0 {
		return false
	}
	least, most := 1, 1
	switch node.Op {
	case syntax.OpLiteral:
		w.text.WriteString(string(node.Rune))
	case syntax.OpCharClass:
		w.text.WriteRune(oneOf(node.Rune))
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		w.text.WriteByte('x')
	case syntax.OpNoMatch:
		return false
	case syntax.OpAlternate:
		return w.write(node.Sub[0])
	case syntax.OpStar:
		least, most = 0, -1
	case syntax.OpPlus:
		most = -1
	case syntax.OpQuest:
		least = 0
	case syntax.OpRepeat:
		least, most = node.Min, node.Max
	}
	n := max(least, w.repeat)
	if most >= 0 {
		n = min(n, most)
	}
	if len(node.Sub) == 0 {
		n = 0
	}
	for range n {
		for _, sub := range node.Sub {
			if !w.write(sub) {
				return false
			}
		}
	}
	return true
}

// oneOf picks from the ranges of a class: a letter or digit where there is one.
func oneOf(ranges []rune) rune {
	for _, want := range "a0A" {
		for i := 0; i+1 < len(ranges); i += 2 {
			if ranges[i] <= want && want <= ranges[i+1] {
				return want
			}
		}
	}
	for i := 0; i+1 < len(ranges); i += 2 {
		if r := max(ranges[i], '!'); r <= ranges[i+1] {
			return r
		}
	}
	if len(ranges) == 0 {
		return 'x'
	}
	return ranges[0]
}
