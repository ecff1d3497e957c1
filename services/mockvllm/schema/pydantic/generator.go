package pydantic

import (
	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema/fault"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema/node"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema/python"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema/refusal"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema/values"
)

// generatorNode is a list whose items are validated when somebody reads them.
type generatorNode struct {
	of    node.Node
	check values.Check
}

func newGenerator(of node.Node) *generatorNode {
	return &generatorNode{of, func(item any) (any, []fault.Fault, *refusal.Error) {
		v, r := validate(of, item, node.Run{Keep: manyFaults})
		return v, r.Faults, r.Raised
	}}
}

func (n *generatorNode) Label() string { return "generator[" + n.of.Label() + "]" }

// validate takes everything that Python can iterate over: lists, the characters of a string, the keys of a dict.
func (n *generatorNode) Validate(r *node.Run, in any) (any, bool) {
	switch in := in.(type) {
	case []any:
		return values.NewIterator(in, n.check), true
	case string:
		return values.NewIterator(python.Characters(in), n.check), true
	case *pyjson.Object:
		keys := make([]any, 0, in.Len())
		for key := range in.All() {
			keys = append(keys, key)
		}
		return values.NewIterator(keys, n.check), true
	}
	return r.Fail(fault.IterableType, in)
}

// Items validates the items of a list as a part of a run. Pydantic's error comes out as faults of that.
func Items(r *node.Run, it *values.Iterator) ([]any, bool) {
	list, faults, err := it.Validate()
	switch {
	case err != nil:
		r.Raised = err
		return nil, false
	case faults != nil:
		for _, f := range faults {
			r.Add(f)
		}
		return nil, false
	}
	return list, true
}
