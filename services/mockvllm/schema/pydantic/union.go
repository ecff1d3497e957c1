package pydantic

import (
	"strings"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema/fault"
)

// unionNode picks the member that fits best: the one that sets most fields, then the most exact, then the first.
type unionNode struct {
	choices []node
	labels  []string
	raises  []bool // for each member, whether a validator in it can raise what the union does not catch
	ordered bool   // the first that fits, not the best
}

func (n *unionNode) label() string { return "union[" + strings.Join(n.labels, ",") + "]" }

func (n *unionNode) validate(r *Run, in any) (any, bool) {
	oldExactness, oldSet, oldCollect, start := r.exactness, r.fieldsSet, r.collect, r.count
	best, bestExactness, bestSet, found := any(nil), lax, none, false
	for i, choice := range n.choices {
		if !n.ordered {
			r.exactness, r.fieldsSet = exact, none
		}
		from := len(r.faults)
		r.collect = oldCollect && !found || n.raises[i] // what raises has to be looked at to its end
		out, ok := choice.validate(r, in)
		r.collect = oldCollect
		if r.raised != nil {
			return nil, false
		}
		if !ok {
			under(r, from, n.labels[i])
			continue
		}
		if n.ordered || r.exactness == exact && r.fieldsSet == none {
			r.forget(start)
			if !n.ordered {
				r.exactness, r.fieldsSet = oldExactness, oldSet
			}
			return out, true
		}
		better := bestExactness < r.exactness
		if bestSet != none && r.fieldsSet != none && bestSet != r.fieldsSet {
			better = bestSet < r.fieldsSet
		}
		if !found || better {
			best, bestExactness, bestSet, found = out, r.exactness, r.fieldsSet, true
		}
	}
	if n.ordered {
		return nil, false
	}
	r.exactness, r.fieldsSet = oldExactness, oldSet
	if !found {
		return nil, false
	}
	r.forget(start)
	r.floor(bestExactness)
	if bestSet != none {
		r.addFieldsSet(bestSet)
	}
	return best, true
}

// taggedNode picks the member that one of the input's own fields names.
type taggedNode struct {
	by      string
	tags    []string
	choices []node
}

func (n *taggedNode) label() string {
	labels := make([]string, len(n.choices))
	for i, c := range n.choices {
		labels[i] = c.label()
	}
	return "tagged-union[" + strings.Join(labels, ",") + "]"
}

func (n *taggedNode) validate(r *Run, in any) (any, bool) {
	o, ok := in.(*pyjson.Object)
	if !ok {
		return r.fail(fault.ModelAttributesType, in)
	}
	by := pyjson.Member{Key: "discriminator", Value: pyjson.Repr(n.by)}
	tag, ok := o.Get(n.by)
	if !ok {
		return r.fail(fault.UnionTagNotFound.With(pyjson.Repr(n.by)), in, by)
	}
	for i, t := range n.tags {
		if t != tag {
			continue
		}
		from := len(r.faults)
		out, ok := n.choices[i].validate(r, in)
		if !ok {
			under(r, from, t)
		}
		return out, ok
	}
	reprs := make([]string, len(n.tags))
	for i, t := range n.tags {
		reprs[i] = pyjson.Repr(t)
	}
	expected := strings.Join(reprs, ", ")
	return r.fail(fault.UnionTagInvalid.With(pyjson.Str(tag), pyjson.Repr(n.by), expected), in,
		by, pyjson.Member{Key: "tag", Value: pyjson.Str(tag)}, pyjson.Member{Key: "expected_tags", Value: expected})
}
