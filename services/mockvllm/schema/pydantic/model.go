package pydantic

import (
	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema/fault"
)

type typedDictNode struct{ shape }

func (n *typedDictNode) label() string { return n.name }

func (n *typedDictNode) validate(r *Run, in any) (any, bool) {
	o, ok := in.(*pyjson.Object)
	if !ok {
		return r.fail(fault.DictType, in)
	}
	if n.unfit(r, o) {
		return nil, false
	}
	out := make([]pyjson.Member, 0, min(o.Len(), len(n.fields)))
	count, good := n.each(r, o, in, fault.Missing, func(i int, v any, _ bool) {
		out = append(out, pyjson.Member{Key: n.fields[i].name, Value: v})
	})
	if !good && r.over() {
		return nil, false
	}
	r.addFieldsSet(count)
	if n.extra != "ignore" {
		good = n.extras(r, o, fault.ExtraForbidden, func(m pyjson.Member) { out = append(out, m) }) && good
	}
	if !good {
		return nil, false
	}
	return pyjson.NewObject(out...), true
}

// modelNode is a class around its fields, with validators of the model between the two.
type modelNode struct {
	name string
	of   node
}

func (n *modelNode) label() string { return n.name }

func (n *modelNode) validate(r *Run, in any) (any, bool) {
	if v, ok := in.(*Values); ok && v.shape.name == n.name { // an instance that a hook has made
		return v, true
	}
	r.floor(strict)
	return n.of.validate(r, in)
}

// modelFieldsNode makes the Values of a model.
type modelFieldsNode struct{ shape }

func (n *modelFieldsNode) label() string { return "model-fields" }

func (n *modelFieldsNode) validate(r *Run, in any) (any, bool) {
	o, ok := in.(*pyjson.Object)
	if !ok {
		return r.fail(fault.ModelAttributesType, in)
	}
	if n.unfit(r, o) {
		return nil, false
	}
	made := newValues(&n.shape, o.Len())
	count, good := n.each(r, o, in, fault.Missing, made.take)
	if !good && r.over() {
		return nil, false
	}
	if n.extra != "ignore" {
		if !n.plainKeys(r, o) {
			return nil, false
		}
		good = n.extras(r, o, fault.ExtraForbidden, made.addExtra) && good
	}
	if !good {
		return nil, false
	}
	r.addFieldsSet(count)
	return made, true
}

// plainKeys refuses a key that is no text: pydantic drops all other faults for that of the key, which has no place.
func (n *modelFieldsNode) plainKeys(r *Run, o *pyjson.Object) bool {
	for _, m := range o.Members() {
		if pyjson.HasSurrogate(m.Key) {
			r.fail(fault.StringUnicode, m.Key)
			return false
		}
	}
	return true
}

// dataclassNode is a dataclass around its arguments.
type dataclassNode struct {
	name string
	of   *dataclassArgsNode
	init Hook
}

func (n *dataclassNode) label() string { return n.name }

func (n *dataclassNode) validate(r *Run, in any) (any, bool) {
	out, ok := n.of.validate(r, in)
	if !ok {
		return nil, false
	}
	r.floor(strict)
	if n.init.After != nil {
		return n.init.After(r, in, out)
	}
	return out, true
}

type dataclassArgsNode struct{ shape }

func (n *dataclassArgsNode) label() string { return "dataclass-args[" + n.name + "]" }

func (n *dataclassArgsNode) validate(r *Run, in any) (any, bool) {
	o, ok := in.(*pyjson.Object)
	if !ok {
		return r.fail(fault.DataclassType.With(n.name), in, pyjson.Member{Key: "class_name", Value: n.name})
	}
	made := newValues(&n.shape, o.Len())
	count, good := n.each(r, o, in, fault.Missing, made.take)
	if !good && r.over() {
		return nil, false
	}
	if n.extra == "forbid" {
		good = n.extras(r, o, fault.UnexpectedKeyword, func(pyjson.Member) {}) && good
	}
	if !good {
		return nil, false
	}
	for _, f := range n.fields {
		if f.noInit {
			count++
		}
	}
	r.addFieldsSet(count)
	return made, true
}
