package schema

import (
	"slices"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/text/structured/keyword"
)

// maxItems keeps values small enough for an answer: of arrays, and of objects as members.
const maxItems = 1000

// array has as many items as it must, or a few more.
func (m *maker) array(f *facts) (any, bool) {
	least, most := f.atLeast("minItems", 0), f.atMost("maxItems", maxItems)
	wanted, contains, most := m.contained(f, most)
	least = max(least, contains)
	if least > maxItems {
		m.large = true
		return nil, false
	}
	if most = min(most, f.end()); least > most {
		return nil, false
	}
	n := min(most, m.enough(f, least))
	unique := slices.ContainsFunc(f.schemas, func(s *pyjson.Object) bool { return s.Value("uniqueItems") == true })
	seen := map[string]bool{}
	items := make([]any, 0, n)
	for i := 0; len(items) < n; i++ {
		schemas := f.item(len(items))
		if len(items) >= n-contains && wanted != nil { // the last ones are those that it must contain
			schemas = append(schemas, wanted)
		}
		v, ok := m.value(schemas, f.depth+1, i)
		key := ""
		if unique && ok {
			key = pyjson.DumpsUnicode(v)
		}
		if !ok || unique && seen[key] {
			if i > n+30 {
				return items, len(items) >= least && wanted == nil
			}
			continue
		}
		seen[key] = true
		items = append(items, v)
	}
	return items, true
}

// enough is how many items an array gets that needs some.
func (m *maker) enough(f *facts, least int) int {
	switch {
	case f.depth >= deep || m.src.Guide && m.try%2 == 1:
		return least
	case m.src.Guide:
		n := max(1, least)
		for _, s := range f.schemas {
			n = max(n, len(keyword.List(s, "prefixItems")))
		}
		return n
	}
	return least + m.src.Rand.IntN(4)
}

// contained is what an array must contain, and how often. Two schemas that both say so are left to the validator.
func (m *maker) contained(f *facts, most int) (schema any, least, atMost int) {
	for _, s := range f.schemas {
		v, ok := s.Get("contains")
		if !ok {
			continue
		}
		least = 1
		if n, ok := whole(s, "minContains"); ok {
			least = max(0, n)
		}
		if n, ok := whole(s, "maxContains"); ok && v == true {
			most = min(most, n)
		}
		schema = v
	}
	return schema, least, most
}

// end is how many items can be there, because no more have a schema.
func (f *facts) end() int {
	end := maxItems
	for _, s := range f.schemas {
		for _, key := range []string{"items", "unevaluatedItems"} {
			if s.Value(key) == false {
				end = min(end, len(keyword.List(s, "prefixItems")))
			}
		}
	}
	return end
}

// item are the schemas of the item at a place.
func (f *facts) item(at int) (schemas []any) {
	for _, s := range f.schemas {
		prefix := keyword.List(s, "prefixItems")
		more, ok := s.Get("items")
		if old, isList := more.([]any); isList { // before draft 2020-12
			prefix = old
			more, ok = s.Get("additionalItems")
		}
		if at < len(prefix) {
			schemas = append(schemas, prefix[at])
		} else if ok {
			schemas = append(schemas, more)
		}
	}
	return schemas
}
