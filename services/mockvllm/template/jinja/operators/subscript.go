package operators

import (
	"strings"
	"unicode/utf8"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/template/jinja/value"
)

// Attr is v.name: an attribute first, then an item.
func Attr(q *value.Quota, v any, name string) (any, error) {
	if err := q.Step(); err != nil {
		return nil, err
	}
	switch v := v.(type) {
	case value.Undefined:
		return nil, &value.Error{Message: v.Message}
	case *value.Loop:
		return value.Plain(v.Attr(name)), nil
	case *value.Namespace:
		if x, ok := v.Vars.Get(name); ok {
			return value.Plain(x), nil
		}
	case *value.Macro:
		if name == "name" {
			return v.Name, nil
		}
	case *pyjson.Object:
		if m := Method(v, name); m != nil {
			return m, nil
		}
		if x, ok := v.Get(name); ok {
			return value.Plain(x), nil
		}
	default:
		if m := Method(v, name); m != nil {
			return m, nil
		}
	}
	return missing(v, name), nil
}

func missing(v any, name string) value.Undefined {
	what := value.TypeName(v) + " object"
	if v == nil {
		what = "None"
	}
	if _, ok := v.(*value.Namespace); ok {
		what = "jinja2.utils.Namespace object"
	}
	if what == "None" {
		return value.Undefined{Message: "'None' has no attribute '" + name + "'"}
	}
	return value.Undefined{Message: "'" + what + "' has no attribute '" + name + "'"}
}

// Item is v[key]: an item first, then an attribute.
func Item(q *value.Quota, v, key any) (any, error) {
	if err := q.Step(); err != nil {
		return nil, err
	}
	if u, ok := v.(value.Undefined); ok {
		return nil, &value.Error{Message: u.Message}
	}
	if i, _, isInt, ok := value.Number(key); ok && isInt {
		if x, ok := at(v, i); ok {
			return value.Plain(x), nil
		}
		return value.Undefined{Message: value.TypeName(v) + " object has no element " + pyjson.Repr(key)}, nil
	}
	name, ok := key.(string)
	if !ok {
		return value.Undefined{Message: value.TypeName(v) + " object has no element " + value.TypeName(key)}, nil
	}
	if o, ok := v.(*pyjson.Object); ok {
		if x, ok := o.Get(name); ok {
			return value.Plain(x), nil
		}
	}
	return Attr(q, v, name)
}

func at(v any, i int64) (any, bool) {
	if s, ok := v.(string); ok {
		n := int64(utf8.RuneCountInString(s))
		if i < 0 {
			i += n
		}
		for _, r := range s {
			if i == 0 {
				return string(r), true
			}
			i--
		}
		return nil, false
	}
	items, ok := value.Sequence(v)
	if i < 0 {
		i += int64(len(items))
	}
	if !ok || i < 0 || i >= int64(len(items)) {
		return nil, false
	}
	return items[i], true
}

// Slice is v[start:stop:step]; nil is a bound that is not given.
func Slice(q *value.Quota, v any, bounds [3]*int64) (any, error) {
	s, isString := v.(string)
	items, ok := value.Sequence(v)
	if isString {
		if err := q.Charge(16 * len(s)); err != nil {
			return nil, err
		}
		items = value.Letters(s)
	} else if u, isUndefined := v.(value.Undefined); isUndefined {
		return nil, &value.Error{Message: u.Message}
	} else if !ok {
		return nil, value.Failf("'%s' object is not subscriptable", value.TypeName(v))
	}
	picked, err := slice(items, bounds)
	if err != nil {
		return nil, err
	}
	if err := q.Charge(16 * len(picked)); err != nil {
		return nil, err
	}
	switch {
	case isString:
		var b strings.Builder
		for _, c := range picked {
			b.WriteString(c.(string))
		}
		return b.String(), nil
	case value.TypeName(v) == "tuple":
		return value.Tuple(picked), nil
	}
	return picked, nil
}

// slice is Python's items[start:stop:step].
func slice(items []any, bounds [3]*int64) ([]any, error) {
	n, step := int64(len(items)), int64(1)
	if bounds[2] != nil {
		step = *bounds[2]
	}
	if step == 0 {
		return nil, value.Failf("slice step cannot be zero")
	}
	low, high := int64(0), n
	if step < 0 {
		low, high = -1, n-1
	}
	bound := func(b *int64, unset int64) int64 {
		if b == nil {
			return unset
		}
		i := *b
		if i < 0 {
			i += n
		}
		return max(low, min(i, high))
	}
	var out []any
	if step > 0 {
		stop := bound(bounds[1], n)
		for i := bound(bounds[0], 0); i < stop && i >= 0; i += step {
			out = append(out, items[i])
		}
		return out, nil
	}
	stop := bound(bounds[1], -1)
	for i := bound(bounds[0], n-1); i > stop; i += step {
		out = append(out, items[i])
	}
	return out, nil
}
