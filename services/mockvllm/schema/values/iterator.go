package values

import (
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema/fault"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema/refusal"
)

// Iterator is pydantic's ValidatorIterator: a list that was taken as it is, to be validated when somebody reads it.
type Iterator struct {
	raw   []any
	check Check
}

// Check makes a value of an item, or tells what is wrong with it.
type Check func(item any) (any, []fault.Fault, *refusal.Error)

// NewIterator makes one whose items are checked late.
func NewIterator(raw []any, check Check) *Iterator { return &Iterator{raw, check} }

// Raw are the items as they came.
func (it *Iterator) Raw() []any { return it.raw }

// Items validates the items. The first bad one is the error, in pydantic's own words, as a handler of vLLM meets it when it
// has read the items before, which are returned too.
func (it *Iterator) Items() ([]any, error) {
	out, faults, err := it.Validate()
	switch {
	case err != nil:
		return out, err
	case faults != nil:
		return out, refusal.BadRequest(fault.Text("ValidatorIterator", faults), "")
	}
	return out, nil
}

// Items is a value of a field or a dict as a list: one that is validated already, or an Iterator's. False is neither.
func Items(val any) (list []any, ok bool, err error) {
	if it, isLate := val.(*Iterator); isLate {
		list, err = it.Items()
		return list, true, err
	}
	list, ok = val.([]any)
	return list, ok, nil
}

// Validate is Items with the faults of the first bad item at their places in the list.
func (it *Iterator) Validate() ([]any, []fault.Fault, *refusal.Error) {
	out := make([]any, len(it.raw))
	for i, item := range it.raw {
		v, faults, err := it.check(item)
		for j := range faults {
			faults[j].Loc = append(faults[j].Loc, i)
		}
		if err != nil || faults != nil {
			return out[:i], faults, err
		}
		out[i] = v
	}
	return out, nil, nil
}
