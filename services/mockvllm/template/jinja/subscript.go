package jinja

import (
	"strings"
	"unicode/utf8"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
)

func (e *attrExpr) eval(f *frame) (any, error) {
	v, err := e.value.eval(f)
	if err != nil {
		return nil, err
	}
	return f.attr(v, e.name)
}

// attr is v.name: an attribute first, then an item.
func (f *frame) attr(v any, name string) (any, error) {
	if err := f.step(); err != nil {
		return nil, err
	}
	switch v := v.(type) {
	case undefined:
		return nil, &Error{v.message}
	case *loop:
		return plain(v.attr(name)), nil
	case *namespace:
		if x, ok := v.vars.Get(name); ok {
			return plain(x), nil
		}
	case *macro:
		if name == "name" {
			return v.def.name, nil
		}
	case *pyjson.Object:
		if m := method(v, name); m != nil {
			return m, nil
		}
		if x, ok := v.Get(name); ok {
			return plain(x), nil
		}
	default:
		if m := method(v, name); m != nil {
			return m, nil
		}
	}
	return missing(v, name), nil
}

func missing(v any, name string) undefined {
	what := typeName(v) + " object"
	if v == nil {
		what = "None"
	}
	if _, ok := v.(*namespace); ok {
		what = "jinja2.utils.Namespace object"
	}
	if what == "None" {
		return undefined{"'None' has no attribute '" + name + "'"}
	}
	return undefined{"'" + what + "' has no attribute '" + name + "'"}
}

func (e *itemExpr) eval(f *frame) (any, error) {
	v, err := e.value.eval(f)
	if err != nil {
		return nil, err
	}
	key, err := e.key.eval(f)
	if err != nil {
		return nil, err
	}
	return f.item(v, key)
}

// item is v[key]: an item first, then an attribute.
func (f *frame) item(v, key any) (any, error) {
	if err := f.step(); err != nil {
		return nil, err
	}
	if u, ok := v.(undefined); ok {
		return nil, &Error{u.message}
	}
	if i, _, isInt, ok := number(key); ok && isInt {
		if x, ok := at(v, i); ok {
			return plain(x), nil
		}
		return undefined{typeName(v) + " object has no element " + pyjson.Repr(key)}, nil
	}
	name, ok := key.(string)
	if !ok {
		return undefined{typeName(v) + " object has no element " + typeName(key)}, nil
	}
	if o, ok := v.(*pyjson.Object); ok {
		if x, ok := o.Get(name); ok {
			return plain(x), nil
		}
	}
	return f.attr(v, name)
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
	items, ok := sequence(v)
	if i < 0 {
		i += int64(len(items))
	}
	if !ok || i < 0 || i >= int64(len(items)) {
		return nil, false
	}
	return items[i], true
}

func (e *sliceExpr) eval(f *frame) (any, error) {
	v, err := e.value.eval(f)
	if err != nil {
		return nil, err
	}
	var bounds [3]*int64
	for i, part := range e.parts {
		if part == nil {
			continue
		}
		b, err := part.eval(f)
		if err != nil {
			return nil, err
		}
		if b == nil {
			continue
		}
		n, _, isInt, ok := number(b)
		if !ok || !isInt {
			return nil, failf("slice indices must be integers or None or have an __index__ method")
		}
		bounds[i] = &n
	}
	return f.slice(v, bounds)
}

func (f *frame) slice(v any, bounds [3]*int64) (any, error) {
	s, isString := v.(string)
	items, ok := sequence(v)
	if isString {
		if err := f.charge(16 * len(s)); err != nil {
			return nil, err
		}
		items = letters(s)
	} else if u, isUndefined := v.(undefined); isUndefined {
		return nil, &Error{u.message}
	} else if !ok {
		return nil, failf("'%s' object is not subscriptable", typeName(v))
	}
	picked, err := slice(items, bounds)
	if err != nil {
		return nil, err
	}
	if err := f.charge(16 * len(picked)); err != nil {
		return nil, err
	}
	switch {
	case isString:
		var b strings.Builder
		for _, c := range picked {
			b.WriteString(c.(string))
		}
		return b.String(), nil
	case typeName(v) == "tuple":
		return tuple(picked), nil
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
		return nil, failf("slice step cannot be zero")
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
