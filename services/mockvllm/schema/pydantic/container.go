package pydantic

import (
	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema/fault"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema/node"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema/scalar"
)

type listNode struct {
	min, max int // -1 where there is no bound
	of       node.Node
}

func (n *listNode) Label() string { return "list[" + n.of.Label() + "]" }

func (n *listNode) Validate(r *node.Run, in any) (any, bool) {
	list, ok := in.([]any)
	if !ok {
		return r.Fail(fault.ListType, in)
	}
	if _, any := n.of.(scalar.Any); any { // pydantic takes the list as it is, and exactly
		return list, n.lengths(r, in, len(list))
	}
	start := r.Count
	out, good := make([]any, len(list)), true
	for i, item := range list {
		from := len(r.Faults)
		v, ok := n.of.Validate(r, item)
		if !ok {
			if good = false; r.Over() {
				return nil, false
			}
			node.Under(r, from, i)
		}
		out[i] = v
		if n.max >= 0 && i >= n.max {
			r.Forget(start)
			return r.Fail(fault.TooLong.Lengths("List", n.max, len(list)), in, lengths("max_length", "List", n.max, len(list))...)
		}
	}
	return out, good && n.lengths(r, in, len(out))
}

func (n *listNode) lengths(r *node.Run, in any, length int) bool {
	switch {
	case n.min >= 0 && length < n.min:
		r.Fail(fault.TooShort.Lengths("List", n.min, length), in, lengths("min_length", "List", n.min, length)...)
	case n.max >= 0 && length > n.max:
		r.Fail(fault.TooLong.Lengths("List", n.max, length), in, lengths("max_length", "List", n.max, length)...)
	default:
		return true
	}
	return false
}

func lengths(bound, field string, limit, actual int) []pyjson.Member {
	return []pyjson.Member{{Key: "field_type", Value: field}, scalar.Limit(bound, limit), scalar.Limit("actual_length", actual)}
}

type tupleNode struct{ items []node.Node }

func (n *tupleNode) Label() string {
	s := "tuple["
	for i, item := range n.items {
		if i > 0 {
			s += ", "
		}
		s += item.Label()
	}
	return s + "]"
}

func (n *tupleNode) Validate(r *node.Run, in any) (any, bool) {
	list, ok := in.([]any)
	if !ok {
		return r.Fail(fault.TupleType, in)
	}
	r.Floor(node.Lax)
	if len(list) > len(n.items) {
		return r.Fail(fault.TooLong.Lengths("Tuple", len(n.items), len(list)), in, lengths("max_length", "Tuple", len(n.items), len(list))...)
	}
	out, good := make([]any, len(n.items)), true
	for i, item := range n.items {
		from := len(r.Faults)
		v, ok := any(nil), false
		if i < len(list) {
			v, ok = item.Validate(r, list[i])
		} else {
			r.Fail(fault.Missing, in)
		}
		if !ok {
			if good = false; r.Over() {
				return nil, false
			}
			node.Under(r, from, i)
		}
		out[i] = v
	}
	return out, good
}

type dictNode struct {
	min, max int
	keys, of node.Node
}

func (n *dictNode) Label() string { return "dict[" + n.keys.Label() + "," + n.of.Label() + "]" }

func (n *dictNode) Validate(r *node.Run, in any) (any, bool) {
	o, ok := in.(*pyjson.Object)
	if !ok {
		return r.Fail(fault.DictType, in)
	}
	out, good := make([]pyjson.Member, 0, o.Len()), true
	for _, m := range o.Members() {
		from := len(r.Faults)
		key, keyGood := n.keys.Validate(r, m.Key)
		if !keyGood {
			if good = false; r.Over() {
				return nil, false
			}
			node.Under(r, from, "[key]")
			node.Under(r, from, m.Key)
		}
		from = len(r.Faults)
		v, ok := n.of.Validate(r, m.Value)
		if !ok {
			if good = false; r.Over() {
				return nil, false
			}
			node.Under(r, from, m.Key)
		}
		if keyGood && ok {
			out = append(out, pyjson.Member{Key: pyjson.Str(key), Value: v})
		}
	}
	if !good {
		return nil, false
	}
	made := pyjson.NewObject(out...)
	switch {
	case n.min >= 0 && made.Len() < n.min:
		return r.Fail(fault.TooShort.Lengths("Dictionary", n.min, made.Len()), in, lengths("min_length", "Dictionary", n.min, made.Len())...)
	case n.max >= 0 && made.Len() > n.max:
		return r.Fail(fault.TooLong.Lengths("Dictionary", n.max, made.Len()), in, lengths("max_length", "Dictionary", n.max, made.Len())...)
	}
	return made, true
}

// chainNode is a row of validators, each fed by the one before.
type chainNode struct{ steps []node.Node }

func (n *chainNode) Label() string {
	s := "chain["
	for i, step := range n.steps {
		if i > 0 {
			s += ","
		}
		s += step.Label()
	}
	return s + "]"
}

func (n *chainNode) Validate(r *node.Run, in any) (any, bool) {
	for _, step := range n.steps {
		out, ok := step.Validate(r, in)
		if !ok {
			return nil, false
		}
		in = out
	}
	return in, true
}

// instanceNode asks for an instance of a Python class. JSON gives none but sequences.
type instanceNode struct{ class string }

func (n *instanceNode) Label() string { return "is-instance[" + n.class + "]" }

func (n *instanceNode) Validate(r *node.Run, in any) (any, bool) {
	if n.class == "Sequence" {
		switch in.(type) {
		case string, []any:
			return in, true
		}
	}
	return r.Fail(fault.IsInstanceOf.With(n.class), in, pyjson.Member{Key: "class", Value: n.class})
}
