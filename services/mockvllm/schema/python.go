package schema

import (
	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
)

// What Python makes of the values that vLLM's validators handle before their types are known.

// get is data.get(key).
func get(o *pyjson.Object, key string) any {
	v, _ := o.Get(key)
	return v
}

// truthy is bool(v).
func truthy(v any) bool {
	switch v := v.(type) {
	case nil:
		return false
	case bool:
		return v
	case string:
		return v != ""
	case pyjson.Number:
		return v.Float() != 0
	case []any:
		return len(v) > 0
	case *pyjson.Object:
		return v.Len() > 0
	}
	return true
}

// num is an int, a float or a bool as a float.
func num(v any) (f float64, ok bool) { return numeric(v) }

// iterate is iter(v): the items of a list, the characters of a string, the keys of a dict, or a TypeError.
func iterate(v any) ([]any, *Error) {
	switch v := v.(type) {
	case []any:
		return v, nil
	case string:
		return characters(v), nil
	case *pyjson.Object:
		keys := make([]any, 0, v.Len())
		for key := range v.All() {
			keys = append(keys, key)
		}
		return keys, nil
	}
	return nil, badRequest("'"+pythonType(v)+"' object is not iterable", "")
}

// characters are those of a Python string.
func characters(s string) []any {
	out := make([]any, 0, len(s))
	for i := 0; i < len(s); {
		j := i + 1
		for j < len(s) && s[j]&0xc0 == 0x80 {
			j++
		}
		out = append(out, s[i:j])
		i = j
	}
	return out
}

// item is v[key].
func item(v any, key string) (any, *Error) {
	switch v := v.(type) {
	case *pyjson.Object:
		if found, ok := v.Get(key); ok {
			return found, nil
		}
		return nil, stumbled("%s", pyjson.Repr(key))
	case string:
		return nil, badRequest("string indices must be integers, not 'str'", "")
	case []any:
		return nil, badRequest("list indices must be integers or slices, not str", "")
	}
	return nil, badRequest("'"+pythonType(v)+"' object is not subscriptable", "")
}

// attribute is the AttributeError of v.name.
func attribute(v any, name string) *Error {
	return stumbled("'%s' object has no attribute '%s'", pythonType(v), name)
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

// Truthy is Python's bool of a value of a body.
func Truthy(v any) bool { return truthy(v) }
