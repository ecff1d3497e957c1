package operators

import (
	"math"
	"strings"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/template/jinja/value"
)

// Holds is a op b, for the operators that compare.
func Holds(q *value.Quota, op string, a, b any) (bool, error) {
	switch op {
	case "==", "!=":
		same, err := q.Equal(a, b)
		return same == (op == "=="), err
	case "in", "not in":
		in, err := Contains(q, b, a)
		return in == (op == "in"), err
	}
	c, err := q.Compare(op, a, b)
	return err == nil && (op == "<" && c < 0 || op == "<=" && c <= 0 || op == ">" && c > 0 || op == ">=" && c >= 0), err
}

// Contains is "item in v".
func Contains(q *value.Quota, v, item any) (bool, error) {
	switch v := v.(type) {
	case value.Undefined:
		return false, nil
	case string:
		s, ok := item.(string)
		if !ok {
			return false, value.Failf("'in <string>' requires string as left operand, not %s", value.TypeName(item))
		}
		return strings.Contains(v, s), q.Charge(len(v))
	case *pyjson.Object:
		s, ok := item.(string)
		_, found := v.Get(s)
		return ok && found, nil
	}
	items, ok := value.Sequence(v)
	if !ok {
		return false, value.Failf("argument of type '%s' is not iterable", value.TypeName(v))
	}
	for _, x := range items {
		if same, err := q.Equal(x, item); same || err != nil {
			return same, err
		}
	}
	return false, nil
}

func concat(q *value.Quota, a, b any) (any, error) {
	x, err := q.Str(a)
	if err != nil {
		return nil, err
	}
	y, err := q.Str(b)
	if err != nil {
		return nil, err
	}
	if err := q.Charge(len(x) + len(y)); err != nil {
		return nil, err
	}
	return x + y, nil
}

func add(q *value.Quota, a, b any) (any, error) {
	if x, ok := a.(string); ok {
		y, ok := b.(string)
		if !ok {
			return nil, value.Failf("can only concatenate str (not \"%s\") to str", value.TypeName(b))
		}
		if err := q.Charge(len(x) + len(y)); err != nil {
			return nil, err
		}
		return x + y, nil
	}
	x, ok1 := value.Sequence(a)
	y, ok2 := value.Sequence(b)
	if ok1 && ok2 && value.TypeName(a) == value.TypeName(b) {
		if err := q.Charge(16 * (len(x) + len(y))); err != nil {
			return nil, err
		}
		joined := append(append(make([]any, 0, len(x)+len(y)), x...), y...)
		if value.TypeName(a) == "tuple" {
			return value.Tuple(joined), nil
		}
		return joined, nil
	}
	if ok1 {
		return nil, value.Failf("can only concatenate %s (not \"%s\") to %s", value.TypeName(a), value.TypeName(b), value.TypeName(a))
	}
	return nil, value.Failf("unsupported operand type(s) for +: '%s' and '%s'", value.TypeName(a), value.TypeName(b))
}

func repeat(q *value.Quota, v any, n int64) (any, error) {
	n = max(n, 0)
	var size int64
	s, isString := v.(string)
	items, isList := v.([]any)
	if isString {
		size = int64(len(s))
	} else if isList {
		size = 16 * int64(len(items))
	} else {
		return nil, value.Failf("can't multiply sequence by non-int of type '%s'", value.TypeName(v))
	}
	if n > value.MaxBuilt {
		return nil, value.ErrTooMuch
	}
	if err := q.Charge(int(size * n)); err != nil {
		return nil, err
	}
	if isString {
		return strings.Repeat(s, int(n)), nil
	}
	var out []any
	for range n {
		out = append(out, items...)
	}
	return out, nil
}

func intOp(op string, i, j int64) (any, error) {
	switch op {
	case "+":
		return i + j, nil
	case "-":
		return i - j, nil
	case "*":
		return i * j, nil
	case "**":
		if j >= 0 {
			if p := math.Pow(float64(i), float64(j)); math.Abs(p) < 1<<53 {
				return int64(p), nil
			}
			return nil, value.Failf("the number is too large")
		}
		return math.Pow(float64(i), float64(j)), nil
	}
	if j == 0 {
		return nil, value.Failf("integer division or modulo by zero")
	}
	q, r := i/j, i%j
	if r != 0 && (r < 0) != (j < 0) {
		q, r = q-1, r+j
	}
	if op == "//" {
		return q, nil
	}
	return r, nil
}

func floatOp(op string, x, y float64) (any, error) {
	switch op {
	case "+":
		return x + y, nil
	case "-":
		return x - y, nil
	case "*":
		return x * y, nil
	case "**":
		return math.Pow(x, y), nil
	}
	if y == 0 {
		if op == "/" {
			return nil, value.Failf("division by zero")
		}
		return nil, value.Failf("float floor division by zero")
	}
	switch op {
	case "/":
		return x / y, nil
	case "//":
		return math.Floor(x / y), nil
	}
	r := math.Mod(x, y)
	if r != 0 && (r < 0) != (y < 0) {
		r += y
	}
	return r, nil
}

// Sign is +v or -v.
func Sign(negate bool, v any) (any, error) {
	i, x, isInt, ok := value.Number(v)
	switch {
	case !ok:
		if err := value.Usable(v); err != nil {
			return nil, err
		}
		return nil, value.Failf("bad operand type for unary -: '%s'", value.TypeName(v))
	case !negate:
		return value.Plain(v), nil
	case isInt:
		return -i, nil
	}
	return -x, nil
}

// Binary is a op b, for the operators that make a value.
func Binary(q *value.Quota, op string, a, b any) (any, error) {
	if op == "~" {
		return concat(q, a, b)
	}
	if err := value.Usable(a, b); err != nil {
		return nil, err
	}
	i, x, isInt, ok1 := value.Number(a)
	j, y, alsoInt, ok2 := value.Number(b)
	switch {
	case ok1 && ok2 && isInt && alsoInt && op != "/":
		return intOp(op, i, j)
	case ok1 && ok2:
		return floatOp(op, x, y)
	case op == "+":
		return add(q, a, b)
	case op == "*" && ok2 && alsoInt:
		return repeat(q, a, j)
	case op == "*" && ok1 && isInt:
		return repeat(q, b, i)
	case op == "%" && value.TypeName(a) == "str":
		args, ok := b.(value.Tuple)
		if !ok {
			args = value.Tuple{b}
		}
		return Printf(q, a.(string), args)
	}
	return nil, value.Failf("unsupported operand type(s) for %s: '%s' and '%s'", op, value.TypeName(a), value.TypeName(b))
}
