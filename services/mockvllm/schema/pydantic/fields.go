package pydantic

import (
	"slices"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema/fault"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema/node"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema/values"
)

// field is a member of a model, a typed dict or a dataclass.
type field struct {
	name, key  string // key is what it is called in JSON
	of         node.Node
	required   bool
	hasDefault bool
	value      any  // the default
	noInit     bool // never taken from the input
}

// shape is what models, typed dicts and dataclasses have in common.
type shape struct {
	class  *values.Class
	extra  string // "ignore", "allow" or "forbid"
	byName bool   // a field with an alias can be given by its name, too
	fields []field
	index  values.Names // of the fields, by their keys
	first  []int        // fields to look at first when nobody wants to know all faults: they tell members of unions apart
	needed []string     // keys of the other fields without which nothing fits
	loud   []int        // for each field, the next one from it on of which something comes also when it is not given
}

// manyFields is where a walk over the input's members is cheaper than a search for each field.
const manyFields = 12

// place says which member of an object a field is.
type place struct{ field, member int }

// given finds the members of an object that are fields, in the order of the fields.
func (s *shape) given(o *pyjson.Object, room []place) []place {
	for i, m := range o.Members() {
		f := s.index.Find(m.Key)
		if f < 0 {
			continue
		}
		at := len(room)
		for at > 0 && room[at-1].field > f {
			at--
		}
		room = slices.Insert(room, at, place{f, i})
	}
	return room
}

// next is the first field from i on that was given, or of which something comes all the same.
func (s *shape) next(i int, given []place) int {
	if len(given) > 0 {
		return min(s.loud[i], given[0].field)
	}
	return s.loud[i]
}

// unfit tells, when no faults are collected, that a field which tells members of unions apart is wrong.
func (s *shape) unfit(r *node.Run, o *pyjson.Object) bool {
	if r.Collect {
		return false
	}
	for _, key := range s.needed {
		if _, ok := o.Get(key); !ok {
			return true
		}
	}
	for _, i := range s.first {
		v, ok := o.Get(s.fields[i].key)
		if !ok && s.fields[i].required {
			return true
		}
		if ok {
			if _, ok := s.fields[i].of.Validate(r, v); !ok {
				return true
			}
		}
	}
	return false
}

// each validates the fields in the model's order and hands over what they became; the count is of those given.
func (s *shape) each(r *node.Run, o *pyjson.Object, in any, missingKind fault.Kind, take func(i int, v any, given bool)) (count int, good bool) {
	var room [8]place // small: with more of them the stack of each connection is twice as large
	var given []place
	many := len(s.fields) > manyFields
	if many {
		given = s.given(o, room[:0])
	}
	good = true
	for i := 0; i < len(s.fields); i++ {
		if many {
			if i = s.next(i, given); i == len(s.fields) {
				break
			}
		}
		f := &s.fields[i]
		v, ok := any(nil), false
		switch {
		case f.noInit:
		case !many:
			v, ok = o.Get(f.key)
		case len(given) > 0 && given[0].field == i:
			v, ok = o.Members()[given[0].member].Value, true
			given = given[1:]
		}
		key := f.key
		if !ok && s.byName && f.key != f.name && !f.noInit {
			v, ok = o.Get(f.name)
			key = f.name
		}
		if !ok {
			if f.hasDefault || !f.required {
				if f.hasDefault {
					take(i, f.value, false)
				}
				continue
			}
			from := len(r.Faults)
			r.Fail(missingKind, in)
			node.Under(r, from, f.key)
			good = false
		} else {
			from := len(r.Faults)
			out, ok := f.of.Validate(r, v)
			if ok {
				count++
				take(i, out, true)
				continue
			}
			node.Under(r, from, key)
			good = false
		}
		if r.Over() {
			return count, false
		}
	}
	return count, good
}

// all tells whether all members of an object are known to be fields, as so many were.
func (s *shape) all(o *pyjson.Object, fields int) bool { return fields == o.Len() && !s.byName }

// extras looks at the members that are no fields. False is an exception or that nobody collects.
func (s *shape) extras(r *node.Run, o *pyjson.Object, forbidden fault.Kind, take func(pyjson.Member)) bool {
	good := true
	for _, m := range o.Members() {
		if s.known(m.Key) {
			continue
		}
		if s.extra == "forbid" {
			from := len(r.Faults)
			r.Fail(forbidden, m.Value)
			node.Under(r, from, m.Key)
			if good = false; r.Over() {
				return false
			}
			continue
		}
		take(m)
	}
	return good
}

func (s *shape) known(key string) bool {
	return s.index.Find(key) >= 0 || s.byName && s.class.Places.Find(key) >= 0
}
