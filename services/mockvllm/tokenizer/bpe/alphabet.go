package bpe

import "strings"

// Byte-level vocabularies write each byte as one printable character: those of ASCII and Latin-1 that are printable stand for
// themselves, the other 68 bytes are written U+0100 and on, in their order.
var (
	byteRune [256]rune
	runeByte = map[rune]byte{}
)

func init() {
	next := rune(256)
	for b := range rune(256) {
		r := b
		if b < '!' || b > '~' && b < '¡' || b == 0xAD {
			r = next
			next++
		}
		byteRune[b] = r
		runeByte[r] = byte(b)
	}
}

// Bytes returns the bytes that the spelling of a token stands for; ok is false when a character of it stands for none.
func Bytes(spelling string) (text string, ok bool) {
	var b strings.Builder
	for _, r := range spelling {
		c, ok := runeByte[r]
		if !ok {
			return "", false
		}
		b.WriteByte(c)
	}
	return b.String(), true
}
