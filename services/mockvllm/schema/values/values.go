package values

import (
	"math"
	"slices"
	"strings"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
)

// Values is what a model made of a body: each field converted, or its default. Values of fields are
//
//	nil, bool, int64, pyjson.Number (an integer beyond int64), float64, string, []any,
//	*pyjson.Object (a dict), *Values (a model in the model), *Iterator (a list whose items are not validated yet)
type Values struct {
	class *Class
	told  filter       // the fields that are neither null nor false, and maybe others
	set   []fieldValue // what is no default: a few of the many fields that a request may have
	extra []pyjson.Member
}

// Class is what values are of: a model, or a dataclass.
type Class struct {
	Name   string
	Fields []Field
	Places Names  // of the fields
	told   filter // those whose defaults are neither null nor false
}

// NewClass has room for so many fields.
func NewClass(name string, fields int) *Class {
	return &Class{Name: name, Fields: make([]Field, 0, fields), Places: NewNames(fields)}
}

// Add adds a field.
func (c *Class) Add(f Field) {
	c.Places.Add(f.Name, len(c.Fields))
	c.Fields = append(c.Fields, f)
	if f.Default != nil && f.Default != false {
		c.told.add(hash(f.Name))
	}
}

// Field is one of a class.
type Field struct {
	Name, Key string // Key is what it is called in JSON
	Default   any
	Made      bool // vLLM makes its default up, so it is not kept
}

// fieldValue is that of one field.
type fieldValue struct {
	field int
	val   any
}

// New makes the values of a class, of which about as many will be given.
func New(c *Class, given int) *Values {
	var v struct { // one piece of memory for what most have
		Values
		room [6]fieldValue
	}
	v.class, v.told = c, c.told
	if given = min(given, len(c.Fields)); given <= len(v.room) {
		v.set = v.room[:0]
	} else {
		v.set = make([]fieldValue, 0, given)
	}
	return &v.Values
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
	return v.class.Fields[field].Default
}

// Take keeps the value of a field that was given; the default of another is at hand.
func (v *Values) Take(field int, val any, given bool) {
	if given {
		v.set = append(v.set, fieldValue{field, val})
		v.told.add(hash(v.class.Fields[field].Name))
	}
}

// AddExtra keeps a member that is no field.
func (v *Values) AddExtra(m pyjson.Member) { v.extra = append(v.extra, m) }

// Model is the name of the class, which tells the members of a union apart.
func (v *Values) Model() string { return v.class.Name }

// Get is a field's value; nil where it is null, or where the model has no such field.
func (v *Values) Get(name string) any {
	if v == nil {
		return nil
	}
	if i := v.class.Places.Find(name); i >= 0 {
		return v.at(i)
	}
	return nil
}

// trueish is Get for those to whom null, false and a field that the model has not are the same.
func (v *Values) trueish(name string) any {
	if v == nil {
		return nil
	}
	h := hash(name)
	if !v.told.has(h) {
		return nil
	}
	if i := v.class.Places.find(name, h); i >= 0 {
		return v.at(i)
	}
	return nil
}

// Given tells whether the body had the field, be it null.
func (v *Values) Given(name string) bool {
	if v == nil {
		return false
	}
	i := v.class.Places.Find(name)
	return i >= 0 && v.find(i) >= 0
}

// Put replaces a field's value, which makes it a given one.
func (v *Values) Put(name string, val any) {
	field := v.class.Places.Find(name)
	if field < 0 {
		return
	}
	if i := v.find(field); i >= 0 {
		v.set[i].val = val
		return
	}
	v.Take(field, val, true)
}

// Large tells whether a field has an integer beyond int64.
func (v *Values) Large() bool {
	return slices.ContainsFunc(v.set, func(f fieldValue) bool { _, large := f.val.(pyjson.Number); return large })
}

// Extra are the members of the body that are no fields, in order.
func (v *Values) Extra() []pyjson.Member { return v.extra }

// Null tells whether the field is null, by the body or by default.
func (v *Values) Null(name string) bool { return v.Get(name) == nil }

// Int is an integer, the nearest int64 where that is too small. False is null.
func (v *Values) Int(name string) (i int64, ok bool) { return Int(v.trueish(name)) }

// Float is a float. False is null.
func (v *Values) Float(name string) (f float64, ok bool) {
	f, ok = v.trueish(name).(float64)
	return f, ok
}

// Bool is a boolean; null is false.
func (v *Values) Bool(name string) bool {
	b, _ := v.trueish(name).(bool)
	return b
}

// Str is a string. False is null.
func (v *Values) Str(name string) (s string, ok bool) {
	s, ok = v.trueish(name).(string)
	return s, ok
}

// List is a list. False is null, or that a union took something else.
func (v *Values) List(name string) (list []any, ok bool) {
	list, ok = v.trueish(name).([]any)
	return list, ok
}

// Object is a dict; nil where it is null, or where a union took something else.
func (v *Values) Object(name string) *pyjson.Object {
	o, _ := v.trueish(name).(*pyjson.Object)
	return o
}

// Values is a model in the model; nil where it is null, or where a union took something else.
func (v *Values) Values(name string) *Values {
	inner, _ := v.trueish(name).(*Values)
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

// Random tells whether vLLM would have made up the field's value, such as a request's id: it was not given and is "" here.
func (v *Values) Random(name string) bool {
	i := v.class.Places.Find(name)
	return i >= 0 && v.class.Fields[i].Made && !v.Given(name)
}
