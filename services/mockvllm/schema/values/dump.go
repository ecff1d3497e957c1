package values

import "github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"

// Dump is model_dump(by_alias=True): all fields in the model's order, those that the body had not with their defaults, and
// after them what the body had besides.
func (v *Values) Dump() *pyjson.Object {
	if v == nil {
		return nil
	}
	o := pyjson.NewObject()
	for i, f := range v.class.Fields {
		o.Set(f.Key, dumped(v.at(i)))
	}
	for _, m := range v.extra {
		o.Set(m.Key, m.Value)
	}
	return o
}

// Dumped is model_dump of a field's value, whatever it is.
func Dumped(v any) any { return dumped(v) }

func dumped(v any) any {
	switch v := v.(type) {
	case *Values:
		if v == nil {
			return nil
		}
		return v.Dump()
	case *Iterator:
		return dumped(v.raw)
	case []any:
		list := make([]any, len(v))
		for i, item := range v {
			list[i] = dumped(item)
		}
		return list
	}
	return v
}

// Repr is that of a dataclass's __dict__.
func (v *Values) Repr() string {
	members := make([]pyjson.Member, len(v.class.Fields))
	for i, f := range v.class.Fields {
		members[i] = pyjson.Member{Key: f.Name, Value: v.at(i)}
	}
	return pyjson.Repr(pyjson.NewObject(members...))
}

// Fields are the names of the model's fields, in its order.
func (v *Values) Fields() []string {
	names := make([]string, len(v.class.Fields))
	for i, f := range v.class.Fields {
		names[i] = f.Name
	}
	return names
}
