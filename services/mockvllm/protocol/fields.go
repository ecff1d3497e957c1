package protocol

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// fields reads the members of an object. Each reader takes one member, so the order of calls is the order of faults,
// which is that of vLLM's model, not of the request.
type fields struct {
	from   object
	loc    string // of the object, such as "body"
	faults []fault
}

// get returns the value and whether a reader has something to look at. Null is nothing.
func (f *fields) get(name string) (v any, ok bool) {
	v = f.from[name]
	return v, v != nil
}

func (f *fields) fault(name, kind, msg string, input any, ctx string) {
	f.faults = append(f.faults, fault{kind, f.loc + "." + name, msg, input, ctx})
}

// inside has the fields of an object below this one read, and takes over its faults.
func (f *fields) inside(name string, o object, read func(*fields)) {
	inner := fields{from: o, loc: f.loc + "." + name}
	read(&inner)
	f.faults = append(f.faults, inner.faults...)
}

// missing tells and reports that a field is not there.
func (f *fields) missing(name string) bool {
	_, there := f.from[name]
	if !there {
		f.fault(name, "missing", "Field required", f.from, "")
	}
	return !there
}

// notNull reports a null where the schema has no place for it.
func (f *fields) notNull(name, kind, msg string) {
	if v, there := f.from[name]; there && v == nil {
		f.fault(name, kind, msg, nil, "")
	}
}

// str reads a string that may be null.
func (f *fields) str(name string) string {
	v, ok := f.get(name)
	if !ok {
		return ""
	}
	s, ok := v.(string)
	if !ok {
		f.fault(name, "string_type", "Input should be a valid string", v, "")
	}
	return s
}

// boolean reads a boolean with pydantic's lax conversions; null is absent.
func (f *fields) boolean(name string, absent bool) bool {
	v, ok := f.get(name)
	if !ok {
		return absent
	}
	b, kind := laxBool(v)
	switch kind {
	case "bool_parsing":
		f.fault(name, kind, "Input should be a valid boolean, unable to interpret input", v, "")
	case "bool_type":
		f.fault(name, kind, "Input should be a valid boolean", v, "")
	}
	return b
}

func laxBool(v any) (value bool, fault string) {
	switch v := v.(type) {
	case bool:
		return v, ""
	case number:
		switch v.float() {
		case 0:
			return false, ""
		case 1:
			return true, ""
		}
		return false, "bool_parsing"
	case string:
		switch strings.ToLower(v) {
		case "1", "true", "t", "yes", "y", "on":
			return true, ""
		case "0", "false", "f", "no", "n", "off":
			return false, ""
		}
		return false, "bool_parsing"
	}
	return false, "bool_type"
}

// integer reads an integer that may be null.
func (f *fields) integer(name string) (n int64, given bool) {
	v, ok := f.get(name)
	if !ok {
		return 0, false
	}
	return converted(f, name, v, laxInt)
}

// converted is v as a number, or a reported fault.
func converted[T any](f *fields, name string, v any, lax func(any) (T, string, string)) (n T, given bool) {
	n, kind, msg := lax(v)
	if kind != "" {
		f.fault(name, kind, msg, v, "")
	}
	return n, kind == ""
}

// between reads an integer and reports one out of [low, high].
func (f *fields) between(name string, low, high int64) (n int64, given bool) {
	n, given = f.integer(name)
	if !given {
		return n, given
	}
	v := f.from[name]
	// A number beyond 64 bits was clamped to the end of the range; its text tells.
	beyond := pyString(v) != strconv.FormatInt(n, 10) && (n == math.MaxInt64 || n == math.MinInt64)
	switch {
	case n > high || beyond && n > 0:
		f.fault(name, "less_than_equal", fmt.Sprintf("Input should be less than or equal to %d", high), v, fmt.Sprintf("{'le': %d}", high))
	case n < low || beyond:
		f.fault(name, "greater_than_equal", fmt.Sprintf("Input should be greater than or equal to %d", low), v, fmt.Sprintf("{'ge': %d}", low))
	}
	return n, given
}

const notAnObject = "Input should be a valid dictionary or object to extract fields from"

const (
	intType  = "Input should be a valid integer"
	intParse = "Input should be a valid integer, unable to parse string as an integer"
	intWhole = "Input should be a valid integer, got a number with a fractional part"
)

// laxInt clamps what does not fit into 64 bits.
func laxInt(v any) (n int64, kind, msg string) {
	switch v := v.(type) {
	case bool:
		if v {
			return 1, "", ""
		}
		return 0, "", ""
	case number:
		if v.integer() {
			return clamped(string(v)), "", ""
		}
		switch whole := v.float(); {
		case math.IsInf(whole, 0) || math.IsNaN(whole):
			return 0, "finite_number", "Input should be a finite number"
		case whole != math.Trunc(whole):
			return 0, "int_from_float", intWhole
		default:
			return clamped(strconv.FormatFloat(whole, 'f', 0, 64)), "", ""
		}
	case string:
		text := strings.TrimSuffix(strings.TrimSpace(v), ".0")
		if digits := strings.TrimLeft(text, "+-"); digits == "" || strings.Trim(digits, "0123456789") != "" {
			return 0, "int_parsing", intParse
		}
		return clamped(text), "", ""
	}
	return 0, "int_type", intType
}

func clamped(text string) int64 {
	n, _ := strconv.ParseInt(text, 10, 64) // out of range gives the nearest, which is what is wanted
	return n
}

// float reads a number that may be null.
func (f *fields) float(name string) (x float64, given bool) {
	v, ok := f.get(name)
	if !ok {
		return 0, false
	}
	return converted(f, name, v, laxFloat)
}

func laxFloat(v any) (x float64, kind, msg string) {
	switch v := v.(type) {
	case bool:
		if v {
			return 1, "", ""
		}
		return 0, "", ""
	case number:
		return v.float(), "", ""
	case string:
		x, err := strconv.ParseFloat(strings.TrimSpace(v), 64)
		if err != nil && !math.IsInf(x, 0) {
			return 0, "float_parsing", "Input should be a valid number, unable to parse string as a number"
		}
		return x, "", ""
	}
	return 0, "float_type", "Input should be a valid number"
}

// literal reads one of a few words; null is "".
func (f *fields) literal(name string, words ...string) string {
	v, ok := f.get(name)
	if !ok {
		return ""
	}
	s, _ := v.(string)
	if !slices.Contains(words, s) {
		quoted := make([]string, len(words))
		for i, w := range words {
			quoted[i] = "'" + w + "'"
		}
		last := len(quoted) - 1
		expected := strings.Join(quoted[:last], ", ") + " or " + quoted[last]
		f.fault(name, "literal_error", "Input should be "+expected, v, "{'expected': "+pyRepr(expected)+"}")
	}
	return s
}
