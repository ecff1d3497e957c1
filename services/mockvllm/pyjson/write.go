package pyjson

import (
	"math"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

const hexDigits = "0123456789abcdef"

// AppendString appends s as JSON, escaping only what JSON demands, as json.dumps does with ensure_ascii off. Halves of
// pairs, on which Python fails when it encodes the answer, become U+FFFD.
func AppendString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	from := 0
	for i := specialOrLong(s, 0); i < len(s); i = specialOrLong(s, i) {
		if c := s[i]; c < utf8.RuneSelf {
			dst = appendEscape(append(dst, s[from:i]...), c)
			i++
			from = i
			continue
		}
		r, size := decodeRune(s[i:])
		if r == utf8.RuneError && size == 1 || utf16.IsSurrogate(r) {
			dst = append(append(dst, s[from:i]...), "\ufffd"...)
			from = i + size
		}
		i += size
	}
	dst = append(dst, s[from:]...)
	return append(dst, '"')
}

// AppendASCII appends s as JSON in ASCII, as json.dumps does by default.
func AppendASCII(dst []byte, s string) []byte {
	dst = append(dst, '"')
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case c >= utf8.RuneSelf:
			r, size := decodeRune(s[i:])
			if r >= 0x10000 {
				high, low := utf16.EncodeRune(r)
				dst = appendUnit(appendUnit(dst, high), low)
			} else {
				dst = appendUnit(dst, r)
			}
			i += size
			continue
		case c < ' ', c == '"', c == '\\', c == 0x7f:
			dst = appendEscape(dst, c)
		default:
			dst = append(dst, c)
		}
		i++
	}
	return append(dst, '"')
}

func appendEscape(dst []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\n':
		return append(dst, '\\', 'n')
	case '\r':
		return append(dst, '\\', 'r')
	case '\t':
		return append(dst, '\\', 't')
	case '\b':
		return append(dst, '\\', 'b')
	case '\f':
		return append(dst, '\\', 'f')
	}
	return appendUnit(dst, rune(c))
}

func appendUnit(dst []byte, r rune) []byte {
	return append(dst, '\\', 'u', hexDigits[r>>12&15], hexDigits[r>>8&15], hexDigits[r>>4&15], hexDigits[r&15])
}

// Format says how AppendJSON writes.
type Format struct {
	Compact bool // "," and ":" between members, as Starlette's answers, instead of Python's ", " and ": "
	ASCII   bool // ensure_ascii
}

// Dumps is json.dumps(v).
func Dumps(v any) string { return string(AppendJSON(nil, v, Format{ASCII: true})) }

// DumpsUnicode is json.dumps(v, ensure_ascii=False), with U+FFFD for halves of pairs.
func DumpsUnicode(v any) string { return string(AppendJSON(nil, v, Format{})) }

// AppendJSON appends json.dumps of a value, which is as deep as Decode allows.
func AppendJSON(dst []byte, v any, f Format) []byte {
	d := dialect{none: "null", yes: "true", no: "false", comma: ", ", colon: ": ", text: AppendString, float: appendJSONFloat}
	if f.Compact {
		d.comma, d.colon = ",", ":"
	}
	if f.ASCII {
		d.text = AppendASCII
	}
	return d.append(dst, v)
}

// dialect is how values are spelled.
type dialect struct {
	none, yes, no, comma, colon string
	text                        func(dst []byte, s string) []byte
	float                       func(dst []byte, f float64) []byte
}

func (d *dialect) append(dst []byte, v any) []byte {
	switch v := v.(type) {
	case bool:
		if v {
			return append(dst, d.yes...)
		}
		return append(dst, d.no...)
	case string:
		return d.text(dst, v)
	case Number:
		if v.IsInt() {
			return append(dst, v.String()...)
		}
		return d.float(dst, v.Float())
	case float64:
		return d.float(dst, v)
	case int:
		return strconv.AppendInt(dst, int64(v), 10)
	case int64:
		return strconv.AppendInt(dst, v, 10)
	case []any:
		dst = append(dst, '[')
		for i, item := range v {
			if i > 0 {
				dst = append(dst, d.comma...)
			}
			dst = d.append(dst, item)
		}
		return append(dst, ']')
	case *Object:
		dst = append(dst, '{')
		for i, m := range v.Members() {
			if i > 0 {
				dst = append(dst, d.comma...)
			}
			dst = append(d.text(dst, m.Key), d.colon...)
			dst = d.append(dst, m.Value)
		}
		return append(dst, '}')
	}
	return append(dst, d.none...) // nil, or no value of this package
}

func appendJSONFloat(dst []byte, f float64) []byte {
	switch {
	case math.IsNaN(f):
		return append(dst, "NaN"...)
	case math.IsInf(f, 1):
		return append(dst, "Infinity"...)
	case math.IsInf(f, -1):
		return append(dst, "-Infinity"...)
	}
	return appendFloat(dst, f)
}
