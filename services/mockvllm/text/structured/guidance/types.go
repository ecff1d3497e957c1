package guidance

import (
	"fmt"
	"slices"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/text/structured/guidance/regex"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/text/structured/keyword"
)

// typed looks at what counts for the types that a schema allows, all where it names none. One of them is enough.
func (f *faultFinder) typed(s *pyjson.Object) (soft string) {
	types := keyword.TypesOf(s)
	if types == nil {
		types = []string{"null", "boolean", "number", "string", "array", "object"}
	}
	some := false
	for _, t := range types {
		switch what := f.of(t, s); {
		case what == "":
			some = true
		case !isSoft(what):
			return what
		case soft == "":
			soft = what
		}
	}
	if some {
		return ""
	}
	return soft
}

// of looks at what counts for values of one type.
func (f *faultFinder) of(t string, s *pyjson.Object) string {
	switch t {
	case "integer", "number":
		return f.number(s, t == "integer")
	case "string":
		return f.text(s)
	case "array":
		return f.array(s)
	case "object":
		return f.object(s)
	}
	return ""
}

// formats are those of strings that the library knows.
var formats = append([]string{"unknown"}, keyword.Formats...)

func (f *faultFinder) text(s *pyjson.Object) string {
	if what := sizes(s, "minLength", "maxLength"); what != "" {
		return what
	}
	for _, key := range []string{"pattern", "format"} {
		v, ok := s.Get(key)
		if _, isText := v.(string); ok && !isText {
			return fmt.Sprintf("Expected string for '%s', got %s", key, echo(v))
		}
	}
	v, given := s.Get("format")
	if format, _ := v.(string); given && !slices.Contains(formats, format) {
		return "Unknown format: " + format
	}
	if from, to, wrong := crossed(s, "minLength", "maxLength"); wrong {
		return fmt.Sprintf(unsatisfiable+"minLength (%s) is greater than maxLength (%s)", from, to)
	}
	v, given = s.Get("pattern")
	if pattern, _ := v.(string); given {
		if fault := regex.Check(pattern, true); fault != nil {
			return fault.Error()
		}
	}
	return ""
}

func (f *faultFinder) array(s *pyjson.Object) string {
	if what := sizes(s, "minItems", "maxItems"); what != "" {
		return what
	}
	first, rest := keyword.List(s, "prefixItems"), any(nil)
	items, given := s.Get("items")
	more, old := s.Get("additionalItems")
	switch list, isList := items.([]any); { // until draft 2019-09 items were the first ones, and the rest additional
	case isList:
		first = list
		if old {
			rest = more
		}
	case given:
		rest = items
		if old {
			first = nil
		}
	case old:
		first = nil
	}
	impossible := -1 // where the first item is that cannot be there; what follows neither
	for i, item := range first {
		lost, what := f.lost(item)
		if what != "" {
			return what
		}
		if lost && impossible < 0 {
			impossible = i
		}
	}
	ends := false // after the first ones
	if rest != nil {
		var what string
		if ends, what = f.lost(rest); what != "" {
			return what
		}
	}
	if from, to, wrong := crossed(s, "minItems", "maxItems"); wrong {
		return fmt.Sprintf(unsatisfiable+"minItems (%s) is greater than maxItems (%s)", from, to)
	}
	least, _ := s.Value("minItems").(pyjson.Number)
	switch {
	case least == "":
	case impossible >= 0 && least.Float() > float64(impossible):
		return fmt.Sprintf(unsatisfiable+"prefixItems[%d] is unsatisfiable but minItems is %s", impossible, least)
	case ends && impossible < 0 && least.Float() > float64(len(first)):
		return unsatisfiable + "required item is unsatisfiable"
	}
	return ""
}

// lost tells whether there is no value for a part, or else what is wrong with it.
func (f *faultFinder) lost(part any) (bool, string) {
	what := f.schema(part)
	if isSoft(what) {
		return true, ""
	}
	return part == false, what
}

func (f *faultFinder) object(s *pyjson.Object) string {
	if what := sizes(s, "minProperties", "maxProperties"); what != "" {
		return what
	}
	var without []string // properties that cannot be there
	for _, key := range []string{"properties", "patternProperties"} {
		for name, property := range keyword.Object(s, key).All() {
			lost, what := f.lost(property)
			if what != "" {
				return what
			}
			if lost {
				without = append(without, name)
			}
		}
	}
	none := false // no others than those that are named
	if others, given := s.Get("additionalProperties"); given {
		var what string
		if none, what = f.lost(others); what != "" {
			return what
		}
	}
	if what := names(s); what != "" {
		return what
	}
	required, properties := keyword.List(s, "required"), keyword.Object(s, "properties")
	if what := counted(s, properties, required); what != "" {
		return what
	}
	for _, v := range required {
		name := v.(string)
		if _, own := properties.Get(name); slices.Contains(without, name) || !own && none {
			return fmt.Sprintf(unsatisfiable+"required property '%s' is unsatisfiable", name)
		}
	}
	if least, _ := s.Value("minProperties").(pyjson.Number); none && least != "" && least.Float() > float64(len(required)) {
		return fmt.Sprintf(unsatisfiable+"minProperties (%s) is greater than number of properties (%d)",
			rust(least.Float()-float64(len(required))), properties.Len())
	}
	return ""
}

// names looks at the list of required properties.
func names(s *pyjson.Object) string {
	v, given := s.Get("required")
	list, isList := v.([]any)
	if given && !isList {
		return "Expected array for 'required', got " + echo(v)
	}
	for _, n := range list {
		if _, ok := n.(string); !ok {
			return "Expected string for 'required' item, got " + echo(n)
		}
	}
	return ""
}
