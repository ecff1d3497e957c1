package jinja

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
)

func items(f *frame, v any, c call) (any, error) {
	switch o := v.(type) {
	case undefined:
		return []any{}, nil
	case *pyjson.Object:
		if err := f.charge(32 * o.Len()); err != nil {
			return nil, err
		}
		return dictMethods["items"](o, c)
	}
	return nil, failf("Can only get item pairs from a mapping.")
}

func dictSort(f *frame, v any, c call) (any, error) {
	list, err := items(f, v, c)
	if err != nil {
		return nil, err
	}
	by := 0
	if c.arg(1, "by", "key") == "value" {
		by = 1
	}
	key := func(x any) (any, error) { return x.(tuple)[by], nil }
	return f.sort(list.([]any), key, truthy(c.arg(2, "reverse", false)), truthy(c.arg(0, "case_sensitive", false)))
}

func first(f *frame, v any, _ call) (any, error) {
	list, err := f.iterate(v)
	if err != nil || len(list) == 0 {
		return undefined{"No first item, sequence was empty."}, err
	}
	return plain(list[0]), nil
}

func last(f *frame, v any, _ call) (any, error) {
	list, err := f.iterate(v)
	if err != nil || len(list) == 0 {
		return undefined{"No last item, sequence was empty."}, err
	}
	return plain(list[len(list)-1]), nil
}

func reverse(f *frame, v any, _ call) (any, error) {
	list, err := f.iterate(v)
	if err != nil {
		return nil, err
	}
	list = slices.Clone(list)
	slices.Reverse(list)
	if _, ok := v.(string); !ok {
		return list, f.charge(16 * len(list))
	}
	var b strings.Builder
	for _, r := range list {
		b.WriteString(r.(string))
	}
	return b.String(), nil
}

// path is the value of an attribute as filters name it: "function.name", or an index.
func (f *frame) path(v, attr any) (any, error) {
	name, ok := attr.(string)
	if !ok {
		return f.item(v, attr)
	}
	var err error
	for part := range strings.SplitSeq(name, ".") {
		var key any = part
		if n, err := strconv.ParseInt(part, 10, 64); err == nil {
			key = n
		}
		if v, err = f.item(v, key); err != nil {
			return nil, err
		}
	}
	return v, nil
}

// sort orders by a key, text without regard to case unless told.
func (f *frame) sort(list []any, key func(any) (any, error), descending, caseSensitive bool) (any, error) {
	if err := f.charge(32 * len(list)); err != nil {
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
		n, err := f.compare("<", plain(x), plain(y))
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
func (f *frame) key(attr any) func(any) (any, error) {
	return func(v any) (any, error) {
		if attr == nil {
			return v, nil
		}
		return f.path(v, attr)
	}
}

func sorted(f *frame, v any, c call) (any, error) {
	list, err := f.iterate(v)
	if err != nil {
		return nil, err
	}
	return f.sort(list, f.key(c.arg(2, "attribute", nil)), truthy(c.arg(0, "reverse", false)), truthy(c.arg(1, "case_sensitive", false)))
}

func unique(f *frame, v any, c call) (any, error) {
	list, err := f.iterate(v)
	if err != nil {
		return nil, err
	}
	key, fold := f.key(c.arg(1, "attribute", nil)), !truthy(c.arg(0, "case_sensitive", false))
	var out, seen []any
	for _, item := range list {
		k, err := key(item)
		if err != nil {
			return nil, err
		}
		if fold {
			k = folded(k)
		}
		found, err := f.contains(seen, k)
		if err != nil {
			return nil, err
		}
		if !found {
			seen, out = append(seen, k), append(out, item)
		}
	}
	return out, nil
}

func extreme(sign int) filter {
	return func(f *frame, v any, c call) (any, error) {
		list, err := sorted(f, v, call{named: pyjson.NewObject(pyjson.Member{Key: "attribute", Value: c.arg(1, "attribute", nil)})})
		if err != nil {
			return nil, err
		}
		if sign < 0 {
			return first(f, list, call{})
		}
		return last(f, list, call{})
	}
}

func sum(f *frame, v any, c call) (any, error) {
	list, err := f.iterate(v)
	if err != nil {
		return nil, err
	}
	key, total := f.key(c.arg(0, "attribute", nil)), c.arg(1, "start", int64(0))
	for _, item := range list {
		x, err := key(item)
		if err != nil {
			return nil, err
		}
		if total, err = (&binaryExpr{"+", constExpr{total}, constExpr{plain(x)}}).eval(f); err != nil {
			return nil, err
		}
	}
	return total, nil
}

func batch(f *frame, v any, c call) (any, error) {
	list, err := f.iterate(v)
	if err != nil {
		return nil, err
	}
	n, err := c.int(0, "linecount", 1)
	if err != nil || n < 1 {
		return nil, failf("batch takes a number above 0")
	}
	out := []any{}
	for chunk := range slices.Chunk(list, int(min(n, math.MaxInt32))) {
		out = append(out, slices.Clone(chunk))
	}
	return out, f.charge(48 * len(list))
}

func mapItems(f *frame, v any, c call) (any, error) {
	list, err := f.iterate(v)
	if err != nil {
		return nil, err
	}
	out := make([]any, len(list))
	if attr := c.arg(len(c.args), "attribute", nil); attr != nil {
		for i, item := range list {
			if out[i], err = f.path(item, attr); err != nil {
				return nil, err
			}
			if d, ok := c.named.Get("default"); ok {
				if out[i], err = orDefault(f, out[i], call{args: []any{d}}); err != nil {
					return nil, err
				}
			}
		}
		return out, nil
	}
	fn, rest, err := named(filters, "filter", c.args)
	if err != nil {
		return nil, err
	}
	for i, item := range list {
		if out[i], err = fn(f, plain(item), call{args: rest, named: c.named}); err != nil {
			return nil, err
		}
	}
	return out, f.charge(16 * len(out))
}

func named(table map[string]filter, what string, args []any) (fn filter, rest []any, err error) {
	if len(args) == 0 {
		return nil, nil, failf("map requires a filter argument")
	}
	name, _ := args[0].(string)
	if table[name] == nil {
		return nil, nil, failf("No %s named '%s'.", what, name)
	}
	return table[name], args[1:], nil
}

// choose is select, reject and the two that look at an attribute.
func choose(want, byAttr bool) filter {
	return func(f *frame, v any, c call) (any, error) {
		list, err := f.iterate(v)
		if err != nil {
			return nil, err
		}
		var attr any
		args := c.args
		if byAttr {
			if len(args) == 0 {
				return nil, failf("Missing parameter for attribute name")
			}
			attr, args = args[0], args[1:]
		}
		test := filter(func(_ *frame, v any, _ call) (any, error) { return truthy(v), nil })
		if len(args) > 0 {
			if test, args, err = named(tests, "test", args); err != nil {
				return nil, err
			}
		}
		out := []any{}
		for _, item := range list {
			x, err := f.key(attr)(item)
			if err != nil {
				return nil, err
			}
			ok, err := test(f, plain(x), call{args: args})
			if err != nil {
				return nil, err
			}
			if truthy(ok) == want {
				out = append(out, item)
			}
		}
		return out, f.charge(16 * len(out))
	}
}
