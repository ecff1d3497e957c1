package guidance

import (
	"fmt"
	"slices"
	"strings"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/text/structured/keyword"
)

// parts looks into the schemas inside of one.
func (f *faultFinder) parts(s *pyjson.Object) string {
	for _, key := range []string{"properties", "patternProperties"} {
		v, ok := s.Get(key)
		if !ok {
			continue
		}
		members, isMap := v.(*pyjson.Object)
		if !isMap {
			return key + " must be an object"
		}
		names := keyword.List(s, "required")
		for name, member := range members.All() {
			what := f.schema(member)
			if strings.HasPrefix(what, "Unsatisfiable") && !slices.Contains(names, any(name)) {
				continue // it is left out then
			}
			if what != "" {
				return what
			}
		}
	}
	if what := f.falsities(s); what != "" {
		return what
	}
	for _, key := range []string{"allOf", "anyOf", "oneOf", "prefixItems", "items", "additionalProperties"} {
		v, ok := s.Get(key)
		if !ok {
			continue
		}
		parts, isList := v.([]any)
		if !isList {
			parts = []any{v}
		}
		for _, p := range parts {
			if what := f.schema(p); what != "" {
				return what
			}
		}
	}
	return ""
}

// falsities finds what must be there and cannot.
func (f *faultFinder) falsities(s *pyjson.Object) string {
	required := keyword.List(s, "required")
	for name, property := range keyword.Object(s, "properties").All() {
		if property == false && slices.Contains(required, any(name)) {
			return fmt.Sprintf("Unsatisfiable schema: required property '%s' is unsatisfiable", name)
		}
	}
	for _, key := range []string{"anyOf", "oneOf"} {
		if choices := keyword.List(s, key); len(choices) > 0 && !slices.ContainsFunc(choices, func(c any) bool { return c != false }) {
			return "Unsatisfiable schema: schema is false"
		}
	}
	all := keyword.List(s, "allOf")
	if slices.Contains(all, any(false)) {
		return "Unsatisfiable schema: schema is false"
	}
	return apart(all)
}

// apart is what is said of schemas that hold together and are of different types.
func apart(all []any) string {
	var common []string
	for _, v := range all {
		s, _ := v.(*pyjson.Object)
		types := keyword.TypesOf(s)
		switch {
		case types == nil:
		case common == nil:
			common = types
		default:
			common = slices.DeleteFunc(slices.Clone(common), func(t string) bool { return !slices.Contains(types, t) })
			if len(common) == 0 {
				return "Unsatisfiable schema: incompatible types"
			}
		}
	}
	return ""
}
