package pydantic

import (
	"math"
	"strings"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema/fault"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema/node"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema/python"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema/refusal"
)

// Values is what a model made of a body: each field converted, or its default. Values of fields are
//
//	nil, bool, int64, pyjson.Number (an integer beyond int64), float64, string, []any,
//	*pyjson.Object (a dict), *Values (a model in the model), *Iterator (a list whose items are not validated yet)
type Values struct {
	shape *shape
	set   []fieldValue // what is no default: a few of the many fields that a request may have
	extra []pyjson.Member
}

// fieldValue is that of one field.
type fieldValue struct {
	field int
	val   any
}

func newValues(s *shape, given int) *Values {
	return &Values{shape: s, set: make([]fieldValue, 0, min(given, len(s.fields)))}
}

// find returns the place of a field in set, or -1 where it has its default.
func (v *Values) find(field int) int {
	for i := range v.set {
		if v.set[i].field == field {
			return i
		}
	}
	return -1
}

// at is the value of a field by its number.
func (v *Values) at(field int) any {
	if i := v.find(field); i >= 0 {
		return v.set[i].val
	}
	return v.shape.fields[field].value
}

// take keeps the value of a field that was given; the default of another is at hand.
func (v *Values) take(field int, val any, given bool) {
	if given {
		v.set = append(v.set, fieldValue{field, val})
	}
}

func (v *Values) addExtra(m pyjson.Member) { v.extra = append(v.extra, m) }

// Model is the name of the class, which tells the members of a union apart.
func (v *Values) Model() string { return v.shape.name }

// Get is a field's value; nil where it is null, or where the model has no such field.
func (v *Values) Get(name string) any {
	if v == nil {
		return nil
	}
	if i := v.shape.places.find(name); i >= 0 {
		return v.at(i)
	}
	return nil
}

// Given tells whether the body had the field, be it null.
func (v *Values) Given(name string) bool {
	if v == nil {
		return false
	}
	i := v.shape.places.find(name)
	return i >= 0 && v.find(i) >= 0
}

// Put replaces a field's value, which makes it a given one.
func (v *Values) Put(name string, val any) {
	field := v.shape.places.find(name)
	if field < 0 {
		return
	}
	if i := v.find(field); i >= 0 {
		v.set[i].val = val
		return
	}
	v.take(field, val, true)
}

// Extra are the members of the body that are no fields, in order.
func (v *Values) Extra() []pyjson.Member { return v.extra }

// Null tells whether the field is null, by the body or by default.
func (v *Values) Null(name string) bool { return v.Get(name) == nil }

// Int is an integer, the nearest int64 where that is too small. False is null.
func (v *Values) Int(name string) (i int64, ok bool) { return Int(v.Get(name)) }

// Float is a float. False is null.
func (v *Values) Float(name string) (f float64, ok bool) {
	f, ok = v.Get(name).(float64)
	return f, ok
}

// Bool is a boolean; null is false.
func (v *Values) Bool(name string) bool {
	b, _ := v.Get(name).(bool)
	return b
}

// Str is a string. False is null.
func (v *Values) Str(name string) (s string, ok bool) {
	s, ok = v.Get(name).(string)
	return s, ok
}

// List is a list. False is null, or that a union took something else.
func (v *Values) List(name string) (list []any, ok bool) {
	list, ok = v.Get(name).([]any)
	return list, ok
}

// Object is a dict; nil where it is null, or where a union took something else.
func (v *Values) Object(name string) *pyjson.Object {
	o, _ := v.Get(name).(*pyjson.Object)
	return o
}

// Values is a model in the model; nil where it is null, or where a union took something else.
func (v *Values) Values(name string) *Values {
	inner, _ := v.Get(name).(*Values)
	return inner
}

// Int is a value of a field or a list as an integer, the nearest int64 where that is too small.
func Int(val any) (i int64, ok bool) {
	switch val := val.(type) {
	case int64:
		return val, true
	case pyjson.Number:
		if strings.HasPrefix(string(val), "-") {
			return math.MinInt64, true
		}
		return math.MaxInt64, true
	}
	return 0, false
}

// Iterator is pydantic's ValidatorIterator: a list that was taken as it is, to be validated when somebody reads it.
type Iterator struct {
	raw []any
	of  node.Node
}

// Raw are the items as they came.
func (it *Iterator) Raw() []any { return it.raw }

// Items validates the items. The first bad one is the error, in pydantic's own words, as a handler of vLLM meets it when it
// has read the items before, which are returned too.
func (it *Iterator) Items() ([]any, error) {
	out, faults, err := it.items()
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

func (it *Iterator) items() ([]any, []fault.Fault, *refusal.Error) {
	out := make([]any, len(it.raw))
	for i, item := range it.raw {
		v, r := validate(it.of, item, manyFaults)
		switch {
		case r.Raised != nil:
			return out[:i], nil, r.Raised
		case r.Count > 0:
			node.Under(&r, 0, i)
			return out[:i], r.Faults, nil
		}
		out[i] = v
	}
	return out, nil, nil
}

// In validates the items as a part of a run. Pydantic's error comes out as faults of that.
func (it *Iterator) In(r *node.Run) ([]any, bool) {
	list, faults, err := it.items()
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

type generatorNode struct {
	of node.Node
}

func (n *generatorNode) Label() string { return "generator[" + n.of.Label() + "]" }

// validate takes everything that Python can iterate over: lists, the characters of a string, the keys of a dict.
func (n *generatorNode) Validate(r *node.Run, in any) (any, bool) {
	switch in := in.(type) {
	case []any:
		return &Iterator{in, n.of}, true
	case string:
		return &Iterator{python.Characters(in), n.of}, true
	case *pyjson.Object:
		keys := make([]any, 0, in.Len())
		for key := range in.All() {
			keys = append(keys, key)
		}
		return &Iterator{keys, n.of}, true
	}
	return r.Fail(fault.IterableType, in)
}

// Random tells whether vLLM would have made up the field's value, such as a request's id: it was not given and is "" here.
func (v *Values) Random(name string) bool {
	i := v.shape.places.find(name)
	return i >= 0 && v.shape.fields[i].factory != "" && !v.Given(name)
}
