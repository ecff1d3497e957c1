package builtin

import (
	"math"
	"strings"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/template/jinja/operators"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/template/jinja/value"
	"slices"
)

// Tests are what may stand behind "is".
var Tests map[string]Filter

func init() { // "filter" and "test" look into the tables
	is := func(f func(v any) bool) Filter {
		return func(_ *value.Quota, v any, _ value.Call) (any, error) { return f(v), nil }
	}
	compared := func(op string) Filter {
		return func(q *value.Quota, v any, c value.Call) (any, error) {
			return operators.Holds(q, op, v, c.Arg(0, "", nil))
		}
	}
	kind := func(names ...string) Filter {
		return is(func(v any) bool { return slices.Contains(names, value.TypeName(v)) })
	}
	parity := func(odd int64) Filter {
		return func(_ *value.Quota, v any, _ value.Call) (any, error) {
			n, x, isInt, ok := value.Number(v)
			switch {
			case !ok:
				return nil, value.Failf("not all arguments converted during string formatting")
			case !isInt:
				return math.Mod(math.Mod(x, 2)+2, 2) == float64(odd), nil
			}
			return n&1 == odd, nil
		}
	}
	Tests = map[string]Filter{
		"defined":   is(func(v any) bool { _, missing := v.(value.Undefined); return !missing }),
		"undefined": kind("Undefined"),
		"none":      is(func(v any) bool { return v == nil }),
		"string":    kind("str"), "mapping": kind("dict"), "boolean": kind("bool"), "integer": kind("int"), "float": kind("float"),
		"number":   kind("int", "float", "bool"),
		"sequence": kind("str", "list", "tuple", "dict", "Undefined"), "iterable": kind("str", "list", "tuple", "dict", "Undefined"),
		"callable": kind("function", "Macro"),
		"true":     is(func(v any) bool { return v == true }), "false": is(func(v any) bool { return v == false }),
		"odd": parity(1), "even": parity(0),
		"eq": compared("=="), "==": compared("=="), "equalto": compared("=="), "ne": compared("!="), "!=": compared("!="),
		"lt": compared("<"), "<": compared("<"), "lessthan": compared("<"), "le": compared("<="), "<=": compared("<="),
		"gt": compared(">"), ">": compared(">"), "greaterthan": compared(">"), "ge": compared(">="), ">=": compared(">="),
		"in": compared("in"),
		"sameas": func(q *value.Quota, v any, c value.Call) (any, error) {
			same, err := q.Equal(v, c.Arg(0, "", nil))
			return same && value.TypeName(v) == value.TypeName(c.Arg(0, "", nil)), err
		},
		"divisibleby": func(_ *value.Quota, v any, c value.Call) (any, error) {
			n, _, isInt, ok := value.Number(v)
			by, err := c.Int(0, "num", 1)
			if !ok || !isInt || err != nil || by == 0 {
				return nil, value.Failf("integer modulo by zero")
			}
			return n%by == 0, nil
		},
		"lower":  is(func(v any) bool { s, ok := v.(string); return ok && s == strings.ToLower(s) && s != strings.ToUpper(s) }),
		"upper":  is(func(v any) bool { s, ok := v.(string); return ok && s == strings.ToUpper(s) && s != strings.ToLower(s) }),
		"filter": is(func(v any) bool { s, ok := v.(string); return ok && Filters[s] != nil }),
		"test":   is(func(v any) bool { s, ok := v.(string); return ok && Tests[s] != nil }),
	}
}
