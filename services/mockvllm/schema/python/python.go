package python

import (
	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
)

// Truthy is bool(v).
func Truthy(v any) bool {
	switch v := v.(type) {
	case nil:
		return false
	case bool:
		return v
	case string:
		return v != ""
	case pyjson.Number:
		return v.Float() != 0
	case []any:
		return len(v) > 0
	case *pyjson.Object:
		return v.Len() > 0
	}
	return true
}

// Number is an int, a float or a bool as a float.
func Number(v any) (float64, bool) {
	switch v := v.(type) {
	case bool:
		if v {
			return 1, true
		}
		return 0, true
	case pyjson.Number:
		return v.Float(), true
	}
	return 0, false
}

// Characters are those of a Python string.
func Characters(s string) []any {
	out := make([]any, 0, len(s))
	for i := 0; i < len(s); {
		j := i + 1
		for j < len(s) && s[j]&0xc0 == 0x80 {
			j++
		}
		out = append(out, s[i:j])
		i = j
	}
	return out
}

// RustSpace is Rust's char::is_whitespace.
func RustSpace(c rune) bool {
	switch {
	case c >= 9 && c <= 13, c == ' ', c == 0x85, c == 0xa0, c == 0x1680, c >= 0x2000 && c <= 0x200a:
		return true
	}
	return c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000
}

// Space is what Python's str.strip takes away.
func Space(c rune) bool { return RustSpace(c) || c >= 0x1c && c <= 0x1f }
