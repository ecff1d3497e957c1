package jinja

import (
	"math"
	"slices"
	"strings"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
)

// str is Python's str.
func (f *frame) str(v any) (string, error) {
	switch v := v.(type) {
	case string:
		return v, nil
	case undefined:
		return "", nil
	}
	b, err := f.repr(nil, v)
	return string(b), err
}

// repr appends Python's repr.
func (f *frame) repr(dst []byte, v any) ([]byte, error) {
	if err := f.enter(); err != nil {
		return nil, err
	}
	defer func() { f.depth-- }()
	start := len(dst)
	switch v := v.(type) {
	case []any:
		return f.reprItems(dst, "[", "]", v)
	case tuple:
		if len(v) == 1 {
			return f.reprItems(dst, "(", ",)", v)
		}
		return f.reprItems(dst, "(", ")", v)
	case *pyjson.Object:
		dst = append(dst, '{')
		for i, m := range v.Members() {
			if i > 0 {
				dst = append(dst, ", "...)
			}
			dst = append(pyjson.AppendRepr(dst, m.Key), ": "...)
			var err error
			if dst, err = f.repr(dst, m.Value); err != nil {
				return nil, err
			}
		}
		dst = append(dst, '}')
	case undefined:
		dst = append(dst, "Undefined"...)
	case *macro, *namespace, *loop, function:
		dst = append(dst, "<"+typeName(v)+">"...)
	default:
		dst = pyjson.AppendRepr(dst, v)
	}
	return dst, f.charge(64 + len(dst) - start)
}

func (f *frame) reprItems(dst []byte, begin, end string, items []any) ([]byte, error) {
	dst = append(dst, begin...)
	for i, item := range items {
		if i > 0 {
			dst = append(dst, ", "...)
		}
		var err error
		if dst, err = f.repr(dst, item); err != nil {
			return nil, err
		}
	}
	return append(dst, end...), f.charge(64)
}

// jsonFormat is what json.dumps takes.
type jsonFormat struct {
	indent, item, key string
	pretty, ascii     bool
	sorted            bool
}

// json appends json.dumps of v.
func (f *frame) json(dst []byte, v any, how *jsonFormat, level int) ([]byte, error) {
	if err := f.enter(); err != nil {
		return nil, err
	}
	defer func() { f.depth-- }()
	start := len(dst)
	line := func(level int) {
		if how.pretty {
			dst = append(dst, '\n')
			for range level {
				dst = append(dst, how.indent...)
			}
		}
	}
	var err error
	switch v := v.(type) {
	case []any, tuple:
		items, _ := sequence(v)
		dst = append(dst, '[')
		for i, item := range items {
			if i > 0 {
				dst = append(dst, how.item...)
			}
			line(level + 1)
			if dst, err = f.json(dst, item, how, level+1); err != nil {
				return nil, err
			}
		}
		if len(items) > 0 {
			line(level)
		}
		dst = append(dst, ']')
		return dst, f.charge(64)
	case *pyjson.Object:
		members := v.Members()
		if how.sorted {
			members = slices.Clone(members)
			slices.SortStableFunc(members, func(a, b pyjson.Member) int { return strings.Compare(a.Key, b.Key) })
		}
		dst = append(dst, '{')
		for i, m := range members {
			if i > 0 {
				dst = append(dst, how.item...)
			}
			line(level + 1)
			dst = pyjson.AppendJSON(dst, m.Key, pyjson.Format{ASCII: how.ascii})
			dst = append(dst, how.key...)
			if dst, err = f.json(dst, m.Value, how, level+1); err != nil {
				return nil, err
			}
		}
		if len(members) > 0 {
			line(level)
		}
		dst = append(dst, '}')
		return dst, f.charge(64 * (1 + len(members)))
	case undefined, *macro, *namespace, *loop, function:
		return nil, failf("Object of type %s is not JSON serializable", typeName(v))
	}
	dst = pyjson.AppendJSON(dst, v, pyjson.Format{ASCII: how.ascii})
	return dst, f.charge(64 + len(dst) - start)
}

// whole turns a float into an int as int() does.
func whole(x float64) (int64, error) {
	if math.IsNaN(x) || math.Abs(x) >= 1<<63 {
		return 0, failf("cannot convert float %s to integer", pyjson.Float(x))
	}
	return int64(x), nil
}
