package jinja

import (
	"html"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
)

// filter is a filter or a test: v is what stands before the bar, or before "is".
type filter func(f *frame, v any, c call) (any, error)

var filters map[string]filter

func init() { // the table refers to itself: map and select name other filters
	filters = map[string]filter{
		"tojson": toJSON, "default": orDefault, "d": orDefault, "length": length, "count": length,
		"trim": byMethod("strip"), "upper": byMethod("upper"), "lower": byMethod("lower"), "title": byMethod("title"),
		"capitalize": byMethod("capitalize"), "replace": byMethod("replace"),
		"string": func(f *frame, v any, _ call) (any, error) { return f.str(v) },
		"safe":   func(_ *frame, v any, _ call) (any, error) { return v, nil },
		"escape": escape, "e": escape,
		"int": toInt, "float": toFloat, "abs": abs, "round": round, "indent": indent, "join": join,
		"list":  func(f *frame, v any, _ call) (any, error) { return f.iterate(v) },
		"items": items, "dictsort": dictSort, "first": first, "last": last, "reverse": reverse, "sort": sorted, "unique": unique,
		"min": extreme(-1), "max": extreme(1), "sum": sum, "batch": batch, "map": mapItems,
		"select": choose(true, false), "reject": choose(false, false),
		"selectattr": choose(true, true), "rejectattr": choose(false, true),
		"format": func(f *frame, v any, c call) (any, error) {
			s, err := f.str(v)
			if err != nil {
				return nil, err
			}
			return f.printf(s, c.args)
		},
	}
}

// byMethod is a filter that calls the method of a string.
func byMethod(name string) filter {
	return func(f *frame, v any, c call) (any, error) {
		s, err := f.str(v)
		if err != nil {
			return nil, err
		}
		return method(s, name).(function)(f, c)
	}
}

func toJSON(f *frame, v any, c call) (any, error) {
	how := &jsonFormat{item: ", ", key: ": ", ascii: truthy(c.arg(0, "ensure_ascii", false)), sorted: truthy(c.arg(3, "sort_keys", false))}
	switch indent := c.arg(1, "indent", nil).(type) {
	case string:
		how.pretty, how.indent, how.item = true, indent, ","
	case int64:
		if indent > 100 {
			return nil, ErrTooMuch
		}
		how.pretty, how.indent, how.item = true, strings.Repeat(" ", int(max(indent, 0))), ","
	}
	if pair, ok := sequence(c.arg(2, "separators", nil)); ok && len(pair) == 2 {
		var ok1, ok2 bool
		how.item, ok1 = pair[0].(string)
		how.key, ok2 = pair[1].(string)
		if !ok1 || !ok2 {
			return nil, failf("separators must be strings")
		}
	}
	b, err := f.json(nil, v, how, 0)
	return string(b), err
}

func orDefault(_ *frame, v any, c call) (any, error) {
	_, missing := v.(undefined)
	if missing || truthy(c.arg(1, "boolean", false)) && !truthy(v) {
		return c.arg(0, "default_value", ""), nil
	}
	return v, nil
}

func length(f *frame, v any, _ call) (any, error) {
	switch v := v.(type) {
	case string:
		return int64(utf8.RuneCountInString(v)), f.charge(len(v))
	case *pyjson.Object:
		return int64(v.Len()), nil
	case undefined:
		return int64(0), nil
	}
	items, ok := sequence(v)
	if !ok {
		return nil, failf("object of type '%s' has no len()", typeName(v))
	}
	return int64(len(items)), nil
}

func escape(f *frame, v any, _ call) (any, error) {
	s, err := f.str(v)
	if err != nil {
		return nil, err
	}
	return html.EscapeString(s), f.charge(5 * len(s))
}

func toInt(_ *frame, v any, c call) (any, error) {
	otherwise := c.arg(0, "default", int64(0))
	if i, x, isInt, ok := number(v); ok && isInt {
		return i, nil
	} else if ok {
		return whole(x)
	}
	s, _ := v.(string)
	s = strings.TrimSpace(s)
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return n, nil
	}
	if x, err := strconv.ParseFloat(s, 64); err == nil {
		return whole(x)
	}
	return otherwise, nil
}

func toFloat(_ *frame, v any, c call) (any, error) {
	if _, x, _, ok := number(v); ok {
		return x, nil
	}
	if s, ok := v.(string); ok {
		if x, err := strconv.ParseFloat(strings.TrimSpace(s), 64); err == nil {
			return x, nil
		}
	}
	return c.arg(0, "default", 0.0), nil
}

func abs(_ *frame, v any, _ call) (any, error) {
	i, x, isInt, ok := number(v)
	switch {
	case !ok:
		return nil, failf("bad operand type for abs(): '%s'", typeName(v))
	case isInt && i < 0:
		return -i, nil
	case isInt:
		return i, nil
	}
	return math.Abs(x), nil
}

func round(_ *frame, v any, c call) (any, error) {
	_, x, _, ok := number(v)
	digits, err := c.int(0, "precision", 0)
	if !ok || err != nil {
		return nil, failf("type %s doesn't define __round__ method", typeName(v))
	}
	scale := math.Pow(10, float64(max(-300, min(digits, 300))))
	switch c.arg(1, "method", "common") {
	case "ceil":
		return math.Ceil(x*scale) / scale, nil
	case "floor":
		return math.Floor(x*scale) / scale, nil
	}
	return math.RoundToEven(x*scale) / scale, nil
}

func indent(f *frame, v any, c call) (any, error) {
	s, err := f.str(v)
	if err != nil {
		return nil, err
	}
	by, isText := c.arg(0, "width", int64(4)).(string)
	if !isText {
		n, err := c.int(0, "width", 4)
		if err != nil {
			return nil, err
		}
		if n > 1000 {
			return nil, ErrTooMuch
		}
		by = strings.Repeat(" ", int(max(n, 0)))
	}
	if err := f.charge(len(s) + strings.Count(s, "\n")*len(by)); err != nil {
		return nil, err
	}
	lines := strings.Split(s, "\n")
	for i, line := range lines {
		if i == 0 && !truthy(c.arg(1, "first", false)) || i > 0 && line == "" && !truthy(c.arg(2, "blank", false)) {
			continue
		}
		lines[i] = by + line
	}
	return strings.Join(lines, "\n"), nil
}

func join(f *frame, v any, c call) (any, error) {
	list, err := f.iterate(v)
	if err != nil {
		return nil, err
	}
	sep, err := c.text(0, "d", "")
	if err != nil {
		return nil, err
	}
	attr := c.arg(1, "attribute", nil)
	parts := make([]string, len(list))
	for i, item := range list {
		if attr != nil {
			if item, err = f.path(item, attr); err != nil {
				return nil, err
			}
		}
		if parts[i], err = f.str(item); err != nil {
			return nil, err
		}
		if err := f.charge(len(parts[i]) + len(sep)); err != nil {
			return nil, err
		}
	}
	return joinBounded(parts, sep)
}
