package declared

import (
	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema/python"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema/refusal"
)

// What Python makes of the values that vLLM's validators handle before their types are known.

// iterate is iter(v): the items of a list, the characters of a string, the keys of a dict, or a TypeError.
func iterate(v any) ([]any, *refusal.Error) {
	switch v := v.(type) {
	case []any:
		return v, nil
	case string:
		return python.Characters(v), nil
	case *pyjson.Object:
		keys := make([]any, 0, v.Len())
		for key := range v.All() {
			keys = append(keys, key)
		}
		return keys, nil
	}
	return nil, refusal.BadRequest("'"+pyjson.TypeName(v)+"' object is not iterable", "")
}

// item is v[key].
func item(v any, key string) (any, *refusal.Error) {
	switch v := v.(type) {
	case *pyjson.Object:
		if found, ok := v.Get(key); ok {
			return found, nil
		}
		return nil, refusal.Stumbled("%s", pyjson.Repr(key))
	case string:
		return nil, refusal.BadRequest("string indices must be integers, not 'str'", "")
	case []any:
		return nil, refusal.BadRequest("list indices must be integers or slices, not str", "")
	}
	return nil, refusal.BadRequest("'"+pyjson.TypeName(v)+"' object is not subscriptable", "")
}

// attribute is the AttributeError of v.name.
func attribute(v any, name string) *refusal.Error {
	return refusal.Stumbled("'%s' object has no attribute '%s'", pyjson.TypeName(v), name)
}

// in tells whether the value is one of the words.
func in(v any, words ...string) bool {
	s, ok := v.(string)
	if !ok {
		return false
	}
	for _, w := range words {
		if s == w {
			return true
		}
	}
	return false
}

// length is len(v), and 0 for None.
func length(v any) (int, *refusal.Error) {
	switch v := v.(type) {
	case nil:
		return 0, nil
	case string:
		return pyjson.Len(v), nil
	case []any:
		return len(v), nil
	case *pyjson.Object:
		return v.Len(), nil
	}
	return 0, refusal.BadRequest("object of type '"+pyjson.TypeName(v)+"' has no len()", "")
}
