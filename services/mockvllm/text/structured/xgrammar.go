package structured

import (
	"math"
	"slices"
	"strings"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/text/structured/grammar"
)

// xgrammar reads a JSON Schema as the library does that vLLM asks first: it looks at less than others do, and what it says of a
// schema that it does not take no client sees.
type xgrammar struct {
	root *pyjson.Object
	seen map[string]bool
	void bool // it is taken, and there is no text of it
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
		case key != "allOf" || len(list) == 1:
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
		return numbersFit(s, name == "integer")
	case "string":
		return x.text(s)
	case "array":
		return x.array(s)
	case "object":
		return x.object(s)
	}
	return true
}

// numbersFit looks at bounds: of integers they are whole, and one is in between.
func numbersFit(s *pyjson.Object, whole bool) bool {
	low, high := math.Inf(-1), math.Inf(1)
	for _, key := range []string{"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"} {
		v, ok := s.Get(key)
		if !ok {
			continue
		}
		n, isNumber := v.(pyjson.Number)
		if !isNumber || whole && (n.Float() != math.Trunc(n.Float()) || math.Abs(n.Float()) >= math.MaxInt64) {
			return false
		}
		f := n.Float()
		switch key {
		case "minimum":
			low = max(low, f)
		case "maximum":
			high = min(high, f)
		case "exclusiveMinimum":
			low = max(low, after(f, whole))
		default:
			high = min(high, -after(-f, whole))
		}
	}
	return low <= high
}

// after is the smallest number that is larger.
func after(f float64, whole bool) float64 {
	if whole {
		return f + 1
	}
	return math.Nextafter(f, math.Inf(1))
}

// bounds are the limits of a length: integers, in order. Of least, -1 may be refused or not.
func bounds(s *pyjson.Object, least, most string, negative bool) (low, high int64, ok bool) {
	low, high = 0, math.MaxInt64
	for _, key := range []string{least, most} {
		v, given := s.Get(key)
		if !given {
			continue
		}
		n, isNumber := v.(pyjson.Number)
		if !isNumber || !n.IsInt() || n.Float() > math.MaxInt32 || n.Float() < 0 && (!negative || key == most) {
			return 0, 0, false
		}
		if key == least {
			low = int64(n.Float())
		} else {
			high = int64(n.Float())
		}
	}
	return low, high, low <= high
}

func (x *xgrammar) text(s *pyjson.Object) bool {
	if v, ok := s.Get("pattern"); ok {
		pattern, isText := v.(string)
		return isText && grammar.XGrammarInSchema(pattern)
	}
	if v, ok := s.Get("format"); ok {
		_, isText := v.(string)
		return isText
	}
	low, _, ok := bounds(s, "minLength", "maxLength", true)
	x.void = x.void || low < 0
	return ok
}

func (x *xgrammar) array(s *pyjson.Object) bool {
	low, high, ok := bounds(s, "minItems", "maxItems", true)
	if !ok {
		return false
	}
	first := []any{}
	if v, given := s.Get("prefixItems"); given {
		if first, ok = v.([]any); !ok || !x.all(first) || int64(len(first)) > high {
			return false
		}
	}
	more := true
	for _, key := range []string{"items", "unevaluatedItems"} {
		v, given := s.Get(key)
		if !given {
			continue
		}
		if v == false {
			more = false
			break
		}
		if _, isObject := v.(*pyjson.Object); !isObject && v != true || !x.schema(v) {
			return false
		}
		break
	}
	return more || low <= int64(len(first))
}

func (x *xgrammar) object(s *pyjson.Object) bool {
	if v, ok := s.Get("required"); ok {
		names, isList := v.([]any)
		if !isList || slices.ContainsFunc(names, func(n any) bool { _, text := n.(string); return !text }) {
			return false
		}
	}
	if _, _, ok := bounds(s, "minProperties", "maxProperties", false); !ok {
		return false
	}
	for _, key := range []string{"properties", "patternProperties"} {
		v, given := s.Get(key)
		members, ok := v.(*pyjson.Object)
		if given && !ok {
			return false
		}
		for name, member := range members.All() {
			if !x.schema(member) || key == "patternProperties" && !grammar.XGrammarInSchema(name) {
				return false
			}
		}
	}
	if v, given := s.Get("propertyNames"); given {
		names, ok := v.(*pyjson.Object)
		if !ok || !x.text(names) {
			return false
		}
	}
	for _, key := range []string{"additionalProperties", "unevaluatedProperties"} {
		if v, given := s.Get(key); given && v != false {
			return x.schema(v)
		}
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
