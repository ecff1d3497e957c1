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

// SchemaFault is what is wrong with a JSON Schema; "" when the library takes it. One with patternProperties vLLM gives to a third
// library, which says nothing of faults.
func SchemaFault(root *pyjson.Object) string {
	f := faultFinder{root: root, seen: map[string]bool{}}
	if keyword.Anywhere(root, func(o *pyjson.Object) bool { return keyword.Has(o, "patternProperties") }) {
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
	if what := beyond(s); what != "" {
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
	at, ok := keyword.At(f.root, pointer)
	if !ok {
		return fmt.Sprintf("Pointer '%s' does not exist", pointer)
	}
	return f.schema(at)
}

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
		} else if !slices.Contains(keyword.Types, name) {
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
	if !ok || !slices.Contains(keyword.TypesOf(s), "object") {
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

// formats are those of strings that the library knows.
var formats = append([]string{"unknown"}, keyword.Formats...)

// strings looks at what counts for strings only.
func (f *faultFinder) strings(s *pyjson.Object) string {
	if !slices.Contains(keyword.TypesOf(s), "string") {
		return ""
	}
	for _, key := range []string{"pattern", "format"} {
		v, ok := s.Get(key)
		text, isText := v.(string)
		switch {
		case !ok:
		case !isText:
			return fmt.Sprintf("Expected string for '%s', got %s", key, pyjson.DumpsUnicode(v))
		case key == "format" && !slices.Contains(formats, text):
			return "Unknown format: " + text
		case key == "pattern":
			if fault := CheckRegex(text, true); fault != nil {
				return fault.Error()
			}
		}
	}
	return ""
}
