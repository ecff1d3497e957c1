package value

import (
	"math"
	"slices"
	"strings"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
)

// Str is Python's str.
func (q *Quota) Str(v any) (string, error) {
	switch v := v.(type) {
	case string:
		return v, nil
	case Undefined:
		return "", nil
	}
	b, err := q.Repr(nil, v)
	return string(b), err
}

// Repr appends Python's repr.
func (q *Quota) Repr(dst []byte, v any) ([]byte, error) {
	if err := q.Enter(); err != nil {
		return nil, err
	}
	defer q.Leave()
	start := len(dst)
	switch v := v.(type) {
	case []any:
		return q.reprItems(dst, "[", "]", v)
	case Tuple:
		if len(v) == 1 {
			return q.reprItems(dst, "(", ",)", v)
		}
		return q.reprItems(dst, "(", ")", v)
	case *pyjson.Object:
		dst = append(dst, '{')
		for i, m := range v.Members() {
			if i > 0 {
				dst = append(dst, ", "...)
			}
			dst = append(pyjson.AppendRepr(dst, m.Key), ": "...)
			var err error
			if dst, err = q.Repr(dst, m.Value); err != nil {
				return nil, err
			}
		}
		dst = append(dst, '}')
	case Undefined:
		dst = append(dst, "Undefined"...)
	case *Macro, *Namespace, *Loop, Function:
		dst = append(dst, "<"+TypeName(v)+">"...)
	default:
		dst = pyjson.AppendRepr(dst, v)
	}
	return dst, q.Charge(64 + len(dst) - start)
}

func (q *Quota) reprItems(dst []byte, begin, end string, items []any) ([]byte, error) {
	dst = append(dst, begin...)
	for i, item := range items {
		if i > 0 {
			dst = append(dst, ", "...)
		}
		var err error
		if dst, err = q.Repr(dst, item); err != nil {
			return nil, err
		}
	}
	return append(dst, end...), q.Charge(64)
}

// JSONFormat is what json.dumps takes.
type JSONFormat struct {
	Indent, Item, Key string // Item and Key stand behind these
	Pretty            bool   // each item has a line of its own
	ASCII, Sorted     bool
}

// JSON appends json.dumps of v.
func (q *Quota) JSON(dst []byte, v any, how *JSONFormat, level int) ([]byte, error) {
	if err := q.Enter(); err != nil {
		return nil, err
	}
	defer q.Leave()
	start := len(dst)
	line := func(level int) {
		if how.Pretty {
			dst = append(dst, '\n')
			for range level {
				dst = append(dst, how.Indent...)
			}
		}
	}
	var err error
	switch v := v.(type) {
	case []any, Tuple:
		items, _ := Sequence(v)
		dst = append(dst, '[')
		for i, item := range items {
			if i > 0 {
				dst = append(dst, how.Item...)
			}
			line(level + 1)
			if dst, err = q.JSON(dst, item, how, level+1); err != nil {
				return nil, err
			}
		}
		if len(items) > 0 {
			line(level)
		}
		dst = append(dst, ']')
		return dst, q.Charge(64)
	case *pyjson.Object:
		members := v.Members()
		if how.Sorted {
			members = slices.Clone(members)
			slices.SortStableFunc(members, func(a, b pyjson.Member) int { return strings.Compare(a.Key, b.Key) })
		}
		dst = append(dst, '{')
		for i, m := range members {
			if i > 0 {
				dst = append(dst, how.Item...)
			}
			line(level + 1)
			dst = pyjson.AppendJSON(dst, m.Key, pyjson.Format{ASCII: how.ASCII})
			dst = append(dst, how.Key...)
			if dst, err = q.JSON(dst, m.Value, how, level+1); err != nil {
				return nil, err
			}
		}
		if len(members) > 0 {
			line(level)
		}
		dst = append(dst, '}')
		return dst, q.Charge(64 * (1 + len(members)))
	case Undefined, *Macro, *Namespace, *Loop, Function:
		return nil, Failf("Object of type %s is not JSON serializable", TypeName(v))
	}
	dst = pyjson.AppendJSON(dst, v, pyjson.Format{ASCII: how.ASCII})
	return dst, q.Charge(64 + len(dst) - start)
}

// Whole turns a float into an int as int() does.
func Whole(x float64) (int64, error) {
	if math.IsNaN(x) || math.Abs(x) >= 1<<63 {
		return 0, Failf("cannot convert float %s to integer", pyjson.Float(x))
	}
	return int64(x), nil
}
