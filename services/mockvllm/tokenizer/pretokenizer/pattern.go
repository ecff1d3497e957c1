package pretokenizer

import (
	"fmt"
	"regexp"
	"strings"
)

const cl100kPattern = `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}%s| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`

// known are the patterns that are matched by hand, ten times as fast as by a regular expression.
var known = map[string]func(string) (int, bool){
	`'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`: gpt2,
	fmt.Sprintf(cl100kPattern, "{1,3}"):                                          cl100k(3),
	fmt.Sprintf(cl100kPattern, ""):                                               cl100k(1),
}

// unicodeSpace is \s of Oniguruma, which Hugging Face matches with; that of package regexp is ASCII's alone.
const unicodeSpace = `\x{9}-\x{D}\x{20}\x{85}\x{A0}\x{1680}\x{2000}-\x{200A}\x{2028}\x{2029}\x{202F}\x{205F}\x{3000}`

// compile translates a pattern for package regexp. That knows no lookahead, so the one that the families use, \s+(?!\S),
// becomes a group that pattern looks after; lookahead is its number, 0 without one.
func compile(source string) (re *regexp.Regexp, lookahead int, err error) {
	const ahead = `\s+(?!\S)`
	before, after, found := strings.Cut(source, "|"+ahead+"|")
	if found {
		lookahead = strings.Count(before, "(") - strings.Count(before, "(?") - strings.Count(before, `\(`) + 1
		source = before + `|(\s+)|` + after
	}
	re, err = regexp.Compile(`(?s)` + translateSpace(source))
	return re, lookahead, err
}

// translateSpace replaces \s and \S, inside and outside of brackets.
func translateSpace(source string) string {
	var b strings.Builder
	inClass := false
	for i := 0; i < len(source); i++ {
		switch c := source[i]; {
		case c == '\\' && i+1 < len(source):
			i++
			switch {
			case source[i] == 's' && inClass:
				b.WriteString(unicodeSpace)
			case source[i] == 's':
				b.WriteString("[" + unicodeSpace + "]")
			case source[i] == 'S' && !inClass:
				b.WriteString("[^" + unicodeSpace + "]")
			default:
				b.WriteString(source[i-1 : i+1])
			}
		default:
			inClass = c == '[' || inClass && c != ']'
			b.WriteByte(c)
		}
	}
	return b.String()
}

// pattern cuts by the matches of a regular expression; what lies between two matches is a piece as well, or dropped.
func pattern(re *regexp.Regexp, lookahead int, dropBetween bool) func(string) (int, bool) {
	return func(text string) (int, bool) {
		m := re.FindStringSubmatchIndex(text)
		switch {
		case m == nil:
			return len(text), dropBetween
		case m[0] > 0:
			return m[0], dropBetween
		case lookahead > 0 && m[2*lookahead] >= 0:
			n, _ := spaces(text)
			return n, false
		}
		return max(m[1], 1), false
	}
}
