package protocol

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// pyString is Python's str() of a decoded value, with containers summarised as vLLM does in its schema errors.
func pyString(v any) string {
	switch v := v.(type) {
	case nil:
		return "None"
	case bool:
		if v {
			return "True"
		}
		return "False"
	case number:
		if v.integer() {
			return string(v)
		}
		return PythonFloat(v.float())
	case string:
		return v
	case []any:
		return fmt.Sprintf("<list of %d items>", len(v))
	case object:
		return fmt.Sprintf("<dict of %d items>", len(v))
	}
	return fmt.Sprint(v)
}

// integer tells whether Python reads the number as an int.
func (n number) integer() bool { return !strings.ContainsAny(string(n), ".eEIN") }

func (n number) float() float64 {
	f, _ := strconv.ParseFloat(string(n), 64) // out of range gives an infinity, as in Python
	return f
}

// PythonFloat is Python's repr() of a float.
func PythonFloat(f float64) string {
	switch {
	case math.IsNaN(f):
		return "nan"
	case math.IsInf(f, 1):
		return "inf"
	case math.IsInf(f, -1):
		return "-inf"
	}
	if abs := math.Abs(f); abs != 0 && (abs < 1e-4 || abs >= 1e16) {
		return strconv.FormatFloat(f, 'e', -1, 64)
	}
	s := strconv.FormatFloat(f, 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}

// pyRepr is Python's repr() of a string.
func pyRepr(s string) string {
	quote := `'`
	if strings.Contains(s, `'`) && !strings.Contains(s, `"`) {
		quote = `"`
	}
	var b strings.Builder
	b.WriteString(quote)
	for _, r := range s {
		switch {
		case string(r) == quote || r == '\\':
			b.WriteString(`\` + string(r))
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case r < ' ' || r == 0x7f || r > 0x7f && r < 0x100 && !unicode.IsPrint(r):
			fmt.Fprintf(&b, `\x%02x`, r)
		case !unicode.IsPrint(r) && r < 0x10000:
			fmt.Fprintf(&b, `\u%04x`, r)
		case !unicode.IsPrint(r):
			fmt.Fprintf(&b, `\U%08x`, r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String() + quote
}

// pyJSON is Python's json.dumps(v, ensure_ascii=False) of a decoded value, with the members of objects by name.
func pyJSON(v any) string {
	switch v := v.(type) {
	case object:
		parts := make([]string, 0, len(v))
		for _, key := range slices.Sorted(maps.Keys(v)) {
			parts = append(parts, pyJSON(key)+": "+pyJSON(v[key]))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case []any:
		parts := make([]string, len(v))
		for i, item := range v {
			parts[i] = pyJSON(item)
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case string:
		return string(appendString(nil, v))
	case number:
		return string(v)
	case nil:
		return "null"
	}
	return strings.ToLower(pyString(v))
}
