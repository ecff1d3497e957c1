package guidance

import (
	"fmt"
	"slices"
	"strings"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/text/structured/keyword"
)

const unsatisfiable = "Unsatisfiable schema: "

// isSoft tells whether a fault only says that there is no such value, which is none where another will do. It is one in what a
// reference leads to, for that is looked at by itself.
func isSoft(what string) bool {
	return strings.HasPrefix(what, unsatisfiable) && !strings.Contains(what, whileIn)
}

const whileIn = "\n  while processing json-schema:///"

// combined looks into the schemas that one is made of.
func (f *faultFinder) combined(s *pyjson.Object) string {
	if what := falsities(s); what != "" {
		return what
	}
	for _, part := range keyword.List(s, "allOf") {
		if what := f.schema(part); what != "" {
			return what
		}
	}
	for _, key := range []string{"anyOf", "oneOf"} {
		if what := f.oneOf(keyword.List(s, key)); what != "" {
			return what
		}
	}
	return ""
}

// oneOf is the fault of choices that all have one, the last; a false among them says nothing.
func (f *faultFinder) oneOf(choices []any) (soft string) {
	some := len(choices) == 0
	for _, choice := range choices {
		switch what := f.schema(choice); {
		case what == "":
			some = some || choice != false
		case !isSoft(what):
			return what
		default:
			soft = what
		}
	}
	if some {
		return ""
	}
	return soft
}

// falsities finds where no value will do.
func falsities(s *pyjson.Object) string {
	for _, key := range []string{"anyOf", "oneOf"} {
		if choices := keyword.List(s, key); len(choices) > 0 && !slices.ContainsFunc(choices, func(c any) bool { return c != false }) {
			return unsatisfiable + "schema is false"
		}
	}
	all := keyword.List(s, "allOf")
	if slices.Contains(all, any(false)) {
		return unsatisfiable + "schema is false"
	}
	return apart(append([]any{s}, all...))
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
				return unsatisfiable + "incompatible types"
			}
		}
	}
	return ""
}

// sizes looks at two keywords that bound a size.
func sizes(s *pyjson.Object, least, most string) string {
	for _, key := range []string{least, most} {
		v, ok := s.Get(key)
		if n, isNumber := v.(pyjson.Number); ok && (!isNumber || !n.IsInt() || n.Float() < 0 || n.Float() >= 1<<64) {
			return fmt.Sprintf("Expected positive integer for '%s', got %s", key, echo(v))
		}
	}
	return ""
}

// crossed tells whether the least size is above the most, where both are given.
func crossed(s *pyjson.Object, least, most string) (from, to pyjson.Number, crossed bool) {
	from, ok1 := s.Value(least).(pyjson.Number)
	to, ok2 := s.Value(most).(pyjson.Number)
	return from, to, ok1 && ok2 && from.Float() > to.Float()
}
