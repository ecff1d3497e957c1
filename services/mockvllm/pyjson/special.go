package pyjson

import (
	"math/bits"

	"github.com/fluidmcp/fluidmcp/internal/octets"
)

// special returns where the first byte from at on is that stands for itself in no JSON string: a quote, a backslash or a control
// character. It is len(s) where there is none. Eight bytes are looked at together.
func special(s string, at int) int {
	for ; at+8 <= len(s); at += 8 {
		if found := octets.Special(octets.Word(s[at:])); found != 0 {
			return at + bits.TrailingZeros64(found)/8
		}
	}
	for at < len(s) && s[at] >= ' ' && s[at] != '"' && s[at] != '\\' {
		at++
	}
	return at
}

// specialOrLong is special that stops at bytes beyond ASCII too.
func specialOrLong(s string, at int) int {
	for ; at+8 <= len(s); at += 8 {
		w := octets.Word(s[at:])
		if found := octets.Special(w) | w&octets.High; found != 0 {
			return at + bits.TrailingZeros64(found)/8
		}
	}
	for at < len(s) && s[at] >= ' ' && s[at] != '"' && s[at] != '\\' && s[at] < 0x80 {
		at++
	}
	return at
}
