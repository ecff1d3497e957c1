package python

import (
	"slices"
	"strconv"

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

// Beyond64 tells whether a value holds an integer that neither 64 bits with nor without a sign can hold.
func Beyond64(v any) bool {
	switch v := v.(type) {
	case pyjson.Number:
		_, signed := strconv.ParseInt(string(v), 10, 64)
		_, unsigned := strconv.ParseUint(string(v), 10, 64)
		return v.IsInt() && signed != nil && unsigned != nil
	case []any:
		return slices.ContainsFunc(v, Beyond64)
	case *pyjson.Object:
		return slices.ContainsFunc(v.Members(), func(m pyjson.Member) bool { return Beyond64(m.Value) })
	}
	return false
}

// Unique has each of some texts or numbers once, in the order of the first ones.
func Unique(list []any) []any {
	out := []any{}
	for _, v := range list {
		if !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	return out
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
