package jinja

import (
	"strings"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
)

type (
	tuple     []any
	undefined struct{ message string } // what Python says when it is used
	function  func(f *frame, c call) (any, error)
	call      struct {
		args   []any
		named  *pyjson.Object
		caller any
	}
)

// plain turns a number as it was read into one to reckon with. An integer beyond int64 stays, and can only be shown.
func plain(v any) any {
	switch n := v.(type) {
	case pyjson.Number:
		if i, ok := n.Int64(); ok {
			return i
		}
		if !n.IsInt() {
			return n.Float()
		}
	case int:
		return int64(n)
	}
	return v
}

func truthy(v any) bool {
	switch v := plain(v).(type) {
	case nil, undefined:
		return false
	case bool:
		return v
	case int64:
		return v != 0
	case float64:
		return v != 0
	case string:
		return v != ""
	case []any:
		return len(v) > 0
	case tuple:
		return len(v) > 0
	case *pyjson.Object:
		return v.Len() > 0
	}
	return true
}

// typeName is Python's name of the type of v.
func typeName(v any) string {
	switch plain(v).(type) {
	case nil:
		return "NoneType"
	case bool:
		return "bool"
	case int64, pyjson.Number:
		return "int"
	case float64:
		return "float"
	case string:
		return "str"
	case []any:
		return "list"
	case tuple:
		return "tuple"
	case *pyjson.Object:
		return "dict"
	case undefined:
		return "Undefined"
	case *namespace:
		return "Namespace"
	case *macro:
		return "Macro"
	}
	return "function"
}

// sequence returns the items of a list or tuple.
func sequence(v any) ([]any, bool) {
	switch v := v.(type) {
	case []any:
		return v, true
	case tuple:
		return v, true
	}
	return nil, false
}

// iterate returns what a loop over v goes through.
func (f *frame) iterate(v any) ([]any, error) {
	if items, ok := sequence(v); ok {
		return items, nil
	}
	switch v := v.(type) {
	case undefined:
		return nil, nil
	case *pyjson.Object:
		keys := make([]any, 0, v.Len())
		for k := range v.All() {
			keys = append(keys, k)
		}
		return keys, f.charge(16 * len(keys))
	case string:
		if err := f.charge(16 * len(v)); err != nil {
			return nil, err
		}
		return letters(v), nil
	}
	return nil, failf("'%s' object is not iterable", typeName(v))
}

func letters(s string) []any {
	out := make([]any, 0, len(s))
	for _, r := range s {
		out = append(out, string(r))
	}
	return out
}

// number returns v as a float, and as an int when it is one; a bool counts as 0 or 1.
func number(v any) (i int64, x float64, isInt, ok bool) {
	switch n := plain(v).(type) {
	case bool:
		if n {
			return 1, 1, true, true
		}
		return 0, 0, true, true
	case int64:
		return n, float64(n), true, true
	case float64:
		return 0, n, false, true
	}
	return 0, 0, false, false
}

// equal is Python's ==.
func (f *frame) equal(a, b any) (bool, error) {
	if err := f.charge(64); err != nil {
		return false, err
	}
	if i, x, isInt, ok := number(a); ok {
		j, y, alsoInt, ok := number(b)
		return ok && (isInt && alsoInt && i == j || !(isInt && alsoInt) && x == y), nil
	}
	if x, ok := a.(string); ok {
		y, ok := b.(string)
		return ok && x == y, f.charge(len(x))
	}
	if x, ok := sequence(a); ok {
		y, ok := sequence(b)
		if !ok || len(x) != len(y) || typeName(a) != typeName(b) {
			return false, nil
		}
		return f.allEqual(len(x), func(i int) (any, any, bool) { return x[i], y[i], true })
	}
	if x, ok := a.(*pyjson.Object); ok {
		y, ok := b.(*pyjson.Object)
		if !ok || x.Len() != y.Len() {
			return false, nil
		}
		return f.allEqual(x.Len(), func(i int) (any, any, bool) {
			m := x.Members()[i]
			other, ok := y.Get(m.Key)
			return m.Value, other, ok
		})
	}
	switch a := a.(type) {
	case nil:
		return b == nil, nil
	case undefined:
		_, ok := b.(undefined)
		return ok, nil
	case *namespace, *macro, *loop, pyjson.Number:
		return a == b, nil
	}
	return false, nil
}

func (f *frame) allEqual(n int, pair func(i int) (a, b any, ok bool)) (bool, error) {
	if err := f.enter(); err != nil {
		return false, err
	}
	defer func() { f.depth-- }()
	for i := range n {
		a, b, ok := pair(i)
		if !ok {
			return false, nil
		}
		if same, err := f.equal(a, b); !same || err != nil {
			return false, err
		}
	}
	return true, nil
}

// less is Python's <, for numbers and strings.
func (f *frame) compare(op string, a, b any) (int, error) {
	if err := usable(a, b); err != nil {
		return 0, err
	}
	if i, x, isInt, ok := number(a); ok {
		if j, y, alsoInt, ok := number(b); ok {
			if isInt && alsoInt {
				return compareOrdered(i, j), nil
			}
			return compareOrdered(x, y), nil
		}
	}
	if x, ok := a.(string); ok {
		if y, ok := b.(string); ok {
			return strings.Compare(x, y), f.charge(len(x))
		}
	}
	x, ok1 := sequence(a)
	y, ok2 := sequence(b)
	if ok1 && ok2 {
		if err := f.enter(); err != nil {
			return 0, err
		}
		defer func() { f.depth-- }()
		for i := range min(len(x), len(y)) {
			if c, err := f.compare(op, x[i], y[i]); c != 0 || err != nil {
				return c, err
			}
		}
		return compareOrdered(int64(len(x)), int64(len(y))), nil
	}
	return 0, failf("'%s' not supported between instances of '%s' and '%s'", op, typeName(a), typeName(b))
}

func compareOrdered[T int64 | float64](a, b T) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// usable refuses undefined operands.
func usable(values ...any) error {
	for _, v := range values {
		if u, ok := v.(undefined); ok {
			return &Error{u.message}
		}
	}
	return nil
}
