package guidance

import (
	"fmt"
	"math"
	"slices"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/text/structured/keyword"
)

// numbers looks at what bounds a value or its size.
func (f *faultFinder) numbers(s *pyjson.Object) string {
	for _, pair := range [][2]string{{"minLength", "maxLength"}, {"minItems", "maxItems"}, {"minProperties", "maxProperties"}} {
		for _, key := range pair {
			if v, ok := s.Get(key); ok {
				if n, isNumber := v.(pyjson.Number); !isNumber || !n.IsInt() || n.Float() < 0 {
					return fmt.Sprintf("Expected positive integer for '%s', got %s", key, pyjson.DumpsUnicode(v))
				}
			}
		}
		low, high, both := pairOf(s, pair[0], pair[1])
		switch {
		case !both || low.Float() <= high.Float():
		case pair[0] == "minProperties":
			return "Unsatisfiable schema: minProperties > maxProperties"
		default:
			return fmt.Sprintf("Unsatisfiable schema: %s (%s) is greater than %s (%s)", pair[0], string(low), pair[1], string(high))
		}
	}
	for _, key := range []string{"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"} {
		v, ok := s.Get(key)
		_, isNumber := v.(pyjson.Number)
		_, isBool := v.(bool)
		if ok && !isNumber && (!isBool || key == "multipleOf") {
			return fmt.Sprintf("Expected f64 for '%s', got %s", key, pyjson.DumpsUnicode(v))
		}
	}
	for _, low := range []string{"minimum", "exclusiveMinimum"} {
		for _, high := range []string{"maximum", "exclusiveMaximum"} {
			from, to, both := pairOf(s, low, high)
			switch {
			case both && from.Float() > to.Float():
				return fmt.Sprintf("Unsatisfiable schema: %s (%s) is greater than %s (%s)", low, string(from), high, string(to))
			case both && from.Float() == to.Float() && low+high != "minimummaximum":
				return fmt.Sprintf("Unsatisfiable schema: %s (%s) is equal to %s (%s)", low, string(from), high, string(to))
			}
		}
	}
	if what := wholeBetween(s); what != "" {
		return what
	}
	if v, ok := s.Get("multipleOf"); ok && v.(pyjson.Number).Float() == 0 {
		return "invalid multiple of"
	}
	return ""
}

// wholeBetween is what is said where there is no integer between bounds, or none that a machine has.
func wholeBetween(s *pyjson.Object) string {
	if !slices.Equal(keyword.TypesOf(s), []string{"integer"}) {
		return ""
	}
	bound := func(inclusive, exclusive string, sign float64) (at float64, ok bool) {
		at = math.Inf(-1)
		v, _ := s.Get(inclusive)
		if n, given := v.(pyjson.Number); given {
			at, ok = math.Ceil(sign*n.Float()), true
		}
		v, _ = s.Get(exclusive)
		if n, given := v.(pyjson.Number); given {
			at, ok = max(at, math.Floor(sign*n.Float())+1), true
		}
		return at, ok
	}
	low, from := bound("minimum", "exclusiveMinimum", 1)
	high, to := bound("maximum", "exclusiveMaximum", -1)
	high = -high
	if !(from && to && low > high || from && low >= math.MaxInt64 || to && high <= math.MinInt64) {
		return ""
	}
	return fmt.Sprintf("Failed to generate regex for integer range: min=%s, max=%s", some(low, from), some(high, to))
}

// some is an optional integer as Rust shows it; what no machine has is the nearest that one has.
func some(f float64, given bool) string {
	switch {
	case !given:
		return "None"
	case f >= math.MaxInt64:
		return fmt.Sprintf("Some(%d)", math.MaxInt64)
	case f <= math.MinInt64:
		return fmt.Sprintf("Some(%d)", math.MinInt64)
	}
	return fmt.Sprintf("Some(%d)", int64(f))
}

func pairOf(s *pyjson.Object, low, high string) (from, to pyjson.Number, ok bool) {
	v, _ := s.Get(low)
	from, ok1 := v.(pyjson.Number)
	v, _ = s.Get(high)
	to, ok2 := v.(pyjson.Number)
	return from, to, ok1 && ok2
}
