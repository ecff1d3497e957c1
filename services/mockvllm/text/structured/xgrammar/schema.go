package xgrammar

import (
	"slices"
	"strings"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/text/structured/keyword"
)

// reader reads a JSON Schema. It looks at less than others do.
type reader struct {
	root  *pyjson.Object
	seen  map[string]bool
	void  bool // it is taken, and there is no text of it
	skims int  // more than 0 in a part of which no grammar is made: there patterns do not count
}

// skim looks at a part of which no grammar is made.
func (r *reader) skim(look func() bool) bool {
	r.skims++
	defer func() { r.skims-- }()
	return look()
}

// Takes tells whether the library takes a schema, and whether there is then no text of it.
func Takes(root *pyjson.Object) (takes, void bool) {
	r := reader{root: root, seen: map[string]bool{}}
	takes = r.schema(root)
	return takes, takes && (r.void || pointless(root))
}

// pointless tells whether a schema is a reference that leads back to it and to nothing else.
func pointless(root *pyjson.Object) bool {
	seen := map[any]bool{}
	for at := root; ; {
		v, ok := at.Get("$ref")
		ref, isText := v.(string)
		switch {
		case !ok || !isText:
			return false
		case seen[ref] || ref == "#":
			return true
		}
		seen[ref] = true
		path, ok := strings.CutPrefix(ref, "#/")
		if !ok {
			return false
		}
		at = root
		for name := range strings.SplitSeq(path, "/") {
			at, _ = at.Value(name).(*pyjson.Object)
		}
	}
}

func (r *reader) schema(v any) bool {
	s, ok := v.(*pyjson.Object)
	if !ok {
		return v == true // of false there is no value
	}
	if ref, ok := s.Get("$ref"); ok {
		return r.ref(ref)
	}
	for _, key := range []string{"const", "enum", "anyOf", "oneOf", "allOf"} {
		v, ok := s.Get(key)
		list, isList := v.([]any)
		switch {
		case !ok:
		case key == "const":
			return true
		case !isList || key == "enum" && len(list) == 0:
			return false
		case key == "enum":
			return true
		case key == "allOf" && len(list) > 1: // it is read, and then anything goes
			return r.skim(func() bool { return r.all(list) })
		default:
			return r.all(list)
		}
	}
	return r.typed(s)
}

func (r *reader) all(list []any) bool {
	return !slices.ContainsFunc(list, func(v any) bool { return !r.schema(v) })
}

// ref follows a reference by names of members. What does not begin with #/ it does not look at.
func (r *reader) ref(v any) bool {
	ref, ok := v.(string)
	if !ok {
		return false
	}
	path, ok := strings.CutPrefix(ref, "#/")
	if !ok || r.seen[ref] {
		return true
	}
	r.seen[ref] = true
	var at any = r.root
	for name := range strings.SplitSeq(path, "/") {
		o, _ := at.(*pyjson.Object)
		if at, ok = o.Get(name); !ok {
			return false
		}
	}
	return r.schema(at)
}

// implied are members that make a schema without a type one of this type.
var implied = []struct{ kind, member string }{
	{"object", "properties"}, {"object", "additionalProperties"}, {"object", "patternProperties"},
	{"array", "items"}, {"array", "prefixItems"},
}

func (r *reader) typed(s *pyjson.Object) bool {
	v, ok := s.Get("type")
	kinds, isList := v.([]any)
	switch {
	case !ok:
		for _, i := range implied {
			if keyword.Has(s, i.member) {
				return r.kind(i.kind, s)
			}
		}
		return true
	case !isList:
		kinds = []any{v}
	}
	for _, k := range kinds {
		name, ok := k.(string)
		if !ok || !slices.Contains(keyword.Types, name) || !r.kind(name, s) {
			return false
		}
	}
	return true
}

func (r *reader) kind(name string, s *pyjson.Object) bool {
	switch name {
	case "integer", "number":
		return numbersFit(s, name == "integer") && divides(s)
	case "string":
		return r.text(s)
	case "array":
		return r.array(s)
	case "object":
		return r.object(s)
	}
	return true
}

// Empty tells whether a schema is a choice of nothing, of which the library makes an empty text.
func Empty(root *pyjson.Object) bool {
	for _, key := range []string{"anyOf", "oneOf"} {
		if list, ok := root.Value(key).([]any); ok && len(list) == 0 {
			return true
		}
	}
	return false
}
