package jinja

import (
	"math"
	"strings"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
)

func (e *condExpr) eval(f *frame) (any, error) {
	v, err := e.cond.eval(f)
	if err != nil {
		return nil, err
	}
	switch {
	case truthy(v):
		return e.then.eval(f)
	case e.other != nil:
		return e.other.eval(f)
	}
	return undefined{"the inline if-expression evaluated to false and no else section was defined."}, nil
}

func (e *logicExpr) eval(f *frame) (any, error) {
	v, err := e.left.eval(f)
	if err != nil || truthy(v) == e.or {
		return v, err
	}
	return e.right.eval(f)
}

func (e *notExpr) eval(f *frame) (any, error) {
	v, err := e.value.eval(f)
	return !truthy(v), err
}

func (e *compareExpr) eval(f *frame) (any, error) {
	left, err := e.first.eval(f)
	if err != nil {
		return nil, err
	}
	for i, op := range e.ops {
		right, err := e.rest[i].eval(f)
		if err != nil {
			return nil, err
		}
		if ok, err := f.holds(op, left, right); !ok || err != nil {
			return false, err
		}
		left = right
	}
	return true, nil
}

func (f *frame) holds(op string, a, b any) (bool, error) {
	switch op {
	case "==", "!=":
		same, err := f.equal(a, b)
		return same == (op == "=="), err
	case "in", "not in":
		in, err := f.contains(b, a)
		return in == (op == "in"), err
	}
	c, err := f.compare(op, a, b)
	return err == nil && (op == "<" && c < 0 || op == "<=" && c <= 0 || op == ">" && c > 0 || op == ">=" && c >= 0), err
}

// contains is "item in v".
func (f *frame) contains(v, item any) (bool, error) {
	switch v := v.(type) {
	case undefined:
		return false, nil
	case string:
		s, ok := item.(string)
		if !ok {
			return false, failf("'in <string>' requires string as left operand, not %s", typeName(item))
		}
		return strings.Contains(v, s), f.charge(len(v))
	case *pyjson.Object:
		s, ok := item.(string)
		_, found := v.Get(s)
		return ok && found, nil
	}
	items, ok := sequence(v)
	if !ok {
		return false, failf("argument of type '%s' is not iterable", typeName(v))
	}
	for _, x := range items {
		if same, err := f.equal(x, item); same || err != nil {
			return same, err
		}
	}
	return false, nil
}

func (e *unaryExpr) eval(f *frame) (any, error) {
	v, err := e.value.eval(f)
	if err != nil {
		return nil, err
	}
	i, x, isInt, ok := number(v)
	switch {
	case !ok:
		if err := usable(v); err != nil {
			return nil, err
		}
		return nil, failf("bad operand type for unary -: '%s'", typeName(v))
	case !e.negate:
		return plain(v), nil
	case isInt:
		return -i, nil
	}
	return -x, nil
}

func (e *binaryExpr) eval(f *frame) (any, error) {
	a, err := e.left.eval(f)
	if err != nil {
		return nil, err
	}
	b, err := e.right.eval(f)
	if err != nil {
		return nil, err
	}
	if e.op == "~" {
		return f.concat(a, b)
	}
	if err := usable(a, b); err != nil {
		return nil, err
	}
	i, x, isInt, ok1 := number(a)
	j, y, alsoInt, ok2 := number(b)
	switch {
	case ok1 && ok2 && isInt && alsoInt && e.op != "/":
		return intOp(e.op, i, j)
	case ok1 && ok2:
		return floatOp(e.op, x, y)
	case e.op == "+":
		return f.add(a, b)
	case e.op == "*" && ok2 && alsoInt:
		return f.repeat(a, j)
	case e.op == "*" && ok1 && isInt:
		return f.repeat(b, i)
	case e.op == "%" && typeName(a) == "str":
		args, ok := b.(tuple)
		if !ok {
			args = tuple{b}
		}
		return f.printf(a.(string), args)
	}
	return nil, failf("unsupported operand type(s) for %s: '%s' and '%s'", e.op, typeName(a), typeName(b))
}

func (f *frame) concat(a, b any) (any, error) {
	x, err := f.str(a)
	if err != nil {
		return nil, err
	}
	y, err := f.str(b)
	if err != nil {
		return nil, err
	}
	if err := f.charge(len(x) + len(y)); err != nil {
		return nil, err
	}
	return x + y, nil
}

func (f *frame) add(a, b any) (any, error) {
	if x, ok := a.(string); ok {
		y, ok := b.(string)
		if !ok {
			return nil, failf("can only concatenate str (not \"%s\") to str", typeName(b))
		}
		if err := f.charge(len(x) + len(y)); err != nil {
			return nil, err
		}
		return x + y, nil
	}
	x, ok1 := sequence(a)
	y, ok2 := sequence(b)
	if ok1 && ok2 && typeName(a) == typeName(b) {
		if err := f.charge(16 * (len(x) + len(y))); err != nil {
			return nil, err
		}
		joined := append(append(make([]any, 0, len(x)+len(y)), x...), y...)
		if typeName(a) == "tuple" {
			return tuple(joined), nil
		}
		return joined, nil
	}
	if ok1 {
		return nil, failf("can only concatenate %s (not \"%s\") to %s", typeName(a), typeName(b), typeName(a))
	}
	return nil, failf("unsupported operand type(s) for +: '%s' and '%s'", typeName(a), typeName(b))
}

func (f *frame) repeat(v any, n int64) (any, error) {
	n = max(n, 0)
	var size int64
	s, isString := v.(string)
	items, isList := v.([]any)
	if isString {
		size = int64(len(s))
	} else if isList {
		size = 16 * int64(len(items))
	} else {
		return nil, failf("can't multiply sequence by non-int of type '%s'", typeName(v))
	}
	if n > maxBuilt {
		return nil, ErrTooMuch
	}
	if err := f.charge(int(size * n)); err != nil {
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
			return nil, failf("the number is too large")
		}
		return math.Pow(float64(i), float64(j)), nil
	}
	if j == 0 {
		return nil, failf("integer division or modulo by zero")
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
			return nil, failf("division by zero")
		}
		return nil, failf("float floor division by zero")
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
