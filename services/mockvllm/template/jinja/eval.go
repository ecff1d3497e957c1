package jinja

import (
	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
)

type expr interface{ eval(f *frame) (any, error) }

type (
	constExpr struct{ value any }
	nameExpr  string
	captured  struct{} // what a filter block has caught
	listExpr  struct {
		items   []expr
		isTuple bool
	}
	dictExpr struct{ keys, values []expr }
	attrExpr struct {
		value expr
		name  string
	}
	itemExpr  struct{ value, key expr }
	sliceExpr struct {
		value expr
		parts [3]expr
	}
	arguments struct {
		list  []expr
		names []string
		named []expr
	}
	callExpr struct {
		fn   expr
		args arguments
	}
	filterExpr struct {
		value expr
		name  string
		fn    filter
		args  arguments
	}
	testExpr struct {
		value expr
		fn    filter
		args  arguments
	}
	condExpr  struct{ then, cond, other expr }
	logicExpr struct {
		left, right expr
		or          bool
	}
	notExpr     struct{ value expr }
	compareExpr struct {
		first expr
		ops   []string
		rest  []expr
	}
	binaryExpr struct {
		op          string
		left, right expr
	}
	unaryExpr struct {
		negate bool
		value  expr
	}
)

func (e constExpr) eval(*frame) (any, error) { return e.value, nil }
func (captured) eval(f *frame) (any, error)  { return f.captured, nil }

func (e nameExpr) eval(f *frame) (any, error) {
	if v, ok := f.scope.get(string(e)); ok {
		return plain(v), f.step()
	}
	if v, ok := globals[string(e)]; ok {
		return v, nil
	}
	return undefined{"'" + string(e) + "' is undefined"}, nil
}

func evalAll(f *frame, list []expr) ([]any, error) {
	out := make([]any, len(list))
	for i, e := range list {
		v, err := e.eval(f)
		if err != nil {
			return nil, err
		}
		out[i] = v
	}
	return out, f.charge(16 * len(list))
}

func (e *listExpr) eval(f *frame) (any, error) {
	items, err := evalAll(f, e.items)
	if e.isTuple {
		return tuple(items), err
	}
	return items, err
}

func (e *dictExpr) eval(f *frame) (any, error) {
	o := &pyjson.Object{}
	for i := range e.keys {
		k, err := e.keys[i].eval(f)
		if err != nil {
			return nil, err
		}
		v, err := e.values[i].eval(f)
		if err != nil {
			return nil, err
		}
		key, ok := k.(string)
		if !ok {
			return nil, failf("only strings are supported as keys, not '%s'", typeName(k))
		}
		o.Set(key, v)
	}
	return o, f.charge(64 * (1 + len(e.keys)))
}

func (a *arguments) eval(f *frame) (call, error) {
	list, err := evalAll(f, a.list)
	c := call{args: list}
	if len(a.names) == 0 || err != nil {
		return c, err
	}
	c.named = &pyjson.Object{}
	for i, name := range a.names {
		v, err := a.named[i].eval(f)
		if err != nil {
			return c, err
		}
		c.named.Set(name, v)
	}
	return c, nil
}

func (e *callExpr) eval(f *frame) (any, error) { return e.call(f, nil) }

func (e *callExpr) call(f *frame, caller any) (any, error) {
	fn, err := e.fn.eval(f)
	if err != nil {
		return nil, err
	}
	c, err := e.args.eval(f)
	if err != nil {
		return nil, err
	}
	c.caller = caller
	switch fn := fn.(type) {
	case function:
		return fn(f, c)
	case *macro:
		return fn.call(f, c)
	case undefined:
		return nil, &Error{fn.message}
	}
	return nil, failf("'%s' object is not callable", typeName(fn))
}

func (e *filterExpr) eval(f *frame) (any, error) { return apply(f, e.value, e.fn, &e.args) }
func (e *testExpr) eval(f *frame) (any, error)   { return apply(f, e.value, e.fn, &e.args) }

func apply(f *frame, value expr, fn filter, args *arguments) (any, error) {
	v, err := value.eval(f)
	if err != nil {
		return nil, err
	}
	c, err := args.eval(f)
	if err != nil {
		return nil, err
	}
	if err := f.step(); err != nil {
		return nil, err
	}
	return fn(f, v, c)
}
