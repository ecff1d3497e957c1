package pydantic

import (
	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema/fault"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema/node"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema/values"
)

type typedDictNode struct{ shape }

func (n *typedDictNode) Label() string { return n.class.Name }

func (n *typedDictNode) Validate(r *node.Run, in any) (any, bool) {
	o, ok := in.(*pyjson.Object)
	if !ok {
		return r.Fail(fault.DictType, in)
	}
	if n.unfit(r, o) {
		return nil, false
	}
	var room [4]pyjson.Member
	out := room[:0]
	count, good := n.each(r, o, in, fault.Missing, func(i int, v any, _ bool) {
		out = append(out, pyjson.Member{Key: n.fields[i].name, Value: v})
	})
	if !good && r.Over() {
		return nil, false
	}
	r.AddFieldsSet(count)
	if n.extra != "ignore" && !n.all(o, count) {
		good = n.extras(r, o, fault.ExtraForbidden, func(m pyjson.Member) { out = append(out, m) }) && good
	}
	if !good {
		return nil, false
	}
	return pyjson.CopyObject(out), true
}

// modelNode is a class around its fields, with validators of the model between the two.
type modelNode struct {
	name string
	of   node.Node
}

func (n *modelNode) Label() string { return n.name }

func (n *modelNode) Validate(r *node.Run, in any) (any, bool) {
	if v, ok := in.(*values.Values); ok && v.Model() == n.name { // an instance that a hook has made
		return v, true
	}
	r.Floor(node.Strict)
	return n.of.Validate(r, in)
}

// modelFieldsNode makes the Values of a model.
type modelFieldsNode struct{ shape }

func (n *modelFieldsNode) Label() string { return "model-fields" }

func (n *modelFieldsNode) Validate(r *node.Run, in any) (any, bool) {
	o, ok := in.(*pyjson.Object)
	switch {
	case !ok && r.Plain:
		return r.Fail(fault.ModelType.With(n.class.Name), in)
	case !ok:
		return r.Fail(fault.ModelAttributesType, in)
	}
	if n.unfit(r, o) {
		return nil, false
	}
	made, kept, faults := values.New(n.class, o.Len()), len(r.Faults), r.Count
	count, good := n.each(r, o, in, fault.Missing, made.Take)
	if !good && r.Over() {
		return nil, false
	}
	if n.extra != "ignore" && !n.all(o, count) {
		if key, odd := oddKey(o); odd {
			r.Faults, r.Count = r.Faults[:kept], faults
			return r.Fail(fault.StringUnicode, key)
		}
		good = n.extras(r, o, fault.ExtraForbidden, made.AddExtra) && good
	}
	if !good {
		return nil, false
	}
	r.AddFieldsSet(count)
	return made, true
}

// oddKey finds a key that is no text: pydantic drops all other faults of the model for that of the key, which has no place.
func oddKey(o *pyjson.Object) (key string, odd bool) {
	for _, m := range o.Members() {
		if pyjson.HasSurrogate(m.Key) {
			return m.Key, true
		}
	}
	return "", false
}

// dataclassNode is a dataclass around its arguments.
type dataclassNode struct {
	name string
	of   *dataclassArgsNode
	init Hook
}

func (n *dataclassNode) Label() string { return n.name }

func (n *dataclassNode) Validate(r *node.Run, in any) (any, bool) {
	out, ok := n.of.Validate(r, in)
	if !ok {
		return nil, false
	}
	r.Floor(node.Strict)
	if n.init.After != nil {
		return n.init.After(r, in, out)
	}
	return out, true
}

type dataclassArgsNode struct{ shape }

func (n *dataclassArgsNode) Label() string { return "dataclass-args[" + n.class.Name + "]" }

func (n *dataclassArgsNode) Validate(r *node.Run, in any) (any, bool) {
	o, ok := in.(*pyjson.Object)
	if !ok {
		return r.Fail(fault.DataclassType.With(n.class.Name), in, pyjson.Member{Key: "class_name", Value: n.class.Name})
	}
	made := values.New(n.class, o.Len())
	count, good := n.each(r, o, in, fault.Missing, made.Take)
	if !good && r.Over() {
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
	r.AddFieldsSet(count)
	return made, true
}
