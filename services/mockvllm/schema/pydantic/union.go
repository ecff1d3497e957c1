package pydantic

import (
	"math"
	"strings"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema/fault"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema/node"
)

// unionNode picks the member that fits best: the one that sets most fields, then the most exact, then the first.
type unionNode struct {
	choices []node.Node
	labels  []string
	raises  []bool // for each member, whether a validator in it can raise what the union does not catch
	ordered bool   // the first that fits, not the best
}

func (n *unionNode) Label() string { return "union[" + strings.Join(n.labels, ",") + "]" }

func (n *unionNode) Validate(r *node.Run, in any) (any, bool) {
	oldExactness, oldSet, oldCollect, start := r.Exactness, r.FieldsSet, r.Collect, r.Count
	best, bestExactness, bestSet, found := any(nil), node.Lax, node.None, false
	most := mostSet(in)
	for i, choice := range n.choices {
		if _, dict := choice.(*typedDictNode); dict && found && bestExactness == node.Exact && bestSet == most && !n.raises[i] {
			continue // it can set no more, and the first of equals wins
		}
		if !n.ordered {
			r.Exactness, r.FieldsSet = node.Exact, node.None
		}
		from := len(r.Faults)
		r.Collect = oldCollect && !found || n.raises[i] // what raises has to be looked at to its end
		out, ok := choice.Validate(r, in)
		r.Collect = oldCollect
		if r.Raised != nil {
			return nil, false
		}
		if !ok {
			node.Under(r, from, n.labels[i])
			continue
		}
		if n.ordered || r.Exactness == node.Exact && r.FieldsSet == node.None {
			r.Forget(start)
			if !n.ordered {
				r.Exactness, r.FieldsSet = oldExactness, oldSet
			}
			return out, true
		}
		better := bestExactness < r.Exactness
		if bestSet != node.None && r.FieldsSet != node.None && bestSet != r.FieldsSet {
			better = bestSet < r.FieldsSet
		}
		if !found || better {
			best, bestExactness, bestSet, found = out, r.Exactness, r.FieldsSet, true
		}
	}
	if n.ordered {
		return nil, false
	}
	r.Exactness, r.FieldsSet = oldExactness, oldSet
	if !found {
		return nil, false
	}
	r.Forget(start)
	r.Floor(bestExactness)
	if bestSet != node.None {
		r.AddFieldsSet(bestSet)
	}
	return best, true
}

// mostSet is how many fields a typed dict can set of an object in which nothing is nested; of another input so many that no member
// of a union sets them.
func mostSet(in any) int {
	o, ok := in.(*pyjson.Object)
	if !ok {
		return math.MaxInt
	}
	for _, m := range o.Members() {
		switch m.Value.(type) {
		case *pyjson.Object, []any:
			return math.MaxInt
		}
	}
	return o.Len()
}

// taggedNode picks the member that one of the input's own fields names.
type taggedNode struct {
	by      string
	tags    []string
	choices []node.Node
}

func (n *taggedNode) Label() string {
	labels := make([]string, len(n.choices))
	for i, c := range n.choices {
		labels[i] = c.Label()
	}
	return "tagged-union[" + strings.Join(labels, ",") + "]"
}

func (n *taggedNode) Validate(r *node.Run, in any) (any, bool) {
	o, ok := in.(*pyjson.Object)
	if !ok {
		return r.Fail(fault.ModelAttributesType, in)
	}
	by := pyjson.Member{Key: "discriminator", Value: pyjson.Repr(n.by)}
	tag, ok := o.Get(n.by)
	if !ok {
		return r.Fail(fault.UnionTagNotFound.With(pyjson.Repr(n.by)), in, by)
	}
	for i, t := range n.tags {
		if t != tag {
			continue
		}
		from := len(r.Faults)
		out, ok := n.choices[i].Validate(r, in)
		if !ok {
			node.Under(r, from, t)
		}
		return out, ok
	}
	reprs := make([]string, len(n.tags))
	for i, t := range n.tags {
		reprs[i] = pyjson.Repr(t)
	}
	expected := strings.Join(reprs, ", ")
	return r.Fail(fault.UnionTagInvalid.With(pyjson.Str(tag), pyjson.Repr(n.by), expected), in,
		by, pyjson.Member{Key: "tag", Value: pyjson.Str(tag)}, pyjson.Member{Key: "expected_tags", Value: expected})
}
