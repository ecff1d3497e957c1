package jinja

import (
	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/template/jinja/builtin"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/template/jinja/operators"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/template/jinja/syntax"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/template/jinja/value"
)

// eval is the value of an expression.
func (f *frame) eval(e syntax.Expr) (any, error) {
	switch e := e.(type) {
	case syntax.Const:
		return e.Value, nil
	case syntax.Name:
		return f.name(e)
	case syntax.Captured:
		return f.captured, nil
	case *syntax.List:
		return f.list(e)
	case *syntax.Dict:
		return f.dict(e)
	case *syntax.Attr:
		v, err := f.eval(e.Value)
		if err != nil {
			return nil, err
		}
		return operators.Attr(f.Quota, v, e.Name)
	case *syntax.Item:
		v, key, err := f.two(e.Value, e.Key)
		if err != nil {
			return nil, err
		}
		return operators.Item(f.Quota, v, key)
	case *syntax.Slice:
		return f.slice(e)
	case *syntax.Call:
		return f.call(e, nil)
	case *syntax.Filter:
		return f.apply(e.Value, builtin.Filters[e.Name], &e.Args)
	case *syntax.Test:
		return f.apply(e.Value, builtin.Tests[e.Name], &e.Args)
	}
	return f.operation(e)
}

// operation is the value of an expression with an operator.
func (f *frame) operation(e syntax.Expr) (any, error) {
	switch e := e.(type) {
	case *syntax.Cond:
		return f.cond(e)
	case *syntax.Logic:
		return f.logic(e)
	case *syntax.Not:
		v, err := f.eval(e.Value)
		return !value.Truthy(v), err
	case *syntax.Compare:
		return f.compare(e)
	case *syntax.Binary:
		a, b, err := f.two(e.Left, e.Right)
		if err != nil {
			return nil, err
		}
		return operators.Binary(f.Quota, e.Op, a, b)
	case *syntax.Unary:
		v, err := f.eval(e.Value)
		if err != nil {
			return nil, err
		}
		return operators.Sign(e.Negate, v)
	}
	return nil, value.Failf("BUG: no expression %T", e)
}

// two are the values of two expressions, the first one first.
func (f *frame) two(left, right syntax.Expr) (a, b any, err error) {
	if a, err = f.eval(left); err == nil {
		b, err = f.eval(right)
	}
	return a, b, err
}

func (f *frame) name(e syntax.Name) (any, error) {
	if v, ok := f.scope.get(string(e)); ok {
		return value.Plain(v), f.Step()
	}
	if v, ok := builtin.Globals[string(e)]; ok {
		return v, nil
	}
	return value.Undefined{Message: "'" + string(e) + "' is undefined"}, nil
}

func (f *frame) all(list []syntax.Expr) ([]any, error) {
	out := make([]any, len(list))
	for i, e := range list {
		v, err := f.eval(e)
		if err != nil {
			return nil, err
		}
		out[i] = v
	}
	return out, f.Charge(16 * len(list))
}

func (f *frame) list(e *syntax.List) (any, error) {
	items, err := f.all(e.Items)
	if e.IsTuple {
		return value.Tuple(items), err
	}
	return items, err
}

func (f *frame) dict(e *syntax.Dict) (any, error) {
	o := &pyjson.Object{}
	for i := range e.Keys {
		k, err := f.eval(e.Keys[i])
		if err != nil {
			return nil, err
		}
		v, err := f.eval(e.Values[i])
		if err != nil {
			return nil, err
		}
		key, ok := k.(string)
		if !ok {
			return nil, value.Failf("only strings are supported as keys, not '%s'", value.TypeName(k))
		}
		o.Set(key, v)
	}
	return o, f.Charge(64 * (1 + len(e.Keys)))
}

func (f *frame) args(a *syntax.Arguments) (value.Call, error) {
	list, err := f.all(a.List)
	c := value.Call{Args: list}
	if len(a.Names) == 0 || err != nil {
		return c, err
	}
	c.Named = &pyjson.Object{}
	for i, name := range a.Names {
		v, err := f.eval(a.Named[i])
		if err != nil {
			return c, err
		}
		c.Named.Set(name, v)
	}
	return c, nil
}

func (f *frame) call(e *syntax.Call, caller any) (any, error) {
	fn, err := f.eval(e.Fn)
	if err != nil {
		return nil, err
	}
	c, err := f.args(&e.Args)
	if err != nil {
		return nil, err
	}
	c.Caller = caller
	switch fn := fn.(type) {
	case value.Function:
		return fn(f.Quota, c)
	case *value.Macro:
		return fn.Call(f.Quota, c)
	case value.Undefined:
		return nil, &value.Error{Message: fn.Message}
	}
	return nil, value.Failf("'%s' object is not callable", value.TypeName(fn))
}

func (f *frame) apply(operand syntax.Expr, fn builtin.Filter, args *syntax.Arguments) (any, error) {
	v, err := f.eval(operand)
	if err != nil {
		return nil, err
	}
	c, err := f.args(args)
	if err != nil {
		return nil, err
	}
	if err := f.Step(); err != nil {
		return nil, err
	}
	return fn(f.Quota, v, c)
}

func (f *frame) slice(e *syntax.Slice) (any, error) {
	v, err := f.eval(e.Value)
	if err != nil {
		return nil, err
	}
	var bounds [3]*int64
	for i, part := range e.Parts {
		if part == nil {
			continue
		}
		b, err := f.eval(part)
		if err != nil {
			return nil, err
		}
		if b == nil {
			continue
		}
		n, _, isInt, ok := value.Number(b)
		if !ok || !isInt {
			return nil, value.Failf("slice indices must be integers or None or have an __index__ method")
		}
		bounds[i] = &n
	}
	return operators.Slice(f.Quota, v, bounds)
}

func (f *frame) cond(e *syntax.Cond) (any, error) {
	v, err := f.eval(e.Cond)
	if err != nil {
		return nil, err
	}
	switch {
	case value.Truthy(v):
		return f.eval(e.Then)
	case e.Other != nil:
		return f.eval(e.Other)
	}
	return value.Undefined{Message: "the inline if-expression evaluated to false and no else section was defined."}, nil
}

func (f *frame) logic(e *syntax.Logic) (any, error) {
	v, err := f.eval(e.Left)
	if err != nil || value.Truthy(v) == e.Or {
		return v, err
	}
	return f.eval(e.Right)
}

func (f *frame) compare(e *syntax.Compare) (any, error) {
	left, err := f.eval(e.First)
	if err != nil {
		return nil, err
	}
	for i, op := range e.Ops {
		right, err := f.eval(e.Rest[i])
		if err != nil {
			return nil, err
		}
		if ok, err := operators.Holds(f.Quota, op, left, right); !ok || err != nil {
			return false, err
		}
		left = right
	}
	return true, nil
}
