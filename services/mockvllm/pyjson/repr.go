package pyjson

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Str is Python's str of a value: a string is itself.
func Str(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	return Repr(v)
}

// Repr is Python's repr of a value.
func Repr(v any) string { return string(AppendRepr(nil, v)) }

// python is how repr spells values.
var python = dialect{none: "None", yes: "True", no: "False", comma: ", ", colon: ": ", text: appendReprString, float: appendFloat}

// AppendRepr appends Python's repr of a value.
func AppendRepr(dst []byte, v any) []byte { return python.append(dst, v) }

func appendReprString(dst []byte, s string) []byte {
	quote := byte('\'')
	if strings.IndexByte(s, '\'') >= 0 && strings.IndexByte(s, '"') < 0 {
		quote = '"'
	}
	dst = append(dst, quote)
	for s != "" {
		r, size := decodeRune(s)
		if r == rune(quote) {
			dst = append(dst, '\\', quote)
		} else {
			dst = appendReprRune(dst, r)
		}
		s = s[size:]
	}
	return append(dst, quote)
}

func appendReprRune(dst []byte, r rune) []byte {
	switch {
	case r == '\\':
		return append(dst, '\\', '\\')
	case r == '\n':
		return append(dst, '\\', 'n')
	case r == '\r':
		return append(dst, '\\', 'r')
	case r == '\t':
		return append(dst, '\\', 't')
	case printable(r):
		return utf8.AppendRune(dst, r)
	case r < 0x100:
		return append(dst, '\\', 'x', hexDigits[r>>4], hexDigits[r&15])
	case r < 0x10000:
		return appendUnit(dst, r)
	}
	dst = append(dst, '\\', 'U', '0', '0', hexDigits[r>>20&15], hexDigits[r>>16&15])
	return append(dst, hexDigits[r>>12&15], hexDigits[r>>8&15], hexDigits[r>>4&15], hexDigits[r&15])
}

// printable is Python's str.isprintable for one character.
func printable(r rune) bool {
	if r < 0x7f {
		return r >= ' '
	}
	return unicode.IsPrint(r) && !unicode.Is(newer, r)
}

// newer is what Unicode 15 has added to the printable characters of Unicode 14, which is Python 3.11's.
var newer = &unicode.RangeTable{
	R16: []unicode.Range16{{Lo: 0xcf3, Hi: 0xcf3, Stride: 1}, {Lo: 0xece, Hi: 0xece, Stride: 1}},
	R32: newerRanges(
		[2]uint32{0x10efd, 0x10eff}, [2]uint32{0x1123f, 0x11241}, [2]uint32{0x11b00, 0x11b09}, [2]uint32{0x11f00, 0x11f10},
		[2]uint32{0x11f12, 0x11f3a}, [2]uint32{0x11f3e, 0x11f59}, [2]uint32{0x1342f, 0x1342f}, [2]uint32{0x13440, 0x13455},
		[2]uint32{0x1b132, 0x1b132}, [2]uint32{0x1b155, 0x1b155}, [2]uint32{0x1d2c0, 0x1d2d3}, [2]uint32{0x1df25, 0x1df2a},
		[2]uint32{0x1e030, 0x1e06d}, [2]uint32{0x1e08f, 0x1e08f}, [2]uint32{0x1e4d0, 0x1e4f9}, [2]uint32{0x1f6dc, 0x1f6dc},
		[2]uint32{0x1f774, 0x1f776}, [2]uint32{0x1f77b, 0x1f77f}, [2]uint32{0x1f7d9, 0x1f7d9}, [2]uint32{0x1fa75, 0x1fa77},
		[2]uint32{0x1fa87, 0x1fa88}, [2]uint32{0x1faad, 0x1faaf}, [2]uint32{0x1fabb, 0x1fabd}, [2]uint32{0x1fabf, 0x1fabf},
		[2]uint32{0x1face, 0x1facf}, [2]uint32{0x1fada, 0x1fadb}, [2]uint32{0x1fae8, 0x1fae8}, [2]uint32{0x1faf7, 0x1faf8},
		[2]uint32{0x2b739, 0x2b739}, [2]uint32{0x31350, 0x323af}),
}

func newerRanges(runs ...[2]uint32) []unicode.Range32 {
	ranges := make([]unicode.Range32, len(runs))
	for i, run := range runs {
		ranges[i] = unicode.Range32{Lo: run[0], Hi: run[1], Stride: 1}
	}
	return ranges
}
