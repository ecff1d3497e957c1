package builtin

import (
	"html"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/template/jinja/operators"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/template/jinja/value"
)

// Filter is a filter or a test: v is what stands before the bar, or before "is".
type Filter func(q *value.Quota, v any, c value.Call) (any, error)

// Filters are those of Jinja2 and of transformers, by name.
var Filters map[string]Filter

func init() { // the table refers to itself: map and select name other filters
	Filters = map[string]Filter{
		"tojson": toJSON, "default": orDefault, "d": orDefault, "length": length, "count": length,
		"trim": byMethod("strip"), "upper": byMethod("upper"), "lower": byMethod("lower"), "title": byMethod("title"),
		"capitalize": byMethod("capitalize"), "replace": byMethod("replace"),
		"string": func(q *value.Quota, v any, _ value.Call) (any, error) { return q.Str(v) },
		"safe":   func(_ *value.Quota, v any, _ value.Call) (any, error) { return v, nil },
		"escape": escape, "e": escape,
		"int": toInt, "float": toFloat, "abs": abs, "round": round, "indent": indent, "join": join,
		"list":  func(q *value.Quota, v any, _ value.Call) (any, error) { return q.Iterate(v) },
		"items": items, "dictsort": dictSort, "first": first, "last": last, "reverse": reverse, "sort": sorted, "unique": unique,
		"min": extreme(-1), "max": extreme(1), "sum": sum, "batch": batch, "map": mapItems,
		"select": choose(true, false), "reject": choose(false, false),
		"selectattr": choose(true, true), "rejectattr": choose(false, true),
		"format": func(q *value.Quota, v any, c value.Call) (any, error) {
			s, err := q.Str(v)
			if err != nil {
				return nil, err
			}
			return operators.Printf(q, s, c.Args)
		},
	}
}

// byMethod is a filter that calls the method of a string.
func byMethod(name string) Filter {
	return func(q *value.Quota, v any, c value.Call) (any, error) {
		s, err := q.Str(v)
		if err != nil {
			return nil, err
		}
		return operators.Method(s, name).(value.Function)(q, c)
	}
}

func toJSON(q *value.Quota, v any, c value.Call) (any, error) {
	how := &value.JSONFormat{Item: ", ", Key: ": ", ASCII: value.Truthy(c.Arg(0, "ensure_ascii", false)), Sorted: value.Truthy(c.Arg(3, "sort_keys", false))}
	switch indent := c.Arg(1, "indent", nil).(type) {
	case string:
		how.Pretty, how.Indent, how.Item = true, indent, ","
	case int64:
		if indent > 100 {
			return nil, value.ErrTooMuch
		}
		how.Pretty, how.Indent, how.Item = true, strings.Repeat(" ", int(max(indent, 0))), ","
	}
	if pair, ok := value.Sequence(c.Arg(2, "separators", nil)); ok && len(pair) == 2 {
		var ok1, ok2 bool
		how.Item, ok1 = pair[0].(string)
		how.Key, ok2 = pair[1].(string)
		if !ok1 || !ok2 {
			return nil, value.Failf("separators must be strings")
		}
	}
	b, err := q.JSON(nil, v, how, 0)
	return string(b), err
}

func orDefault(_ *value.Quota, v any, c value.Call) (any, error) {
	_, missing := v.(value.Undefined)
	if missing || value.Truthy(c.Arg(1, "boolean", false)) && !value.Truthy(v) {
		return c.Arg(0, "default_value", ""), nil
	}
	return v, nil
}

func length(q *value.Quota, v any, _ value.Call) (any, error) {
	switch v := v.(type) {
	case string:
		return int64(utf8.RuneCountInString(v)), q.Charge(len(v))
	case *pyjson.Object:
		return int64(v.Len()), nil
	case value.Undefined:
		return int64(0), nil
	}
	items, ok := value.Sequence(v)
	if !ok {
		return nil, value.Failf("object of type '%s' has no len()", value.TypeName(v))
	}
	return int64(len(items)), nil
}

func escape(q *value.Quota, v any, _ value.Call) (any, error) {
	s, err := q.Str(v)
	if err != nil {
		return nil, err
	}
	return html.EscapeString(s), q.Charge(5 * len(s))
}

func toInt(_ *value.Quota, v any, c value.Call) (any, error) {
	otherwise := c.Arg(0, "default", int64(0))
	if i, x, isInt, ok := value.Number(v); ok && isInt {
		return i, nil
	} else if ok {
		return value.Whole(x)
	}
	s, _ := v.(string)
	s = strings.TrimSpace(s)
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return n, nil
	}
	if x, err := strconv.ParseFloat(s, 64); err == nil {
		return value.Whole(x)
	}
	return otherwise, nil
}

func toFloat(_ *value.Quota, v any, c value.Call) (any, error) {
	if _, x, _, ok := value.Number(v); ok {
		return x, nil
	}
	if s, ok := v.(string); ok {
		if x, err := strconv.ParseFloat(strings.TrimSpace(s), 64); err == nil {
			return x, nil
		}
	}
	return c.Arg(0, "default", 0.0), nil
}

func abs(_ *value.Quota, v any, _ value.Call) (any, error) {
	i, x, isInt, ok := value.Number(v)
	switch {
	case !ok:
		return nil, value.Failf("bad operand type for abs(): '%s'", value.TypeName(v))
	case isInt && i < 0:
		return -i, nil
	case isInt:
		return i, nil
	}
	return math.Abs(x), nil
}

func round(_ *value.Quota, v any, c value.Call) (any, error) {
	_, x, _, ok := value.Number(v)
	digits, err := c.Int(0, "precision", 0)
	if !ok || err != nil {
		return nil, value.Failf("type %s doesn't define __round__ method", value.TypeName(v))
	}
	scale := math.Pow(10, float64(max(-300, min(digits, 300))))
	switch c.Arg(1, "method", "common") {
	case "ceil":
		return math.Ceil(x*scale) / scale, nil
	case "floor":
		return math.Floor(x*scale) / scale, nil
	}
	return math.RoundToEven(x*scale) / scale, nil
}

func indent(q *value.Quota, v any, c value.Call) (any, error) {
	s, err := q.Str(v)
	if err != nil {
		return nil, err
	}
	by, isText := c.Arg(0, "width", int64(4)).(string)
	if !isText {
		n, err := c.Int(0, "width", 4)
		if err != nil {
			return nil, err
		}
		if n > 1000 {
			return nil, value.ErrTooMuch
		}
		by = strings.Repeat(" ", int(max(n, 0)))
	}
	if err := q.Charge(len(s) + strings.Count(s, "\n")*len(by)); err != nil {
		return nil, err
	}
	lines := strings.Split(s, "\n")
	for i, line := range lines {
		if i == 0 && !value.Truthy(c.Arg(1, "first", false)) || i > 0 && line == "" && !value.Truthy(c.Arg(2, "blank", false)) {
			continue
		}
		lines[i] = by + line
	}
	return strings.Join(lines, "\n"), nil
}

func join(q *value.Quota, v any, c value.Call) (any, error) {
	list, err := q.Iterate(v)
	if err != nil {
		return nil, err
	}
	sep, err := c.Text(0, "d", "")
	if err != nil {
		return nil, err
	}
	attr := c.Arg(1, "attribute", nil)
	parts := make([]string, len(list))
	for i, item := range list {
		if attr != nil {
			if item, err = path(q, item, attr); err != nil {
				return nil, err
			}
		}
		if parts[i], err = q.Str(item); err != nil {
			return nil, err
		}
		if err := q.Charge(len(parts[i]) + len(sep)); err != nil {
			return nil, err
		}
	}
	return operators.Join(parts, sep)
}
