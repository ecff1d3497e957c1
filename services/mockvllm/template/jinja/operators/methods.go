package operators

import (
	"strings"
	"unicode"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/template/jinja/value"
)

// Method returns the method of a value, or nil.
func Method(v any, name string) any {
	switch v := v.(type) {
	case string:
		if m, ok := stringMethods[name]; ok {
			return value.Function(func(q *value.Quota, c value.Call) (any, error) {
				if err := q.Charge(len(v)); err != nil {
					return nil, err
				}
				out, err := m(v, c)
				if s, ok := out.(string); ok && err == nil {
					err = q.Charge(len(s))
				} else if items, ok := out.([]any); ok {
					err = q.Charge(16 * len(items))
				}
				return out, err
			})
		}
	case *pyjson.Object:
		if m, ok := dictMethods[name]; ok {
			return value.Function(func(q *value.Quota, c value.Call) (any, error) {
				if err := q.Charge(32 * v.Len()); err != nil {
					return nil, err
				}
				return m(v, c)
			})
		}
	case []any, value.Tuple:
		items, _ := value.Sequence(v)
		switch name {
		case "index", "count":
			return value.Function(func(q *value.Quota, c value.Call) (any, error) { return search(q, items, name == "count", c) })
		case "append", "clear", "pop", "reverse", "insert", "sort", "extend", "remove":
			return value.Function(func(*value.Quota, value.Call) (any, error) {
				return nil, value.Failf("access to attribute '%s' of 'list' object is unsafe.", name)
			})
		}
	}
	return nil
}

func search(q *value.Quota, items []any, count bool, c value.Call) (any, error) {
	n := int64(0)
	for i, item := range items {
		same, err := q.Equal(item, c.Arg(0, "", nil))
		if err != nil {
			return nil, err
		}
		if same && !count {
			return int64(i), nil
		}
		if same {
			n++
		}
	}
	if !count {
		return nil, value.Failf("%s is not in list", pyjson.Repr(c.Arg(0, "", nil)))
	}
	return n, nil
}

// Items are the pairs of a dict.
func Items(o *pyjson.Object) []any {
	out := make([]any, 0, o.Len())
	for k, v := range o.All() {
		out = append(out, value.Tuple{k, value.Plain(v)})
	}
	return out
}

var dictMethods = map[string]func(*pyjson.Object, value.Call) (any, error){
	"items": func(o *pyjson.Object, _ value.Call) (any, error) { return Items(o), nil },
	"keys": func(o *pyjson.Object, _ value.Call) (any, error) {
		out := make([]any, 0, o.Len())
		for k := range o.All() {
			out = append(out, k)
		}
		return out, nil
	},
	"values": func(o *pyjson.Object, _ value.Call) (any, error) {
		out := make([]any, 0, o.Len())
		for _, v := range o.All() {
			out = append(out, value.Plain(v))
		}
		return out, nil
	},
	"get": func(o *pyjson.Object, c value.Call) (any, error) {
		if key, ok := c.Arg(0, "", nil).(string); ok {
			if v, ok := o.Get(key); ok {
				return value.Plain(v), nil
			}
		}
		return c.Arg(1, "", nil), nil
	},
	"copy": func(o *pyjson.Object, _ value.Call) (any, error) { return o.Clone(), nil },
}

type stringMethod func(s string, c value.Call) (any, error)

var stringMethods = map[string]stringMethod{
	"upper":      mapped(strings.ToUpper),
	"lower":      mapped(strings.ToLower),
	"title":      mapped(title),
	"capitalize": mapped(capitalize),
	"strip":      func(s string, c value.Call) (any, error) { return strip(s, c, true, true) },
	"lstrip":     func(s string, c value.Call) (any, error) { return strip(s, c, true, false) },
	"rstrip":     func(s string, c value.Call) (any, error) { return strip(s, c, false, true) },
	"startswith": func(s string, c value.Call) (any, error) { return affix(s, c, strings.HasPrefix) },
	"endswith":   func(s string, c value.Call) (any, error) { return affix(s, c, strings.HasSuffix) },
	"removeprefix": func(s string, c value.Call) (any, error) {
		p, err := c.Text(0, "", "")
		return strings.TrimPrefix(s, p), err
	},
	"removesuffix": func(s string, c value.Call) (any, error) {
		p, err := c.Text(0, "", "")
		return strings.TrimSuffix(s, p), err
	},
	"split":      func(s string, c value.Call) (any, error) { return split(s, c, false) },
	"rsplit":     func(s string, c value.Call) (any, error) { return split(s, c, true) },
	"splitlines": func(s string, _ value.Call) (any, error) { return splitLines(s), nil },
	"replace":    replace,
	"find": func(s string, c value.Call) (any, error) {
		sub, err := c.Text(0, "", "")
		return runeIndex(s, strings.Index(s, sub)), err
	},
	"rfind": func(s string, c value.Call) (any, error) {
		sub, err := c.Text(0, "", "")
		return runeIndex(s, strings.LastIndex(s, sub)), err
	},
	"index": func(s string, c value.Call) (any, error) {
		sub, err := c.Text(0, "", "")
		if at := strings.Index(s, sub); at >= 0 || err != nil {
			return runeIndex(s, at), err
		}
		return nil, value.Failf("substring not found")
	},
	"count": func(s string, c value.Call) (any, error) {
		sub, err := c.Text(0, "", "")
		return int64(strings.Count(s, sub)), err
	},
	"join": func(s string, c value.Call) (any, error) {
		items, ok := value.Sequence(c.Arg(0, "", nil))
		if !ok {
			return nil, value.Failf("can only join an iterable")
		}
		parts := make([]string, len(items))
		for i, item := range items {
			if parts[i], ok = item.(string); !ok {
				return nil, value.Failf("sequence item %d: expected str instance, %s found", i, value.TypeName(item))
			}
		}
		return Join(parts, s)
	},
	"isdigit": every(unicode.IsDigit),
	"isalpha": every(unicode.IsLetter),
	"isalnum": every(func(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) }),
	"isspace": every(unicode.IsSpace),
	"isupper": func(s string, _ value.Call) (any, error) {
		return s == strings.ToUpper(s) && s != strings.ToLower(s), nil
	},
	"islower": func(s string, _ value.Call) (any, error) {
		return s == strings.ToLower(s) && s != strings.ToUpper(s), nil
	},
}
