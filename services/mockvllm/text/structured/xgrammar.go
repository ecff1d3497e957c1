package structured

import (
	"slices"
	"strings"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
)

// xgrammar reads a JSON Schema as the library does that vLLM asks first: it looks at less than others do, and what it says of a
// schema that it does not take no client sees.
type xgrammar struct {
	root  *pyjson.Object
	seen  map[string]bool
	void  bool // it is taken, and there is no text of it
	skims int  // more than 0 in a part of which no grammar is made: there patterns do not count
}

// skim looks at a part of which no grammar is made.
func (x *xgrammar) skim(look func() bool) bool {
	x.skims++
	defer func() { x.skims-- }()
	return look()
}

// xgrammarTakes tells whether the library takes a schema, and whether it then fails to follow it.
func xgrammarTakes(root *pyjson.Object) (takes, void bool) {
	x := xgrammar{root: root, seen: map[string]bool{}}
	takes = x.schema(root)
	return takes, takes && (x.void || pointless(root))
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
			v, _ := at.Get(name)
			at, _ = v.(*pyjson.Object)
		}
	}
}

func (x *xgrammar) schema(v any) bool {
	s, ok := v.(*pyjson.Object)
	if !ok {
		return v == true // of false there is no value
	}
	if ref, ok := s.Get("$ref"); ok {
		return x.ref(ref)
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
			return x.skim(func() bool { return x.all(list) })
		default:
			return x.all(list)
		}
	}
	return x.typed(s)
}

func (x *xgrammar) all(list []any) bool {
	return !slices.ContainsFunc(list, func(v any) bool { return !x.schema(v) })
}

// ref follows a reference by names of members. What does not begin with #/ it does not look at.
func (x *xgrammar) ref(v any) bool {
	ref, ok := v.(string)
	if !ok {
		return false
	}
	path, ok := strings.CutPrefix(ref, "#/")
	if !ok || x.seen[ref] {
		return true
	}
	x.seen[ref] = true
	var at any = x.root
	for name := range strings.SplitSeq(path, "/") {
		o, _ := at.(*pyjson.Object)
		if at, ok = o.Get(name); !ok {
			return false
		}
	}
	return x.schema(at)
}

// implied are members that make a schema without a type one of this type.
var implied = []struct{ kind, member string }{
	{"object", "properties"}, {"object", "additionalProperties"}, {"object", "patternProperties"},
	{"array", "items"}, {"array", "prefixItems"},
}

func (x *xgrammar) typed(s *pyjson.Object) bool {
	v, ok := s.Get("type")
	kinds, isList := v.([]any)
	switch {
	case !ok:
		for _, i := range implied {
			if has(s, i.member) {
				return x.kind(i.kind, s)
			}
		}
		return true
	case !isList:
		kinds = []any{v}
	}
	for _, k := range kinds {
		name, ok := k.(string)
		if !ok || !slices.Contains(knownTypes, k) || !x.kind(name, s) {
			return false
		}
	}
	return true
}

func (x *xgrammar) kind(name string, s *pyjson.Object) bool {
	switch name {
	case "integer", "number":
		return numbersFit(s, name == "integer") && divides(s)
	case "string":
		return x.text(s)
	case "array":
		return x.array(s)
	case "object":
		return x.object(s)
	}
	return true
}

// noChoice tells whether a schema is a choice of nothing, of which xgrammar makes an empty text.
func noChoice(root *pyjson.Object) bool {
	for _, key := range []string{"anyOf", "oneOf"} {
		v, _ := root.Get(key)
		if list, ok := v.([]any); ok && len(list) == 0 {
			return true
		}
	}
	return false
}
