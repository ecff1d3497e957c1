package builtin

import (
	"slices"
	"strings"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/template/jinja/operators"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/template/jinja/value"
)

func dictSort(q *value.Quota, v any, c value.Call) (any, error) {
	list, err := items(q, v, c)
	if err != nil {
		return nil, err
	}
	by := 0
	if c.Arg(1, "by", "key") == "value" {
		by = 1
	}
	key := func(x any) (any, error) { return x.(value.Tuple)[by], nil }
	return sort(q, list.([]any), key, value.Truthy(c.Arg(2, "reverse", false)), value.Truthy(c.Arg(0, "case_sensitive", false)))
}

// sort orders by a key, text without regard to case unless told.
func sort(q *value.Quota, list []any, key func(any) (any, error), descending, caseSensitive bool) (any, error) {
	if err := q.Charge(32 * len(list)); err != nil {
		return nil, err
	}
	list = slices.Clone(list)
	var failed error
	slices.SortStableFunc(list, func(a, b any) int {
		x, err1 := key(a)
		y, err2 := key(b)
		if !caseSensitive {
			x, y = folded(x), folded(y)
		}
		n, err := q.Compare("<", value.Plain(x), value.Plain(y))
		for _, err := range []error{err, err2, err1} {
			if err != nil {
				failed = err
			}
		}
		if descending {
			return -n
		}
		return n
	})
	return list, failed
}

func folded(v any) any {
	if s, ok := v.(string); ok {
		return strings.ToLower(s)
	}
	return v
}

// key is what the argument attribute makes of an item.
func key(q *value.Quota, attr any) func(any) (any, error) {
	return func(v any) (any, error) {
		if attr == nil {
			return v, nil
		}
		return path(q, v, attr)
	}
}

func sorted(q *value.Quota, v any, c value.Call) (any, error) {
	list, err := q.Iterate(v)
	if err != nil {
		return nil, err
	}
	return sort(q, list, key(q, c.Arg(2, "attribute", nil)), value.Truthy(c.Arg(0, "reverse", false)), value.Truthy(c.Arg(1, "case_sensitive", false)))
}

func unique(q *value.Quota, v any, c value.Call) (any, error) {
	list, err := q.Iterate(v)
	if err != nil {
		return nil, err
	}
	key, fold := key(q, c.Arg(1, "attribute", nil)), !value.Truthy(c.Arg(0, "case_sensitive", false))
	var out, seen []any
	for _, item := range list {
		k, err := key(item)
		if err != nil {
			return nil, err
		}
		if fold {
			k = folded(k)
		}
		found, err := operators.Contains(q, seen, k)
		if err != nil {
			return nil, err
		}
		if !found {
			seen, out = append(seen, k), append(out, item)
		}
	}
	return out, nil
}

func extreme(sign int) Filter {
	return func(q *value.Quota, v any, c value.Call) (any, error) {
		list, err := sorted(q, v, value.Call{Named: pyjson.NewObject(pyjson.Member{Key: "attribute", Value: c.Arg(1, "attribute", nil)})})
		if err != nil {
			return nil, err
		}
		if sign < 0 {
			return first(q, list, value.Call{})
		}
		return last(q, list, value.Call{})
	}
}
