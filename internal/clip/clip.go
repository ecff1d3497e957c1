package clip

import "strings"

// mark is what text that was cut ends with.
const mark = "…"

// Text is text in at most that many bytes: what is longer is cut between two characters, and ends with "…". Bytes that are no UTF-8 are
// left out of what was cut. most has to be at least 3.
func Text(text string, most int) string {
	if len(text) <= most { // nearly always
		return text
	}
	return strings.ToValidUTF8(text[:most-len(mark)], "") + mark
}
