package builtin

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/template/jinja/operators"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/template/jinja/value"
)

func items(q *value.Quota, v any, c value.Call) (any, error) {
	switch o := v.(type) {
	case value.Undefined:
		return []any{}, nil
	case *pyjson.Object:
		if err := q.Charge(32 * o.Len()); err != nil {
			return nil, err
		}
		return operators.Items(o), nil
	}
	return nil, value.Failf("Can only get item pairs from a mapping.")
}

func first(q *value.Quota, v any, _ value.Call) (any, error) {
	list, err := q.Iterate(v)
	if err != nil || len(list) == 0 {
		return value.Undefined{Message: "No first item, sequence was empty."}, err
	}
	return value.Plain(list[0]), nil
}

func last(q *value.Quota, v any, _ value.Call) (any, error) {
	list, err := q.Iterate(v)
	if err != nil || len(list) == 0 {
		return value.Undefined{Message: "No last item, sequence was empty."}, err
	}
	return value.Plain(list[len(list)-1]), nil
}

func reverse(q *value.Quota, v any, _ value.Call) (any, error) {
	list, err := q.Iterate(v)
	if err != nil {
		return nil, err
	}
	list = slices.Clone(list)
	slices.Reverse(list)
	if _, ok := v.(string); !ok {
		return list, q.Charge(16 * len(list))
	}
	var b strings.Builder
	for _, r := range list {
		b.WriteString(r.(string))
	}
	return b.String(), nil
}

// path is the value of an attribute as Filters name it: "function.name", or an index.
func path(q *value.Quota, v, attr any) (any, error) {
	name, ok := attr.(string)
	if !ok {
		return operators.Item(q, v, attr)
	}
	var err error
	for part := range strings.SplitSeq(name, ".") {
		var key any = part
		if n, err := strconv.ParseInt(part, 10, 64); err == nil {
			key = n
		}
		if v, err = operators.Item(q, v, key); err != nil {
			return nil, err
		}
	}
	return v, nil
}

func sum(q *value.Quota, v any, c value.Call) (any, error) {
	list, err := q.Iterate(v)
	if err != nil {
		return nil, err
	}
	key, total := key(q, c.Arg(0, "attribute", nil)), c.Arg(1, "start", int64(0))
	for _, item := range list {
		x, err := key(item)
		if err != nil {
			return nil, err
		}
		if total, err = operators.Binary(q, "+", total, value.Plain(x)); err != nil {
			return nil, err
		}
	}
	return total, nil
}

func batch(q *value.Quota, v any, c value.Call) (any, error) {
	list, err := q.Iterate(v)
	if err != nil {
		return nil, err
	}
	n, err := c.Int(0, "linecount", 1)
	if err != nil || n < 1 {
		return nil, value.Failf("batch takes a number above 0")
	}
	out := []any{}
	for chunk := range slices.Chunk(list, int(min(n, math.MaxInt32))) {
		out = append(out, slices.Clone(chunk))
	}
	return out, q.Charge(48 * len(list))
}

func mapItems(q *value.Quota, v any, c value.Call) (any, error) {
	list, err := q.Iterate(v)
	if err != nil {
		return nil, err
	}
	out := make([]any, len(list))
	if attr := c.Arg(len(c.Args), "attribute", nil); attr != nil {
		for i, item := range list {
			if out[i], err = path(q, item, attr); err != nil {
				return nil, err
			}
			if d, ok := c.Named.Get("default"); ok {
				if out[i], err = orDefault(q, out[i], value.Call{Args: []any{d}}); err != nil {
					return nil, err
				}
			}
		}
		return out, nil
	}
	fn, rest, err := named(Filters, "filter", c.Args)
	if err != nil {
		return nil, err
	}
	for i, item := range list {
		if out[i], err = fn(q, value.Plain(item), value.Call{Args: rest, Named: c.Named}); err != nil {
			return nil, err
		}
	}
	return out, q.Charge(16 * len(out))
}

func named(table map[string]Filter, what string, args []any) (fn Filter, rest []any, err error) {
	if len(args) == 0 {
		return nil, nil, value.Failf("map requires a Filter argument")
	}
	name, _ := args[0].(string)
	if table[name] == nil {
		return nil, nil, value.Failf("No %s named '%s'.", what, name)
	}
	return table[name], args[1:], nil
}

// choose is select, reject and the two that look at an attribute.
func choose(want, byAttr bool) Filter {
	return func(q *value.Quota, v any, c value.Call) (any, error) {
		list, err := q.Iterate(v)
		if err != nil {
			return nil, err
		}
		var attr any
		args := c.Args
		if byAttr {
			if len(args) == 0 {
				return nil, value.Failf("Missing parameter for attribute name")
			}
			attr, args = args[0], args[1:]
		}
		test := Filter(func(_ *value.Quota, v any, _ value.Call) (any, error) { return value.Truthy(v), nil })
		if len(args) > 0 {
			if test, args, err = named(Tests, "test", args); err != nil {
				return nil, err
			}
		}
		out := []any{}
		for _, item := range list {
			x, err := key(q, attr)(item)
			if err != nil {
				return nil, err
			}
			ok, err := test(q, value.Plain(x), value.Call{Args: args})
			if err != nil {
				return nil, err
			}
			if value.Truthy(ok) == want {
				out = append(out, item)
			}
		}
		return out, q.Charge(16 * len(out))
	}
}
