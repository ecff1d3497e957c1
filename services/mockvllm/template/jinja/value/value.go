package value

import (
	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
)

// Tuple is Python's; a list is []any.
type Tuple []any

// Undefined is what a name or a member is that there is not.
type Undefined struct{ Message string } // what Python says when it is used

// Function is what a template can call.
type Function func(q *Quota, c Call) (any, error)

// Macro is one of the template's own.
type Macro struct {
	Name string
	Call Function
}

// Namespace is what namespace() makes: the one thing that loops can assign to.
type Namespace struct{ Vars *pyjson.Object }

// Plain turns a number as it was read into one to reckon with. An integer beyond int64 stays, and can only be shown.
func Plain(v any) any {
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

// Truthy is Python's bool.
func Truthy(v any) bool {
	switch v := Plain(v).(type) {
	case nil, Undefined:
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
	case Tuple:
		return len(v) > 0
	case *pyjson.Object:
		return v.Len() > 0
	}
	return true
}

// TypeName is Python's name of the type of v.
func TypeName(v any) string {
	switch Plain(v).(type) {
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
	case Tuple:
		return "tuple"
	case *pyjson.Object:
		return "dict"
	case Undefined:
		return "Undefined"
	case *Namespace:
		return "Namespace"
	case *Macro:
		return "Macro"
	}
	return "function"
}

// Sequence returns the items of a list or tuple.
func Sequence(v any) ([]any, bool) {
	switch v := v.(type) {
	case []any:
		return v, true
	case Tuple:
		return v, true
	}
	return nil, false
}

// Iterate returns what a loop over v goes through.
func (q *Quota) Iterate(v any) ([]any, error) {
	if items, ok := Sequence(v); ok {
		return items, nil
	}
	switch v := v.(type) {
	case Undefined:
		return nil, nil
	case *pyjson.Object:
		keys := make([]any, 0, v.Len())
		for k := range v.All() {
			keys = append(keys, k)
		}
		return keys, q.Charge(16 * len(keys))
	case string:
		if err := q.Charge(16 * len(v)); err != nil {
			return nil, err
		}
		return Letters(v), nil
	}
	return nil, Failf("'%s' object is not iterable", TypeName(v))
}

// Letters are the characters of a string.
func Letters(s string) []any {
	out := make([]any, 0, len(s))
	for _, r := range s {
		out = append(out, string(r))
	}
	return out
}

// Number returns v as a float, and as an int when it is one; a bool counts as 0 or 1.
func Number(v any) (i int64, x float64, isInt, ok bool) {
	switch n := Plain(v).(type) {
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

// Usable refuses undefined operands.
func Usable(values ...any) error {
	for _, v := range values {
		if u, ok := v.(Undefined); ok {
			return &Error{u.Message}
		}
	}
	return nil
}
