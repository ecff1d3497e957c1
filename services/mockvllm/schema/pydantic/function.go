package pydantic

import (
	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema/fault"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema/refusal"
)

// Hook is a validator function of vLLM's or of a library's. Either part may be nil.
type Hook struct {
	Before func(r *Run, in any) (any, bool)      // makes what the schema gets
	After  func(r *Run, in, out any) (any, bool) // makes of what the schema gave what is handed on
	Raises bool                                  // it can raise what no union catches
}

type functionNode struct {
	kind, name string
	hook       Hook
	of         node // nil for a plain function
}

func (n *functionNode) label() string {
	s := n.kind + "[" + n.name + "()"
	if n.of != nil && n.kind != "function-wrap" {
		s += ", " + n.of.label()
	}
	return s + "]"
}

func (n *functionNode) validate(r *Run, in any) (any, bool) {
	given := in
	if n.hook.Before != nil {
		out, ok := n.hook.Before(r, in)
		if !ok {
			return nil, false
		}
		given = out
	}
	out, ok := given, true
	if n.of != nil {
		out, ok = n.of.validate(r, given)
	}
	if !ok || n.hook.After == nil {
		return out, ok
	}
	return n.hook.After(r, in, out)
}

// OnObject makes a hook that looks at the object before the schema does, and lets everything else through.
func OnObject(look func(o *pyjson.Object) *refusal.Error) Hook {
	return Hook{Raises: true, Before: func(r *Run, in any) (any, bool) {
		if o, ok := in.(*pyjson.Object); ok {
			if err := look(o); err != nil {
				return r.Raise(err)
			}
		}
		return in, true
	}}
}

// OnModel makes a hook that looks at the finished model.
func OnModel(look func(v *Values) *refusal.Error) Hook {
	return Hook{Raises: true, After: func(r *Run, _, out any) (any, bool) {
		if v, ok := out.(*Values); ok {
			if err := look(v); err != nil {
				return r.Raise(err)
			}
		}
		return out, true
	}}
}

// FailValue reports a ValueError of a function's.
func (r *Run) FailValue(in any, msg string) (any, bool) {
	return r.fail(fault.ValueError(msg), in, pyjson.Member{Key: "error", Value: fault.Raw("ValueError(" + pyjson.Repr(msg) + ")")})
}

// SequenceValidator is pydantic's sequence_validator: a text is a Sequence, but not wanted as one.
func SequenceValidator(r *Run, in any) (any, bool) {
	if _, ok := in.(string); ok {
		return r.fail(fault.SequenceStr, in, pyjson.Member{Key: "type_name", Value: "str"})
	}
	return in, true
}

// AtLeastOne is pydantic's min_length_validator, for what is no list to it.
func AtLeastOne(r *Run, in, out any) (any, bool) {
	if list, _ := out.([]any); len(list) == 0 {
		return r.fail(fault.TooShort.Lengths("Value", 1, 0), in, lengths("min_length", "Value", 1, 0)...)
	}
	return out, true
}

// Items validates the items of a list that was taken as it is. Pydantic's error comes out as faults of the run.
func (r *Run) Items(it *Iterator) ([]any, bool) {
	list, faults, err := it.items()
	switch {
	case err != nil:
		r.raised = err
		return nil, false
	case faults != nil:
		for _, f := range faults {
			r.add(f)
		}
		return nil, false
	}
	return list, true
}
