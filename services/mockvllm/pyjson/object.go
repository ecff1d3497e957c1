package pyjson

import (
	"iter"
	"slices"
)

// Object is a JSON object that keeps the order of its members, as Python's dict does. The zero value is empty.
type Object struct {
	members []Member
	index   map[string]int // of a member by its key, when there are more than few
}

// Member is one key of an object with its value.
type Member struct {
	Key   string
	Value any
}

// few members are found faster by looking at each than by hashing the key.
const few = 16

// ObjectOf makes an object of names and values, one after the other.
func ObjectOf(pairs ...any) *Object {
	o := &Object{}
	for i := 0; i+1 < len(pairs); i += 2 {
		name, _ := pairs[i].(string)
		o.Set(name, pairs[i+1])
	}
	return o
}

// NewObject makes an object. The last of equal keys wins, at the place of the first. It owns the slice from then on.
func NewObject(members ...Member) *Object {
	o := &Object{members: members}
	o.dedupe()
	return o
}

// small is an object of so many members as most have, in one piece of memory.
type small struct {
	Object
	room [2]Member
}

// CopyObject is NewObject of a copy of the slice.
func CopyObject(members []Member) *Object {
	if len(members) > len(small{}.room) {
		return NewObject(slices.Clone(members)...)
	}
	o := new(small)
	o.members = append(o.room[:0], members...)
	o.dedupe()
	return &o.Object
}

func (o *Object) dedupe() {
	if len(o.members) > few {
		o.dedupeMany()
		return
	}
	kept := 0
	for _, m := range o.members {
		if i := o.scan(m.Key, kept); i >= 0 {
			o.members[i].Value = m.Value
			continue
		}
		o.members[kept] = m
		kept++
	}
	o.members = o.members[:kept]
}

func (o *Object) dedupeMany() {
	o.index = make(map[string]int, len(o.members))
	kept := 0
	for _, m := range o.members {
		if i, ok := o.index[m.Key]; ok {
			o.members[i].Value = m.Value
			continue
		}
		o.members[kept] = m
		o.index[m.Key] = kept
		kept++
	}
	o.members = o.members[:kept]
}

// scan looks for a key among the first n members.
func (o *Object) scan(key string, n int) int {
	for i := range o.members[:n] {
		if o.members[i].Key == key {
			return i
		}
	}
	return -1
}

func (o *Object) find(key string) int {
	if o == nil {
		return -1
	}
	if o.index == nil {
		return o.scan(key, len(o.members))
	}
	if i, ok := o.index[key]; ok {
		return i
	}
	return -1
}

// Len is the number of members; a nil object has none.
func (o *Object) Len() int {
	if o == nil {
		return 0
	}
	return len(o.members)
}

// Get returns the value of a key, and whether there is one.
func (o *Object) Get(key string) (v any, ok bool) {
	i := o.find(key)
	if i < 0 {
		return nil, false
	}
	return o.members[i].Value, true
}

// Value is Get where an absent key is as good as a null, as with dict.get.
func (o *Object) Value(key string) any {
	v, _ := o.Get(key)
	return v
}

// Set replaces the value of a key, or adds the key at the end.
func (o *Object) Set(key string, v any) {
	if i := o.find(key); i >= 0 {
		o.members[i].Value = v
		return
	}
	o.members = append(o.members, Member{key, v})
	switch {
	case o.index != nil:
		o.index[key] = len(o.members) - 1
	case len(o.members) > few:
		o.dedupeMany()
	}
}

// Members gives the members in order. They are the object's own: to be read only.
func (o *Object) Members() []Member {
	if o == nil {
		return nil
	}
	return o.members
}

// All walks over keys and values in order.
func (o *Object) All() iter.Seq2[string, any] {
	return func(yield func(string, any) bool) {
		for _, m := range o.Members() {
			if !yield(m.Key, m.Value) {
				return
			}
		}
	}
}

// Clone copies the object, not its values.
func (o *Object) Clone() *Object {
	return NewObject(append(make([]Member, 0, o.Len()+1), o.Members()...)...)
}

// Delete removes a key and gives its value.
func (o *Object) Delete(key string) (v any, ok bool) {
	i := o.find(key)
	if i < 0 {
		return nil, false
	}
	v = o.members[i].Value
	o.members = append(o.members[:i:i], o.members[i+1:]...)
	if o.index != nil {
		o.dedupeMany()
	}
	return v, true
}
