package value

import (
	"math"

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

// Whole turns a float into an int as int() does.
func Whole(x float64) (int64, error) {
	if math.IsNaN(x) || math.Abs(x) >= 1<<63 {
		return 0, Failf("cannot convert float %s to integer", pyjson.Float(x))
	}
	return int64(x), nil
}
