package schema

import (
	"slices"
	"strings"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/text/structured/keyword"
)

// facts are all that must hold for one value.
type facts struct {
	never    bool
	types    []string // nil: any
	values   []any    // of enum or const
	listed   bool     // values count
	wishes   []any    // default and examples
	schemas  []*pyjson.Object
	required []string
	depth    int
}

// maxRefs bounds references that lead to references.
const maxRefs = 100

// gather takes all of schemas together, and decides where there are alternatives.
func (m *maker) gather(schemas []any, depth int) *facts {
	f := &facts{depth: depth}
	refs := 0
	for _, s := range schemas {
		m.add(f, s, &refs)
	}
	return f
}

func (m *maker) add(f *facts, schema any, refs *int) {
	m.steps--
	s, ok := schema.(*pyjson.Object)
	if !ok {
		f.never = f.never || schema == false
		return
	}
	if *refs++; *refs > maxRefs*10 || m.steps < 0 {
		f.never = true
		return
	}
	f.schemas = append(f.schemas, s)
	if ref, ok := s.Get("$ref"); ok {
		target, found := m.resolve(ref)
		f.never = f.never || !found
		m.add(f, target, refs)
	}
	m.types(f, s)
	m.listed(f, s)
	for _, name := range keyword.Texts(s, "required") {
		if !slices.Contains(f.required, name) {
			f.required = append(f.required, name)
		}
	}
	for _, part := range keyword.List(s, "allOf") {
		m.add(f, part, refs)
	}
	for _, key := range []string{"anyOf", "oneOf"} {
		if choices := keyword.List(s, key); len(choices) > 0 {
			m.add(f, choices[m.alternative(choices, f)], refs)
		}
	}
	m.conditions(f, s, refs)
}

// conditions decides for then or else.
func (m *maker) conditions(f *facts, s *pyjson.Object, refs *int) {
	condition, ok := s.Get("if")
	if !ok {
		return
	}
	if then, ok := s.Get("then"); ok && m.coin() {
		m.add(f, condition, refs)
		m.add(f, then, refs)
	} else if other, ok := s.Get("else"); ok {
		m.add(f, other, refs)
	}
}

// alternative picks one of several. Guided, it is the first that is more than null; deep down, one that is not nested.
func (m *maker) alternative(choices []any, f *facts) int {
	var open []int
	for i, c := range choices {
		o, isObject := c.(*pyjson.Object)
		types := keyword.TypesOf(o)
		fits := len(types) == 0 || f.types == nil || slices.ContainsFunc(types, func(t string) bool { return hasType(f.types, t) })
		if c == false || isObject && !fits {
			continue
		}
		open = append(open, i)
	}
	if len(open) == 0 {
		return 0
	}
	if f.depth > deep {
		for _, i := range open {
			o, _ := choices[i].(*pyjson.Object)
			if _, isRef := o.Get("$ref"); !isRef && !slices.ContainsFunc(keyword.TypesOf(o), func(t string) bool { return t == "object" || t == "array" }) {
				return i
			}
		}
	}
	if m.src.Guide && m.try == 0 && f.depth <= deep {
		for _, i := range open {
			o, _ := choices[i].(*pyjson.Object)
			if !slices.Equal(keyword.TypesOf(o), []string{"null"}) {
				return i
			}
		}
	}
	return open[m.src.Rand.IntN(len(open))]
}

// types narrows the types down.
func (m *maker) types(f *facts, s *pyjson.Object) {
	if types := keyword.TypesOf(s); len(types) > 0 {
		if f.types == nil {
			f.types = types
		} else {
			more := slices.DeleteFunc(slices.Clone(types), func(t string) bool { return slices.Contains(f.types, t) })
			f.types = slices.DeleteFunc(slices.Concat(f.types, more), func(t string) bool {
				return !hasType(f.types, t) || !hasType(types, t)
			})
		}
		f.never = f.never || len(f.types) == 0
	}
	if o, ok := s.Value("not").(*pyjson.Object); ok && o.Len() == 1 {
		if without := keyword.TypesOf(o); len(without) > 0 {
			kept := slices.DeleteFunc(slices.Clone(keyword.Types), func(t string) bool { return hasType(without, t) || f.types != nil && !hasType(f.types, t) })
			f.types, f.never = kept, f.never || len(kept) == 0
		}
	}
}

// hasType tells whether types allow all values of a type.
func hasType(types []string, t string) bool {
	return slices.Contains(types, t) || t == "integer" && slices.Contains(types, "number")
}

func (m *maker) listed(f *facts, s *pyjson.Object) {
	values, ok := s.Get("enum")
	given, _ := values.([]any)
	if value, isConst := s.Get("const"); isConst {
		given, ok = []any{value}, true
	}
	if ok {
		if f.listed {
			given = slices.DeleteFunc(slices.Clone(given), func(v any) bool {
				return !slices.ContainsFunc(f.values, func(w any) bool { return pyjson.DumpsUnicode(v) == pyjson.DumpsUnicode(w) })
			})
		}
		f.values, f.listed = given, true
	}
	if v, ok := s.Get("default"); ok && v != nil {
		f.wishes = append(f.wishes, v)
	}
	f.wishes = append(f.wishes, keyword.List(s, "examples")...)
}

// resolve follows a reference into the document.
func (m *maker) resolve(ref any) (any, bool) {
	text, _ := ref.(string)
	pointer, ok := strings.CutPrefix(text, "#")
	if !ok {
		return nil, false
	}
	return keyword.At(m.root, pointer)
}

// atLeast and atMost are the tightest of a keyword's whole numbers; most is none when there is none.
func (f *facts) atLeast(key string, least int) int {
	for _, s := range f.schemas {
		if n, ok := whole(s, key); ok {
			least = max(least, n)
		}
	}
	return least
}

func (f *facts) atMost(key string, most int) int {
	for _, s := range f.schemas {
		if n, ok := whole(s, key); ok {
			most = min(most, n)
		}
	}
	return most
}

func whole(s *pyjson.Object, key string) (int, bool) {
	n, ok := s.Value(key).(pyjson.Number)
	if !ok {
		return 0, false
	}
	return int(max(min(n.Float(), 1<<30), -1)), true
}
