package value

import (
	"strings"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
)

// Equal is Python's ==.
func (q *Quota) Equal(a, b any) (bool, error) {
	if err := q.Charge(64); err != nil {
		return false, err
	}
	if i, x, isInt, ok := Number(a); ok {
		j, y, alsoInt, ok := Number(b)
		return ok && (isInt && alsoInt && i == j || !(isInt && alsoInt) && x == y), nil
	}
	if x, ok := a.(string); ok {
		y, ok := b.(string)
		return ok && x == y, q.Charge(len(x))
	}
	if x, ok := Sequence(a); ok {
		y, ok := Sequence(b)
		if !ok || len(x) != len(y) || TypeName(a) != TypeName(b) {
			return false, nil
		}
		return q.allEqual(len(x), func(i int) (any, any, bool) { return x[i], y[i], true })
	}
	if x, ok := a.(*pyjson.Object); ok {
		y, ok := b.(*pyjson.Object)
		if !ok || x.Len() != y.Len() {
			return false, nil
		}
		return q.allEqual(x.Len(), func(i int) (any, any, bool) {
			m := x.Members()[i]
			other, ok := y.Get(m.Key)
			return m.Value, other, ok
		})
	}
	switch a := a.(type) {
	case nil:
		return b == nil, nil
	case Undefined:
		_, ok := b.(Undefined)
		return ok, nil
	case *Namespace, *Macro, *Loop, pyjson.Number:
		return a == b, nil
	}
	return false, nil
}

func (q *Quota) allEqual(n int, pair func(i int) (a, b any, ok bool)) (bool, error) {
	if err := q.Enter(); err != nil {
		return false, err
	}
	defer q.Leave()
	for i := range n {
		a, b, ok := pair(i)
		if !ok {
			return false, nil
		}
		if same, err := q.Equal(a, b); !same || err != nil {
			return false, err
		}
	}
	return true, nil
}

// Compare orders numbers, strings and sequences; op is what Python would name in its error.
func (q *Quota) Compare(op string, a, b any) (int, error) {
	if err := Usable(a, b); err != nil {
		return 0, err
	}
	if i, x, isInt, ok := Number(a); ok {
		if j, y, alsoInt, ok := Number(b); ok {
			if isInt && alsoInt {
				return compareOrdered(i, j), nil
			}
			return compareOrdered(x, y), nil
		}
	}
	if x, ok := a.(string); ok {
		if y, ok := b.(string); ok {
			return strings.Compare(x, y), q.Charge(len(x))
		}
	}
	x, ok1 := Sequence(a)
	y, ok2 := Sequence(b)
	if ok1 && ok2 {
		if err := q.Enter(); err != nil {
			return 0, err
		}
		defer q.Leave()
		for i := range min(len(x), len(y)) {
			if c, err := q.Compare(op, x[i], y[i]); c != 0 || err != nil {
				return c, err
			}
		}
		return compareOrdered(int64(len(x)), int64(len(y))), nil
	}
	return 0, Failf("'%s' not supported between instances of '%s' and '%s'", op, TypeName(a), TypeName(b))
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
