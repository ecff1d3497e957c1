package jinja

import (
	"strings"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
)

var tests map[string]filter

func init() { // "filter" and "test" look into the tables
	is := func(f func(v any) bool) filter {
		return func(_ *frame, v any, _ call) (any, error) { return f(v), nil }
	}
	compared := func(op string) filter {
		return func(f *frame, v any, c call) (any, error) { return f.holds(op, v, c.arg(0, "", nil)) }
	}
	kind := func(names ...string) filter { return is(func(v any) bool { return contains(names, typeName(v)) }) }
	parity := func(odd int64) filter {
		return func(_ *frame, v any, _ call) (any, error) {
			n, _, isInt, ok := number(v)
			if !ok || !isInt {
				return nil, failf("not all arguments converted during string formatting")
			}
			return n&1 == odd, nil
		}
	}
	tests = map[string]filter{
		"defined":   is(func(v any) bool { _, missing := v.(undefined); return !missing }),
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
		"sameas": func(f *frame, v any, c call) (any, error) {
			same, err := f.equal(v, c.arg(0, "", nil))
			return same && typeName(v) == typeName(c.arg(0, "", nil)), err
		},
		"divisibleby": func(_ *frame, v any, c call) (any, error) {
			n, _, isInt, ok := number(v)
			by, err := c.int(0, "num", 1)
			if !ok || !isInt || err != nil || by == 0 {
				return nil, failf("integer modulo by zero")
			}
			return n%by == 0, nil
		},
		"lower":  is(func(v any) bool { s, ok := v.(string); return ok && s == strings.ToLower(s) && s != strings.ToUpper(s) }),
		"upper":  is(func(v any) bool { s, ok := v.(string); return ok && s == strings.ToUpper(s) && s != strings.ToLower(s) }),
		"filter": is(func(v any) bool { s, ok := v.(string); return ok && filters[s] != nil }),
		"test":   is(func(v any) bool { s, ok := v.(string); return ok && tests[s] != nil }),
	}
}

var globals = map[string]any{
	"range": function(rangeOf),
	"dict":  function(func(f *frame, c call) (any, error) { return newDict(f, c) }),
	"namespace": function(func(f *frame, c call) (any, error) {
		o, err := newDict(f, c)
		return &namespace{o}, err
	}),
	"raise_exception": function(func(f *frame, c call) (any, error) {
		s, err := f.str(c.arg(0, "message", nil))
		if err != nil {
			return nil, err
		}
		return nil, &Error{s}
	}),
	"strftime_now": function(func(f *frame, c call) (any, error) {
		format, err := c.text(0, "format", "")
		if err != nil {
			return nil, err
		}
		return strftime(format), f.charge(16 * len(format))
	}),
}

// newDict is dict(mapping, key=value, ...).
func newDict(f *frame, c call) (*pyjson.Object, error) {
	o := &pyjson.Object{}
	if from, ok := c.arg(0, "", nil).(*pyjson.Object); ok && len(c.args) > 0 {
		o = from.Clone()
	}
	for k, v := range c.named.All() {
		o.Set(k, v)
	}
	return o, f.charge(64 * (1 + o.Len()))
}

func rangeOf(f *frame, c call) (any, error) {
	start, stop, step := int64(0), int64(0), int64(1)
	for i, to := range [][]*int64{{}, {&stop}, {&start, &stop}, {&start, &stop, &step}}[min(len(c.args), 3)] {
		n, err := c.int(i, "", 0)
		if err != nil {
			return nil, err
		}
		*to = n
	}
	if step == 0 {
		return nil, failf("range() arg 3 must not be zero")
	}
	out := []any{}
	for i := start; step > 0 && i < stop || step < 0 && i > stop; i += step {
		if len(out) >= maxRange {
			return nil, failf("Range too big. The sandbox blocks ranges larger than MAX_RANGE (%d).", maxRange)
		}
		out = append(out, i)
	}
	return out, f.charge(32 * len(out))
}
