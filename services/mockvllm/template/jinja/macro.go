package jinja

import (
	"slices"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/template/jinja/syntax"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/template/jinja/value"
)

// newMacro is a macro as written with the variables around it.
func newMacro(def *syntax.Signature, around *scope) *value.Macro {
	return &value.Macro{Name: def.Name, Call: func(q *value.Quota, c value.Call) (any, error) {
		if err := q.Enter(); err != nil {
			return nil, err
		}
		defer q.Leave()
		var out []byte
		in := &frame{Quota: q, scope: &scope{parent: around}, out: &out}
		if err := in.bind(def, c); err != nil {
			return nil, err
		}
		err := in.run(def.Body)
		return string(out), err
	}}
}

// bind makes variables of what a macro is called with.
func (f *frame) bind(def *syntax.Signature, c value.Call) error {
	if c.Caller != nil {
		f.scope.set("caller", c.Caller)
	}
	if len(c.Args) > len(def.Params) {
		return value.Failf("macro '%s' takes not more than %d argument(s)", def.Name, len(def.Params))
	}
	for i, name := range def.Params {
		v, ok := any(nil), i < len(c.Args)
		if ok {
			v = c.Args[i]
		} else if v, ok = c.Named.Get(name); !ok {
			v = value.Undefined{Message: "parameter '" + name + "' was not provided"}
			if d := i - len(def.Params) + len(def.Defaults); d >= 0 {
				var err error
				if v, err = f.eval(def.Defaults[d]); err != nil {
					return err
				}
			}
		}
		f.scope.set(name, v)
	}
	for key := range c.Named.All() {
		if !slices.Contains(def.Params, key) {
			return value.Failf("macro '%s' takes no keyword argument '%s'", def.Name, key)
		}
	}
	return nil
}
