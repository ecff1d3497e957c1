package guidance

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
)

// bound is one end of what a number lies between.
type bound struct {
	at               float64
	given, exclusive bool
}

// name is the keyword of a bound, for one that names the end that it is.
func (b bound) name(end string) string {
	if b.exclusive {
		return "exclusive" + end
	}
	return strings.ToLower(end)
}

// number looks at what bounds a number.
func (f *faultFinder) number(s *pyjson.Object, integer bool) string {
	for _, key := range []string{"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"} {
		v, ok := s.Get(key)
		_, isNumber := v.(pyjson.Number)
		_, isBool := v.(bool)
		if ok && !isNumber && (!isBool || len(key) < len("exclusiveMinimum")) {
			return fmt.Sprintf("Expected f64 for '%s', got %s", key, echo(v))
		}
	}
	step, what := stepOf(s)
	if what != "" {
		return what
	}
	low, high := end(s, "minimum", "exclusiveMinimum", 1), end(s, "maximum", "exclusiveMaximum", -1)
	if low.given && high.given {
		if low.at > high.at {
			return fmt.Sprintf(unsatisfiable+"minimum (%s) is greater than maximum (%s)", rust(low.at), rust(high.at))
		}
		if low.at == high.at && (low.exclusive || high.exclusive) {
			return fmt.Sprintf(unsatisfiable+"%s (%s) is equal to %s (%s)", low.name("Minimum"), rust(low.at), high.name("Maximum"), rust(high.at))
		}
	}
	if what := step.between(low, high); what != "" {
		return what
	}
	what = unspeakable(low, high)
	if integer {
		what = unspeakableInteger(low, high)
	}
	if what == "" && step.given && step.at == 0 {
		return "invalid multiple of"
	}
	return what
}

// end is the narrower one of two bounds at the same side; sign is 1 for the lower side.
func end(s *pyjson.Object, inclusive, exclusive string, sign float64) (b bound) {
	if n, ok := s.Value(inclusive).(pyjson.Number); ok {
		b = bound{at: n.Float(), given: true}
	}
	switch v := s.Value(exclusive).(type) {
	case pyjson.Number:
		if !b.given || sign*v.Float() >= sign*b.at {
			b = bound{at: v.Float(), given: true, exclusive: true}
		}
	case bool: // as JSON Schema had it until draft 4
		b.exclusive = v && b.given
	}
	return b
}

// step is what a number is a multiple of.
type step struct {
	at    float64
	given bool
}

// stepOf reads multipleOf, whose digits have to fit into 32 bits.
func stepOf(s *pyjson.Object) (step, string) {
	n, given := s.Value("multipleOf").(pyjson.Number)
	if !given {
		return step{}, ""
	}
	at := math.Abs(n.Float())
	digits := at
	for math.Trunc(digits) < digits {
		digits *= 10
	}
	if digits > math.MaxUint32 {
		return step{}, "Value for 'multipleOf' has too many digits: " + rust(digits)
	}
	return step{at, true}, ""
}

// between is what is said where no multiple lies between bounds.
func (m step) between(low, high bound) string {
	switch {
	case !m.given:
	case m.at == 0 && low.given && (low.at > 0 || low.exclusive && low.at == 0):
		return fmt.Sprintf(unsatisfiable+"minimum (%s) is greater than 0, but multipleOf is 0", rust(low.at))
	case m.at == 0 && high.given && (high.at < 0 || high.exclusive && high.at == 0):
		return fmt.Sprintf(unsatisfiable+"maximum (%s) is less than 0, but multipleOf is 0", rust(high.at))
	case m.at == 0 || !low.given || !high.given:
	default:
		first, last := math.Ceil(low.at/m.at)*m.at, math.Floor(high.at/m.at)*m.at
		if low.exclusive && first == low.at {
			first += m.at
		}
		if high.exclusive && last == high.at {
			last -= m.at
		}
		if first <= last {
			return ""
		}
		open, closed := "[", "]"
		if low.exclusive {
			open = "("
		}
		if high.exclusive {
			closed = ")"
		}
		return fmt.Sprintf(unsatisfiable+"range %s%s, %s%s does not contain a multiple of %s", open, rust(first), rust(last), closed, rust(m.at))
	}
	return ""
}

// longest is the least number whose digits are too many for a range that is open above.
const longest = 1e18

// unspeakable is what is said of bounds for which the library makes no expression.
func unspeakable(low, high bound) string {
	beyond := func(b bound) bool { return b.given && math.Abs(b.at) >= math.MaxInt64 }
	if !beyond(low) && !beyond(high) && (high.given || !low.given || low.at < longest) && (low.given || !high.given || high.at > -longest) {
		return ""
	}
	return fmt.Sprintf("Failed to generate regex for float range: min=%s, max=%s", low.some(debug), high.some(debug))
}

// unspeakableInteger is the same for integers.
func unspeakableInteger(low, high bound) string {
	if low.given {
		if low.exclusive {
			low.at = math.Floor(low.at) + 1
		}
		low.at = math.Ceil(low.at)
	}
	if high.given {
		if high.exclusive {
			high.at = math.Ceil(high.at) - 1
		}
		high.at = math.Floor(high.at)
	}
	switch {
	case low.given && high.given && low.at > high.at, low.given && low.at <= math.MinInt64:
	case low.given && !high.given && low.at >= longest, high.given && !low.given && high.at <= -longest:
	default:
		return ""
	}
	return fmt.Sprintf("Failed to generate regex for integer range: min=%s, max=%s", low.some(whole), high.some(whole))
}

// some is an optional number as Rust shows it.
func (b bound) some(show func(float64) string) string {
	if !b.given {
		return "None"
	}
	return "Some(" + show(b.at) + ")"
}

// whole is an integer of 64 bits, or the nearest that there is.
func whole(f float64) string {
	switch {
	case f >= math.MaxInt64:
		return strconv.FormatInt(math.MaxInt64, 10)
	case f <= math.MinInt64:
		return strconv.FormatInt(math.MinInt64, 10)
	}
	return strconv.FormatInt(int64(f), 10)
}

// rust is a number as Rust displays it: never with an exponent.
func rust(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

// debug is a number as Rust debugs it.
func debug(f float64) string {
	if f == 0 || math.Abs(f) >= 1e-5 && math.Abs(f) < 1e16 {
		text := rust(f)
		if f == math.Trunc(f) {
			text += ".0"
		}
		return text
	}
	return strings.NewReplacer("e+", "e", "e-0", "e-").Replace(strconv.FormatFloat(f, 'e', -1, 64))
}

// echo is a value as it came. A number that is no integer of 64 bits is read as a float.
func echo(v any) string {
	n, ok := v.(pyjson.Number)
	if !ok {
		return pyjson.DumpsUnicode(v)
	}
	if _, err := strconv.ParseUint(strings.TrimPrefix(string(n), "-"), 10, 64); err == nil {
		return string(n)
	}
	return debug(n.Float())
}
