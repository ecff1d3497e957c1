package schema

import (
	"strings"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
)

// hook is a validator function of vLLM's or of a library's. Either part may be nil.
type hook struct {
	before func(r *run, in any) (any, bool)      // makes what the schema gets
	after  func(r *run, in, out any) (any, bool) // makes of what the schema gave what is handed on
	raises bool                                  // it can raise what no union catches
}

// hookOf finds a function by its name, or by the part behind the class where many classes have it.
func hookOf(name string) hook {
	if h, ok := hooks[name]; ok {
		return h
	}
	_, method, _ := strings.Cut(name, ".")
	return hooks[method]
}

type functionNode struct {
	kind, name string
	hook       hook
	of         node // nil for a plain function
}

func (n *functionNode) label() string {
	s := n.kind + "[" + n.name + "()"
	if n.of != nil && n.kind != "function-wrap" {
		s += ", " + n.of.label()
	}
	return s + "]"
}

func (n *functionNode) validate(r *run, in any) (any, bool) {
	given := in
	if n.hook.before != nil {
		out, ok := n.hook.before(r, in)
		if !ok {
			return nil, false
		}
		given = out
	}
	out, ok := given, true
	if n.of != nil {
		out, ok = n.of.validate(r, given)
	}
	if !ok || n.hook.after == nil {
		return out, ok
	}
	return n.hook.after(r, in, out)
}

// on makes a hook that looks at the object before the schema does, and lets everything else through.
func on(look func(o *pyjson.Object) *Error) hook {
	return hook{raises: true, before: func(r *run, in any) (any, bool) {
		if o, ok := in.(*pyjson.Object); ok {
			if err := look(o); err != nil {
				return r.raise(err)
			}
		}
		return in, true
	}}
}

// of makes a hook that looks at the finished model.
func of(look func(v *Values) *Error) hook {
	return hook{raises: true, after: func(r *run, _, out any) (any, bool) {
		if v, ok := out.(*Values); ok {
			if err := look(v); err != nil {
				return r.raise(err)
			}
		}
		return out, true
	}}
}

// failValue reports a ValueError of a function's.
func (r *run) failValue(in any, msg string) (any, bool) {
	return r.fail(valueError(msg), in, pyjson.Member{Key: "error", Value: raw("ValueError(" + pyjson.Repr(msg) + ")")})
}
