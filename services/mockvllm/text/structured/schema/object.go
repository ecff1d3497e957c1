package schema

import (
	"fmt"
	"regexp"
	"slices"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/text/structured/grammar"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/text/structured/keyword"
)

// object has the properties in their order, then what else is required, then as many as there must be.
func (m *maker) object(f *facts) (any, bool) {
	least, most := f.atLeast("minProperties", 0), f.atMost("maxProperties", maxItems)
	m.large = m.large || least > maxItems
	if m.dependencies(f); least > maxItems || len(f.required) > most || least > most {
		return nil, false
	}
	o := &pyjson.Object{}
	left := len(f.required) // still to come
	for _, name := range m.names(f) {
		must := slices.Contains(f.required, name)
		if must {
			left--
		}
		if !must && (o.Len()+left >= most || o.Len()+left >= least && !m.optional(f)) {
			continue
		}
		v, ok := m.member(f, name)
		switch {
		case ok:
			o.Set(name, v)
		case must:
			return nil, false
		}
	}
	for i := 0; o.Len() < least && i < least+20; i++ {
		name, ok := m.newName(f, i)
		if _, there := o.Get(name); !ok || there {
			continue
		}
		if v, ok := m.member(f, name); ok {
			o.Set(name, v)
		}
	}
	return o, o.Len() >= least
}

// optional tells whether a member is made that nothing requires: what a model would fill in as well.
func (m *maker) optional(f *facts) bool {
	if m.src.Guide {
		return f.depth < deep && m.try%2 == 0
	}
	return f.depth < deep && m.coin()
}

// dependencies requires what required members require. Members of others are not made unless they must, so theirs do not matter,
// or the validator says that they do.
func (m *maker) dependencies(f *facts) {
	for i := 0; i < len(f.required) && i < maxItems; i++ {
		for _, s := range slices.Clone(f.schemas) {
			for _, key := range []string{"dependentRequired", "dependentSchemas", "dependencies"} {
				v := keyword.Object(s, key).Value(f.required[i])
				names, isList := v.([]any)
				for _, n := range names {
					if name, ok := n.(string); ok && !slices.Contains(f.required, name) {
						f.required = append(f.required, name)
					}
				}
				if refs := 0; v != nil && !isList {
					m.add(f, v, &refs)
				}
			}
		}
	}
}

// names are the members that the schema names, in its order.
func (m *maker) names(f *facts) (names []string) {
	seen := map[string]bool{}
	add := func(name string) {
		if !seen[name] {
			seen[name] = true
			names = append(names, name)
		}
	}
	for _, s := range f.schemas {
		for name := range keyword.Object(s, "properties").All() {
			add(name)
		}
	}
	for _, name := range f.required {
		add(name)
	}
	return names
}

// member makes the value of one.
func (m *maker) member(f *facts, name string) (any, bool) {
	schemas, ok := m.schemasOf(f, name)
	if !ok {
		return nil, false
	}
	return m.value(schemas, f.depth+1, 0)
}

// schemasOf are all that hold for a member; ok is false when there must be none of that name.
func (m *maker) schemasOf(f *facts, name string) (schemas []any, ok bool) {
	named, closed := false, false
	for _, s := range f.schemas {
		mine := false
		if p, ok := keyword.Object(s, "properties").Get(name); ok {
			schemas, mine = append(schemas, p), true
		}
		for pattern, p := range keyword.Object(s, "patternProperties").All() {
			if re, err := regexp.Compile(pattern); err == nil && re.MatchString(name) {
				schemas, mine = append(schemas, p), true
			}
		}
		if more, ok := s.Get("additionalProperties"); ok && !mine {
			schemas = append(schemas, more)
			mine = more != false
		}
		if more, ok := s.Get("unevaluatedProperties"); ok && more == false {
			closed = true
		}
		named = named || mine
	}
	return schemas, !slices.Contains(schemas, any(false)) && (named || !closed)
}

// newName finds a name that the schema allows and does not name.
func (m *maker) newName(f *facts, nth int) (string, bool) {
	for _, s := range f.schemas {
		if v, ok := s.Get("propertyNames"); ok {
			kind := pyjson.NewObject(pyjson.Member{Key: "type", Value: "string"})
			name, ok := m.value([]any{v, kind}, f.depth+1, nth)
			text, isText := name.(string)
			return text, ok && isText
		}
	}
	for _, s := range f.schemas {
		patterns := keyword.Object(s, "patternProperties").Members()
		if len(patterns) == 0 {
			continue
		}
		if more, ok := s.Get("additionalProperties"); !ok || more != false {
			break
		}
		g, err := grammar.Regexp(patterns[m.src.Rand.IntN(len(patterns))].Key)
		if err != nil {
			return "", false
		}
		src := m.src
		src.Guide = src.Guide && nth == 0
		return g.Generate(src, 100), true
	}
	return fmt.Sprintf("key%d", nth+1), true
}
