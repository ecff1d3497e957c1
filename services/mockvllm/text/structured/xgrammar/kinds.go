package xgrammar

import (
	"math"
	"slices"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/text/structured/keyword"
)

// numbersFit looks at bounds: of integers they are whole, and one is in between.
func numbersFit(s *pyjson.Object, whole bool) bool {
	low, high := math.Inf(-1), math.Inf(1)
	for _, key := range []string{"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"} {
		v, ok := s.Get(key)
		if !ok {
			continue
		}
		n, isNumber := v.(pyjson.Number)
		if !isNumber || whole && !fits(key, n) {
			return false
		}
		f := n.Float()
		switch key {
		case "minimum":
			low = max(low, f)
		case "maximum":
			high = min(high, f)
		case "exclusiveMinimum":
			low = max(low, after(f, whole))
		default:
			high = min(high, -after(-f, whole))
		}
	}
	return low <= high
}

// fits tells whether a bound is whole and has no more than 64 bits, as the next number has behind one that is excluded.
func fits(key string, n pyjson.Number) bool {
	if i, ok := n.Int64(); ok {
		return (key != "exclusiveMinimum" || i < math.MaxInt64) && (key != "exclusiveMaximum" || i > math.MinInt64)
	}
	return n.Float() == math.Trunc(n.Float()) && math.Abs(n.Float()) < math.MaxInt64
}

// divides tells whether numbers can be a multiple of what they should be.
func divides(s *pyjson.Object) bool {
	v, ok := s.Get("multipleOf")
	n, isNumber := v.(pyjson.Number)
	return !ok || isNumber && n.Float() > 0
}

// after is the smallest number that is larger.
func after(f float64, whole bool) float64 {
	if whole {
		return f + 1
	}
	return math.Nextafter(f, math.Inf(1))
}

// bounds are the limits of a length: integers, in order. Of least, -1 may be refused or not.
func bounds(s *pyjson.Object, least, most string, negative bool) (low, high int64, ok bool) {
	low, high = 0, math.MaxInt64
	for _, key := range []string{least, most} {
		v, given := s.Get(key)
		if !given {
			continue
		}
		n, isNumber := v.(pyjson.Number)
		if !isNumber || !n.IsInt() || n.Float() > math.MaxInt32 || n.Float() < 0 && (!negative || key == most) {
			return 0, 0, false
		}
		if key == least {
			low = int64(n.Float())
		} else {
			high = int64(n.Float())
		}
	}
	return low, high, low <= high
}

func (r *reader) text(s *pyjson.Object) bool {
	low, high, ok := lengths(s)
	format, hasFormat := s.Get("format")
	name, formatted := format.(string)
	v, hasPattern := s.Get("pattern")
	pattern, isText := v.(string)
	switch {
	case !ok || low > high || hasFormat && !formatted || hasPattern && !isText:
		return false
	case slices.Contains(keyword.Formats, name):
		return true
	case hasPattern:
		return r.regexp(pattern)
	}
	r.void = r.void || low < 0
	return true
}

func (r *reader) regexp(pattern string) bool {
	return r.skims > 0 || takesRegexInSchema(pattern)
}

// lengths are the limits of a text's length, of which the lower may be negative. A negative upper one is none.
func lengths(s *pyjson.Object) (low, high int64, ok bool) {
	high = math.MaxInt64
	for _, key := range []string{"minLength", "maxLength"} {
		v, given := s.Get(key)
		n, isNumber := v.(pyjson.Number)
		switch {
		case !given:
		case !isNumber || !n.IsInt() || n.Float() > math.MaxInt32:
			return 0, 0, false
		case key == "minLength":
			low = int64(n.Float())
		case n.Float() >= 0:
			high = int64(n.Float())
		}
	}
	return low, high, true
}

// array takes no items that nothing is said of.
func (r *reader) array(s *pyjson.Object) bool {
	low, high, ok := bounds(s, "minItems", "maxItems", true)
	if !ok {
		return false
	}
	if v, given := s.Get("minContains"); given {
		n, isNumber := v.(pyjson.Number)
		if !isNumber || !n.IsInt() {
			return false
		}
		low = max(low, int64(n.Float()))
	}
	first := []any{}
	if v, given := s.Get("prefixItems"); given {
		if first, ok = v.([]any); !ok || !r.all(first) || int64(len(first)) > high {
			return false
		}
	}
	more, ok := r.more(s, "items", "unevaluatedItems")
	return ok && low <= high && (more || low <= int64(len(first)))
}

// more tells whether there may be more than what is listed: the first of the keys that is there says so, and without one there may not.
func (r *reader) more(s *pyjson.Object, keys ...string) (more, ok bool) {
	for _, key := range keys {
		if v, given := s.Get(key); given {
			return v != false, v == false || r.schema(v)
		}
	}
	return false, true
}

func (r *reader) object(s *pyjson.Object) bool {
	v, given := s.Get("required")
	required, isList := v.([]any)
	if given && (!isList || slices.ContainsFunc(required, func(n any) bool { _, text := n.(string); return !text })) {
		return false
	}
	low, high, ok := bounds(s, "minProperties", "maxProperties", false)
	if !ok || high < int64(len(required)) {
		return false
	}
	if high == 0 {
		return r.skim(func() bool { return r.members(s, low) })
	}
	return r.members(s, low)
}

// members looks at what an object may have. What nothing is said of it may not have.
func (r *reader) members(s *pyjson.Object, least int64) bool {
	listed := map[string]int{}
	for _, key := range []string{"properties", "patternProperties"} {
		v, given := s.Get(key)
		members, ok := v.(*pyjson.Object)
		if given && !ok {
			return false
		}
		for name, member := range members.All() {
			if !r.schema(member) || key == "patternProperties" && !r.regexp(name) {
				return false
			}
			listed[key]++
		}
	}
	v, named := s.Get("propertyNames")
	if names, ok := v.(*pyjson.Object); named {
		if kind, typed := names.Get("type"); !ok || typed && kind != "string" || !r.text(names) {
			return false
		}
	}
	more, ok := r.more(s, "additionalProperties", "unevaluatedProperties")
	return ok && (more || named || listed["patternProperties"] > 0 || least <= int64(listed["properties"]))
}
