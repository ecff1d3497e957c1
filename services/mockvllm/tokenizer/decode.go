package tokenizer

import (
	"strings"
	"unicode/utf8"
)

// Decode returns the text of tokens, without control tokens when skipSpecial is set. Unknown ids add nothing, and what is no
// UTF-8 becomes U+FFFD.
func (t *Tokenizer) Decode(ids []int, skipSpecial bool) string {
	var b strings.Builder
	for _, id := range ids {
		if tok := t.at(id); !skipSpecial || !tok.special {
			b.WriteString(tok.bytes)
		}
	}
	return lossy(b.String())
}

// lossy replaces each broken sequence of UTF-8 by one U+FFFD, where a sequence is as long as it could still have become a
// character (Unicode 3.9, "maximal subparts"; Rust's from_utf8_lossy).
func lossy(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	for s != "" {
		r, n := utf8.DecodeRuneInString(s)
		if r == utf8.RuneError && n == 1 {
			n = brokenLen(s)
		}
		b.WriteRune(r)
		s = s[n:]
	}
	return b.String()
}

// brokenLen is the length of the broken sequence that s begins with.
func brokenLen(s string) int {
	low, high, length := byte(0x80), byte(0xBF), 1 // bounds of the second byte (Unicode, table 3-7)
	switch lead := s[0]; {
	case lead >= 0xC2 && lead <= 0xDF:
		length = 2
	case lead >= 0xE0 && lead <= 0xEF:
		length = 3
	case lead >= 0xF0 && lead <= 0xF4:
		length = 4
	}
	switch s[0] {
	case 0xE0:
		low = 0xA0
	case 0xED:
		high = 0x9F
	case 0xF0:
		low = 0x90
	case 0xF4:
		high = 0x8F
	}
	n := 1
	for n < min(length, len(s)) && s[n] >= low && s[n] <= high {
		low, high = 0x80, 0xBF
		n++
	}
	return n
}
