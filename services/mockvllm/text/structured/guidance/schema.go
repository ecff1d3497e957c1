package guidance

import (
	"fmt"
	"slices"
	"strings"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/text/structured/keyword"
)

// faultFinder walks through what of a schema counts: definitions only where a reference leads to them.
type faultFinder struct {
	root *pyjson.Object
	seen map[string]bool
}

// SchemaFault is what is wrong with a JSON Schema; "" when the library takes it. One with patternProperties vLLM gives to another.
func SchemaFault(root *pyjson.Object) string {
	f := faultFinder{root: root, seen: map[string]bool{}}
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
	if what := beyond(s); what != "" {
		return what
	}
	soft := "" // told last
	for _, check := range []func(*pyjson.Object) string{containers, types, f.typed, lists, f.ref, empty, f.combined} {
		switch what := check(s); {
		case what == "":
		case !isSoft(what):
			return what
		case soft == "":
			soft = what
		}
	}
	return soft
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
	at, ok := keyword.At(f.root, pointer)
	if !ok {
		return fmt.Sprintf("Pointer '%s' does not exist", pointer)
	}
	what := f.schema(at)
	if isSoft(what) {
		what += whileIn + ref
	}
	return what
}

func types(s *pyjson.Object) string {
	v, ok := s.Get("type")
	if !ok {
		return ""
	}
	types, isList := v.([]any)
	if _, isText := v.(string); !isText && !isList {
		return "type must be a string or array of strings"
	} else if isText {
		types = []any{v}
	} else if len(types) == 0 {
		return unsatisfiable + "anyOf is empty"
	}
	for _, t := range types {
		if name, ok := t.(string); !ok {
			return "type must be a string"
		} else if !slices.Contains(keyword.Types, name) {
			return "Invalid type: " + name
		}
	}
	return ""
}

// containers looks at keywords of schemas with names or places.
func containers(s *pyjson.Object) string {
	if v, ok := s.Get("properties"); ok {
		if _, isMap := v.(*pyjson.Object); !isMap {
			return "properties must be an object"
		}
	}
	return list(s, "prefixItems")
}

// lists looks at keywords that hold lists, in the order in which they stand.
func lists(s *pyjson.Object) string {
	for key := range s.All() {
		if slices.Contains([]string{"enum", "allOf", "anyOf", "oneOf"}, key) {
			if what := list(s, key); what != "" {
				return what
			}
		}
	}
	return ""
}

// empty tells whether there is nothing to choose from.
func empty(s *pyjson.Object) string {
	for _, key := range []string{"enum", "anyOf"} {
		if keyword.Has(s, key) && len(keyword.List(s, key)) == 0 {
			return unsatisfiable + "anyOf is empty"
		}
	}
	return ""
}

func list(s *pyjson.Object, key string) string {
	v, given := s.Get(key)
	if _, isList := v.([]any); given && !isList {
		return key + " must be an array"
	}
	return ""
}
