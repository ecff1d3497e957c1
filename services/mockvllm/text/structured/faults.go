package structured

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/text/structured/grammar"
)

// faultFinder walks through what of a schema counts: definitions only where a reference leads to them.
type faultFinder struct {
	root *pyjson.Object
	seen map[string]bool
}

// schemaFault is what is wrong with a schema that is beyond xgrammar; "" when vLLM takes it. One with patternProperties goes to a third
// library, which says nothing of faults.
func schemaFault(root *pyjson.Object) string {
	f := faultFinder{root: root, seen: map[string]bool{}}
	if anywhere(root, func(o *pyjson.Object) bool { return has(o, "patternProperties") }) {
		return ""
	}
	return f.schema(root)
}

func (f *faultFinder) schema(v any) string {
	s, ok := v.(*pyjson.Object)
	if !ok {
		if _, isBool := v.(bool); isBool {
			return ""
		}
		return "schema must be an object or boolean"
	}
	if what := beyondGuidance(s); what != "" {
		return what
	}
	for _, check := range []func(*pyjson.Object) string{f.ref, f.types, f.lists, f.numbers, f.strings, f.parts} {
		if what := check(s); what != "" {
			return what
		}
	}
	return ""
}

func (f *faultFinder) ref(s *pyjson.Object) string {
	v, ok := s.Get("$ref")
	if !ok {
		return ""
	}
	ref, ok := v.(string)
	if !ok {
		return "$ref must be a string, got " + pyjson.DumpsUnicode(v)
	}
	pointer, ok := strings.CutPrefix(ref, "#")
	if !ok || f.seen[ref] || pointer == "" || pointer[0] != '/' {
		return ""
	}
	f.seen[ref] = true
	var at any = f.root
	for _, part := range strings.Split(pointer, "/")[1:] {
		part = strings.NewReplacer("~1", "/", "~0", "~").Replace(part)
		switch v := at.(type) {
		case *pyjson.Object:
			at, ok = v.Get(part)
		case []any:
			var i int
			var err error
			if i, err = strconv.Atoi(part); err != nil || i < 0 || i >= len(v) {
				ok = false
			} else {
				at = v[i]
			}
		default:
			ok = false
		}
		if !ok {
			return fmt.Sprintf("Pointer '%s' does not exist", pointer)
		}
	}
	return f.schema(at)
}

var knownTypes = []any{"null", "boolean", "array", "object", "string", "number", "integer"}

func (f *faultFinder) types(s *pyjson.Object) string {
	v, ok := s.Get("type")
	if !ok {
		return ""
	}
	types, isList := v.([]any)
	if !isList {
		types = []any{v}
	}
	for _, t := range types {
		if name, ok := t.(string); !ok {
			return "type must be a string or array of strings"
		} else if !slices.Contains(knownTypes, t) {
			return "Invalid type: " + name
		}
	}
	return ""
}

func (f *faultFinder) lists(s *pyjson.Object) string {
	for _, key := range []string{"enum", "allOf", "anyOf", "oneOf", "prefixItems"} {
		if v, ok := s.Get(key); ok {
			if l, isList := v.([]any); !isList {
				return key + " must be an array"
			} else if key == "enum" && len(l) == 0 {
				return "Unsatisfiable schema: anyOf is empty"
			}
		}
	}
	v, ok := s.Get("required")
	if !ok || !slices.Contains(typesOf(s), "object") {
		return ""
	}
	names, isList := v.([]any)
	if !isList {
		return "Expected array for 'required', got " + pyjson.DumpsUnicode(v)
	}
	for _, n := range names {
		if _, ok := n.(string); !ok {
			return "Expected string for 'required' item, got " + pyjson.DumpsUnicode(n)
		}
	}
	return ""
}

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
	if !slices.Equal(typesOf(s), []string{"integer"}) {
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

// strings looks at what counts for strings only.
func (f *faultFinder) strings(s *pyjson.Object) string {
	if !slices.Contains(typesOf(s), "string") {
		return ""
	}
	for _, key := range []string{"pattern", "format"} {
		v, ok := s.Get(key)
		text, isText := v.(string)
		switch {
		case !ok:
		case !isText:
			return fmt.Sprintf("Expected string for '%s', got %s", key, pyjson.DumpsUnicode(v))
		case key == "format" && !slices.Contains(guidanceFormats, text):
			return "Unknown format: " + text
		case key == "pattern":
			if fault := grammar.Check(text, true); fault != nil {
				return fault.Error()
			}
		}
	}
	return ""
}
