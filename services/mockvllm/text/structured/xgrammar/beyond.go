package xgrammar

import (
	"slices"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/text/structured/keyword"
)

// Beyond tells whether vLLM does not even ask the library about a schema, because it would not follow all of it.
func Beyond(root *pyjson.Object) bool { return keyword.Anywhere(root, beyond) }

// beyond tells it of one object in a schema.
func beyond(s *pyjson.Object) bool {
	types := keyword.TypesOf(s)
	is := func(names ...string) bool {
		return slices.ContainsFunc(names, func(n string) bool { return slices.Contains(types, n) })
	}
	format, hasFormat := s.Get("format")
	name, _ := format.(string)
	patterned, isMap := s.Value("patternProperties").(*pyjson.Object)
	switch {
	case is("integer", "number") && keyword.Has(s, "multipleOf"):
	case is("array") && keyword.Has(s, "uniqueItems", "contains", "minContains", "maxContains"):
	case is("string") && hasFormat && !slices.Contains(keyword.Formats, name):
	case is("string") && bounded(s):
	case is("object") && keyword.Has(s, "propertyNames") && namesBeyond(s):
	case is("object") && isMap && (keyword.Has(s, "properties") || patterned.Len() > 1):
	case len(keyword.List(s, "allOf")) >= 2:
	default:
		return false
	}
	return true
}

// bounded is a pattern or a format together with a length.
func bounded(s *pyjson.Object) bool {
	return keyword.Has(s, "pattern", "format") && keyword.Has(s, "minLength", "maxLength")
}

func namesBeyond(s *pyjson.Object) bool {
	more, ok := s.Get("unevaluatedProperties")
	return bounded(keyword.Object(s, "propertyNames")) || keyword.Has(s, "patternProperties", "properties") || ok && more != true
}
