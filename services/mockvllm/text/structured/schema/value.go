package schema

import (
	"slices"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
)

// deep is from where on values get as small as they can, deepest where they are given up.
const (
	deep    = 3
	deepest = 24
)

// value makes one that holds for all of schemas. nth tells apart the items of an array. ok is false when there is none, or none
// was found.
func (m *maker) value(schemas []any, depth, nth int) (v any, ok bool) {
	if m.steps--; m.steps < 0 || depth > deepest {
		return nil, false
	}
	for range 3 { // alternatives may be chosen badly
		f := m.gather(schemas, depth)
		if f.never {
			continue
		}
		if v, ok = m.made(f, nth); ok {
			return v, true
		}
	}
	return nil, false
}

func (m *maker) made(f *facts, nth int) (any, bool) {
	if f.listed {
		return m.given(f, nth)
	}
	if len(f.wishes) > 0 && m.src.Guide && m.try == 0 {
		return f.wishes[nth%len(f.wishes)], true
	}
	switch m.kind(f) {
	case "null":
		return nil, true
	case "boolean":
		if m.src.Guide {
			return nth%2 == 0, true
		}
		return m.coin(), true
	case "integer":
		return m.number(f, true, nth)
	case "number":
		return m.number(f, false, nth)
	case "string":
		return m.text(f, nth)
	case "array":
		return m.array(f)
	}
	return m.object(f)
}

// given picks from the values that the schema lists: one that was asked for, if any.
func (m *maker) given(f *facts, nth int) (any, bool) {
	values := slices.DeleteFunc(slices.Clone(f.values), func(v any) bool { return f.types != nil && !hasType(f.types, kindOf(v)) })
	if len(values) == 0 {
		return nil, false
	}
	if !m.src.Guide || m.try > 0 {
		return values[m.src.Rand.IntN(len(values))], true
	}
	for _, v := range values {
		if word, ok := v.(string); ok && nth == 0 && m.src.Mentions(word) {
			return v, true
		}
	}
	return values[nth%len(values)], true
}

func kindOf(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case string:
		return "string"
	case []any:
		return "array"
	case pyjson.Number:
		if f := v.Float(); f == float64(int64(f)) {
			return "integer"
		}
		return "number"
	}
	return "object"
}

// about tells which keywords are about values of which type.
var about = []struct {
	kind string
	keys []string
}{
	{"object", []string{
		"properties", "required", "minProperties", "maxProperties", "patternProperties", "propertyNames", "additionalProperties",
		"dependentRequired", "dependentSchemas", "dependencies", "unevaluatedProperties",
	}},
	{"array", []string{"items", "prefixItems", "minItems", "maxItems", "contains", "minContains", "maxContains", "uniqueItems", "unevaluatedItems"}},
	{"number", []string{"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"}},
}

// kind is the type that the value gets: one that the schema names, or what its keywords are about.
func (m *maker) kind(f *facts) string {
	if len(f.types) == 0 {
		for _, a := range about {
			for _, s := range f.schemas {
				if slices.ContainsFunc(a.keys, func(k string) bool { _, ok := s.Get(k); return ok }) {
					return a.kind
				}
			}
		}
		if !m.src.Guide && m.coin() {
			return []string{"null", "boolean", "integer", "number", "string"}[m.src.Rand.IntN(5)]
		}
		return "string"
	}
	plain := slices.DeleteFunc(slices.Clone(f.types), func(t string) bool {
		return len(f.types) > 1 && (t == "null" && m.src.Guide || f.depth > deep && (t == "object" || t == "array"))
	})
	if len(plain) == 0 {
		plain = f.types
	}
	if m.src.Guide && m.try == 0 {
		return plain[0]
	}
	return plain[m.src.Rand.IntN(len(plain))]
}
