package pyjson

import "math/bits"

// special returns where the first byte from at on is that stands for itself in no JSON string: a quote, a backslash or a control
// character. It is len(s) where there is none. Eight bytes are looked at together.
func special(s string, at int) int {
	for ; at+8 <= len(s); at += 8 {
		if found := specials(word(s[at : at+8])); found != 0 {
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
		w := word(s[at : at+8])
		if found := specials(w) | w&(each*0x80); found != 0 {
			return at + bits.TrailingZeros64(found)/8
		}
	}
	for at < len(s) && s[at] >= ' ' && s[at] != '"' && s[at] != '\\' && s[at] < 0x80 {
		at++
	}
	return at
}

// each has a 1 in each byte.
const each = 0x0101010101010101

// word is eight bytes, the first one lowest.
func word(s string) uint64 {
	_ = s[7]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 | uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}

// specials has the highest bit of each byte set that is special. Above the first of them it may be wrong: a subtraction borrows.
func specials(w uint64) uint64 {
	quote, backslash := w^each*'"', w^each*'\\'
	return ((w - each*' ') | (quote - each) | (backslash - each)) & ^w & (each * 0x80)
}
