package pydantic

import (
	"slices"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema/fault"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema/node"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema/refusal"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema/values"
)

// Hook is a validator function of vLLM's or of a library's. Either part may be nil.
type Hook struct {
	Before func(r *node.Run, in any) (any, bool)      // makes what the schema gets
	After  func(r *node.Run, in, out any) (any, bool) // makes of what the schema gave what is handed on
	Raises bool                                       // it can raise what no union catches
}

type functionNode struct {
	kind, name string
	hook       Hook
	of         node.Node // nil for a plain function
}

func (n *functionNode) Label() string {
	s := n.kind + "[" + n.name + "()"
	if n.of != nil && n.kind != "function-wrap" {
		s += ", " + n.of.Label()
	}
	return s + "]"
}

// Validate goes through functions around functions in a loop: a model may have a dozen of them.
func (n *functionNode) Validate(r *node.Run, in any) (any, bool) {
	type later struct {
		after func(r *node.Run, in, out any) (any, bool)
		in    any
	}
	var room [4]later
	afters := room[:0]
	out, ok := in, false
	for next := n; next != nil; {
		if next.hook.After != nil {
			afters = append(afters, later{next.hook.After, out})
		}
		if next.hook.Before != nil {
			if out, ok = next.hook.Before(r, out); !ok {
				return nil, false
			}
		}
		inner, is := next.of.(*functionNode)
		if !is && next.of != nil {
			if out, ok = next.of.Validate(r, out); !ok {
				return nil, false
			}
		}
		next = inner
	}
	for _, f := range slices.Backward(afters) {
		if out, ok = f.after(r, f.in, out); !ok {
			return nil, false
		}
	}
	return out, true
}

// OnObject makes a hook that looks at the object before the schema does, and lets everything else through.
func OnObject(look func(o *pyjson.Object) *refusal.Error) Hook {
	return Hook{Raises: true, Before: func(r *node.Run, in any) (any, bool) {
		if o, ok := in.(*pyjson.Object); ok {
			if err := look(o); err != nil {
				return r.Raise(err)
			}
		}
		return in, true
	}}
}

// OnModel makes a hook that looks at the finished model.
func OnModel(look func(v *values.Values) *refusal.Error) Hook {
	return Hook{Raises: true, After: func(r *node.Run, _, out any) (any, bool) {
		if v, ok := out.(*values.Values); ok {
			if err := look(v); err != nil {
				return r.Raise(err)
			}
		}
		return out, true
	}}
}

// SequenceValidator is pydantic's sequence_validator: a text is a Sequence, but not wanted as one.
func SequenceValidator(r *node.Run, in any) (any, bool) {
	if _, ok := in.(string); ok {
		return r.Fail(fault.SequenceStr, in, pyjson.Member{Key: "type_name", Value: "str"})
	}
	return in, true
}

// AtLeastOne is pydantic's min_length_validator, for what is no list to it.
func AtLeastOne(r *node.Run, in, out any) (any, bool) {
	if list, _ := out.([]any); len(list) == 0 {
		return r.Fail(fault.TooShort.Lengths("Value", 1, 0), in, lengths("min_length", "Value", 1, 0)...)
	}
	return out, true
}
