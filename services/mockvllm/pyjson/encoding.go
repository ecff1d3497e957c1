package pyjson

import (
	"bytes"
	"encoding/binary"
	"iter"
	"unicode/utf16"
	"unicode/utf8"
	"unsafe"
)

// text decodes the bytes of a document as json.loads does: by its byte order mark, else by where its first four bytes are
// zero. False is what Python cannot decode.
func text(b []byte) (string, bool) {
	switch {
	case bytes.HasPrefix(b, []byte{0, 0, 0xfe, 0xff}):
		return utf32(b[4:], binary.BigEndian)
	case bytes.HasPrefix(b, []byte{0xff, 0xfe, 0, 0}):
		return utf32(b[4:], binary.LittleEndian)
	case bytes.HasPrefix(b, []byte{0xfe, 0xff}):
		return utf16text(b[2:], binary.BigEndian)
	case bytes.HasPrefix(b, []byte{0xff, 0xfe}):
		return utf16text(b[2:], binary.LittleEndian)
	case bytes.HasPrefix(b, []byte("\ufeff")):
		b = b[3:]
	case len(b) == 2 && b[0] == 0, len(b) >= 4 && b[0] == 0 && b[1] != 0:
		return utf16text(b, binary.BigEndian)
	case len(b) == 2 && b[1] == 0, len(b) >= 4 && b[0] != 0 && b[1] == 0 && (b[2] != 0 || b[3] != 0):
		return utf16text(b, binary.LittleEndian)
	case len(b) >= 4 && b[0] == 0:
		return utf32(b, binary.BigEndian)
	case len(b) >= 4 && b[1] == 0:
		return utf32(b, binary.LittleEndian)
	}
	return unsafe.String(unsafe.SliceData(b), len(b)), utf8.Valid(b) || validWithSurrogates(b) //nolint:gosec // see Decode
}

func utf16text(b []byte, order binary.ByteOrder) (string, bool) {
	if len(b)%2 != 0 {
		return "", false
	}
	out := make([]byte, 0, len(b))
	for ; len(b) > 0; b = b[2:] {
		r := rune(order.Uint16(b))
		if utf16.IsSurrogate(r) && len(b) >= 4 {
			if pair := utf16.DecodeRune(r, rune(order.Uint16(b[2:]))); pair != utf8.RuneError {
				r = pair
				b = b[2:]
			}
		}
		out = appendRune(out, r)
	}
	return string(out), true
}

func utf32(b []byte, order binary.ByteOrder) (string, bool) {
	if len(b)%4 != 0 {
		return "", false
	}
	out := make([]byte, 0, len(b)/2)
	for ; len(b) > 0; b = b[4:] {
		r := order.Uint32(b)
		if r > utf8.MaxRune {
			return "", false
		}
		out = appendRune(out, rune(r))
	}
	return string(out), true
}

// appendRune appends a character, or half of a pair.
func appendRune(dst []byte, r rune) []byte {
	if utf16.IsSurrogate(r) {
		return append(dst, 0xe0|byte(r>>12), 0x80|byte(r>>6)&0x3f, 0x80|byte(r)&0x3f) // 16 bits
	}
	return utf8.AppendRune(dst, r)
}

// surrogate reads half of a pair at the beginning of s; 0 if there is none.
func surrogate(s string) rune {
	if len(s) >= 3 && s[0] == 0xed && s[1]&0xe0 == 0xa0 && s[2]&0xc0 == 0x80 {
		return 0xd000 | rune(s[1]&0x3f)<<6 | rune(s[2]&0x3f)
	}
	return 0
}

// decodeRune reads a character or half of a pair; the size of what is neither is 1.
func decodeRune(s string) (r rune, size int) {
	if r, size = utf8.DecodeRuneInString(s); size == 1 && r == utf8.RuneError {
		if half := surrogate(s); half != 0 {
			return half, 3
		}
	}
	return r, size
}

func validWithSurrogates(b []byte) bool {
	for s := string(b); s != ""; {
		r, size := decodeRune(s)
		if r == utf8.RuneError && size == 1 {
			return false
		}
		s = s[size:]
	}
	return true
}

// Runes walks over the characters of a Python string with the bytes where they begin, halves of pairs as what they are.
func Runes(s string) iter.Seq2[int, rune] {
	return func(yield func(int, rune) bool) {
		for at := 0; at < len(s); {
			r, size := decodeRune(s[at:])
			if !yield(at, r) {
				return
			}
			at += size
		}
	}
}

// HasSurrogate tells whether the string holds half of a pair, which Python can neither encode nor tokenize.
func HasSurrogate(s string) bool { return !utf8.ValidString(s) }

// Len is the number of characters, as Python's len counts.
func Len(s string) int {
	n := 0
	for i := range len(s) {
		if s[i]&0xc0 != 0x80 {
			n++
		}
	}
	return n
}
