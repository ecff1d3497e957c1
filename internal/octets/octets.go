// Package octets looks at eight bytes of a text at a time.
package octets

// Each has a one in each byte of a word, High the highest bit.
const (
	Each = 0x0101010101010101
	High = 0x80 * Each
)

// Word is the first eight bytes of s, which has as many, the first one lowest. The compiler makes one load of it.
func Word(s string) uint64 {
	_ = s[7]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 | uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}

// Special has a bit, the highest, for the first byte of a word that stands for itself in no JSON string (RFC 8259, section 7): a quote, a
// backslash or a control character. It is 0 when there is none; bits above the first are not to be believed, as a subtraction borrows. Bytes above
// 0x7f, which are plain, come out of the differences in any way, and are left out at the end.
func Special(word uint64) uint64 {
	quote, slash := word^'"'*Each, word^'\\'*Each
	return ((word - ' '*Each) | (quote - Each) | (slash - Each)) &^ word & High
}
