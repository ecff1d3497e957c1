package structured

import (
	"fmt"
	"slices"
	"strings"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
)

// xgrammarFormats are the formats of strings that xgrammar knows.
var xgrammarFormats = []string{
	"email", "date", "time", "date-time", "duration", "ipv4", "ipv6", "hostname", "uuid", "uri", "uri-reference", "uri-template",
	"json-pointer", "relative-json-pointer",
}

// guidanceFormats are those that llguidance knows.
var guidanceFormats = append([]string{"unknown"}, xgrammarFormats...)

func has(s *pyjson.Object, keys ...string) bool {
	return slices.ContainsFunc(keys, func(k string) bool { _, ok := s.Get(k); return ok })
}

func typesOf(s *pyjson.Object) (types []string) {
	v, _ := s.Get("type")
	values, _ := v.([]any)
	for _, t := range append(values, v) {
		if name, ok := t.(string); ok {
			types = append(types, name)
		}
	}
	return types
}

// anywhere tells whether a test holds for an object anywhere in a schema, whatever the object is.
func anywhere(v any, test func(*pyjson.Object) bool) bool {
	switch v := v.(type) {
	case *pyjson.Object:
		return test(v) || slices.ContainsFunc(v.Members(), func(m pyjson.Member) bool { return anywhere(m.Value, test) })
	case []any:
		return slices.ContainsFunc(v, func(item any) bool { o, ok := item.(*pyjson.Object); return ok && anywhere(o, test) })
	}
	return false
}

// beyondXgrammar tells whether vLLM does not give a schema with this object to xgrammar.
func beyondXgrammar(s *pyjson.Object) bool {
	types := typesOf(s)
	is := func(names ...string) bool {
		return slices.ContainsFunc(names, func(n string) bool { return slices.Contains(types, n) })
	}
	format, hasFormat := s.Get("format")
	name, _ := format.(string)
	patterns, _ := s.Get("patternProperties")
	patterned, isMap := patterns.(*pyjson.Object)
	all, _ := s.Get("allOf")
	parts, _ := all.([]any)
	switch {
	case is("integer", "number") && has(s, "multipleOf"):
	case is("array") && has(s, "uniqueItems", "contains", "minContains", "maxContains"):
	case is("string") && hasFormat && !slices.Contains(xgrammarFormats, name):
	case is("string") && bounded(s):
	case is("object") && has(s, "propertyNames") && namesBeyond(s):
	case is("object") && isMap && (has(s, "properties") || patterned.Len() > 1):
	case len(parts) >= 2:
	default:
		return false
	}
	return true
}

// bounded is a pattern or a format together with a length.
func bounded(s *pyjson.Object) bool {
	return has(s, "pattern", "format") && has(s, "minLength", "maxLength")
}

func namesBeyond(s *pyjson.Object) bool {
	names, _ := s.Get("propertyNames")
	o, _ := names.(*pyjson.Object)
	more, ok := s.Get("unevaluatedProperties")
	return bounded(o) || has(s, "patternProperties", "properties") || ok && more != true
}

// lacking are keywords that llguidance does not know how to follow, in the order in which it names them.
var lacking = []string{
	"$dynamicRef", "contains", "contentEncoding", "contentMediaType", "contentSchema", "dependentRequired", "dependentSchemas", "else", "if",
	"maxContains", "minContains", "not", "propertyNames", "then", "unevaluatedItems", "unevaluatedProperties", "uniqueItems",
}

// beyondGuidance is what llguidance says of an object that is beyond it.
func beyondGuidance(s *pyjson.Object) string {
	var missing []string
	for _, key := range lacking {
		if has(s, key) {
			missing = append(missing, `"`+key+`"`)
		}
	}
	if missing != nil {
		return fmt.Sprintf("Unimplemented keys: [%s]", strings.Join(missing, ", "))
	}
	v, _ := s.Get("properties")
	properties, _ := v.(*pyjson.Object)
	v, _ = s.Get("required")
	required, _ := v.([]any)
	if properties.Len() > 0 && has(s, "minProperties", "maxProperties") {
		for name := range properties.All() {
			if !slices.Contains(required, any(name)) {
				return `min/maxProperties only supported when all keys listed in "properties" are required`
			}
		}
	}
	return ""
}
