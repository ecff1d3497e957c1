package value

import (
	"slices"
	"strings"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
)

// JSONFormat is what json.dumps takes.
type JSONFormat struct {
	Indent, Item, Key string // Item and Key stand behind these
	Pretty            bool   // each item has a line of its own
	ASCII, Sorted     bool
}

// line begins one of its own, where items have that.
func (f *JSONFormat) line(dst []byte, level int) []byte {
	if !f.Pretty {
		return dst
	}
	dst = append(dst, '\n')
	for range level {
		dst = append(dst, f.Indent...)
	}
	return dst
}

// JSON appends json.dumps of v.
func (q *Quota) JSON(dst []byte, v any, how *JSONFormat, level int) ([]byte, error) {
	if err := q.Enter(); err != nil {
		return nil, err
	}
	defer q.Leave()
	switch v := v.(type) {
	case []any, Tuple:
		items, _ := Sequence(v)
		return q.jsonList(dst, items, how, level)
	case *pyjson.Object:
		return q.jsonObject(dst, v.Members(), how, level)
	case Undefined, *Macro, *Namespace, *Loop, Function:
		return nil, Failf("Object of type %s is not JSON serializable", TypeName(v))
	}
	start := len(dst)
	dst = pyjson.AppendJSON(dst, v, pyjson.Format{ASCII: how.ASCII})
	return dst, q.Charge(64 + len(dst) - start)
}

func (q *Quota) jsonList(dst []byte, items []any, how *JSONFormat, level int) ([]byte, error) {
	dst = append(dst, '[')
	for i, item := range items {
		if i > 0 {
			dst = append(dst, how.Item...)
		}
		var err error
		if dst, err = q.JSON(how.line(dst, level+1), item, how, level+1); err != nil {
			return nil, err
		}
	}
	if len(items) > 0 {
		dst = how.line(dst, level)
	}
	return append(dst, ']'), q.Charge(64)
}

func (q *Quota) jsonObject(dst []byte, members []pyjson.Member, how *JSONFormat, level int) ([]byte, error) {
	if how.Sorted {
		members = slices.Clone(members)
		slices.SortStableFunc(members, func(a, b pyjson.Member) int { return strings.Compare(a.Key, b.Key) })
	}
	dst = append(dst, '{')
	for i, m := range members {
		if i > 0 {
			dst = append(dst, how.Item...)
		}
		dst = pyjson.AppendJSON(how.line(dst, level+1), m.Key, pyjson.Format{ASCII: how.ASCII})
		var err error
		if dst, err = q.JSON(append(dst, how.Key...), m.Value, how, level+1); err != nil {
			return nil, err
		}
	}
	if len(members) > 0 {
		dst = how.line(dst, level)
	}
	return append(dst, '}'), q.Charge(64 * (1 + len(members)))
}
