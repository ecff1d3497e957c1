package outlines

import "strings"

// Features of regular expressions that the library's engine does not have.
const (
	lookAround = "Look-Around assertion are unsupported."
	boundary   = "Unicode word boundaries are unsupported."
)

// feature is the first of them in a pattern, "" where there is none.
func feature(pattern string) string {
	class := false
	for i := 0; i < len(pattern); i++ {
		rest := pattern[i+1:]
		switch c := pattern[i]; {
		case c == '\\' && rest != "":
			if !class && (rest[0] == 'b' || rest[0] == 'B') {
				return boundary
			}
			i++
		case class:
			class = c != ']'
		case c == '[':
			class = true
			if strings.HasPrefix(rest, "^") {
				i++
			}
			if strings.HasPrefix(pattern[i+1:], "]") { // the first one is a member
				i++
			}
		case c == '(':
			for _, assertion := range []string{"?=", "?!", "?<=", "?<!"} {
				if strings.HasPrefix(rest, assertion) {
					return lookAround
				}
			}
		}
	}
	return ""
}
