package text

import (
	"strings"
	"unicode"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/text/toolparser"
)

// wordLen is from how many letters on a word of a tool's name stands for the tool: get and set would stand for many.
const wordLen = 4

// Wanted returns the tools that a text asks for: those whose name it holds, or a word of whose name, of four letters or
// more, it has as a word. "What is the weather in Paris?" asks for get_weather. Case does not matter.
func Wanted(tools []toolparser.Tool, text string) []toolparser.Tool {
	said := map[string]bool{}
	for _, w := range wordsOf(text) {
		said[w] = true
	}
	lower := strings.ToLower(text)
	var wanted []toolparser.Tool
	for _, tool := range tools {
		if tool.Name != "" && strings.Contains(lower, strings.ToLower(tool.Name)) || anySaid(wordsOf(tool.Name), said) {
			wanted = append(wanted, tool)
		}
	}
	return wanted
}

func anySaid(name []string, said map[string]bool) bool {
	for _, w := range name {
		if len(w) >= wordLen && said[w] {
			return true
		}
	}
	return false
}

// wordsOf cuts at everything that is no letter or digit, and before capitals inside of a word: getWeather is two.
func wordsOf(text string) []string {
	var b strings.Builder
	var last rune
	for _, r := range text {
		if unicode.IsUpper(r) && unicode.IsLower(last) {
			b.WriteByte(' ')
		}
		b.WriteRune(unicode.ToLower(r))
		last = r
	}
	return strings.FieldsFunc(b.String(), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
}

// longestResult is how many characters of a result an answer repeats.
const longestResult = 500

// FromResults is the answer to results of tools.
func FromResults(results string) string {
	cut := firstRunes(results, longestResult)
	if cut != results {
		cut += "..."
	}
	return "Mock response with the result: " + cut
}
