package jinja

import (
	"strings"
	"unicode"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
)

// arg returns the i-th argument, or the one of that name, or otherwise.
func (c call) arg(i int, name string, otherwise any) any {
	if i < len(c.args) {
		return plain(c.args[i])
	}
	if v, ok := c.named.Get(name); ok {
		return plain(v)
	}
	return otherwise
}

func (c call) text(i int, name, otherwise string) (string, error) {
	v := c.arg(i, name, otherwise)
	if s, ok := v.(string); ok {
		return s, nil
	}
	if err := usable(v); err != nil {
		return "", err
	}
	return "", failf("argument %d must be str, not %s", i+1, typeName(v))
}

func (c call) int(i int, name string, otherwise int64) (int64, error) {
	v := c.arg(i, name, otherwise)
	if n, _, isInt, ok := number(v); ok && isInt {
		return n, nil
	}
	return 0, failf("'%s' object cannot be interpreted as an integer", typeName(v))
}

// method returns the method of a value, or nil.
func method(v any, name string) any {
	switch v := v.(type) {
	case string:
		if m, ok := stringMethods[name]; ok {
			return function(func(f *frame, c call) (any, error) {
				if err := f.charge(len(v)); err != nil {
					return nil, err
				}
				out, err := m(v, c)
				if s, ok := out.(string); ok && err == nil {
					err = f.charge(len(s))
				} else if items, ok := out.([]any); ok {
					err = f.charge(16 * len(items))
				}
				return out, err
			})
		}
	case *pyjson.Object:
		if m, ok := dictMethods[name]; ok {
			return function(func(f *frame, c call) (any, error) {
				if err := f.charge(32 * v.Len()); err != nil {
					return nil, err
				}
				return m(v, c)
			})
		}
	case []any, tuple:
		items, _ := sequence(v)
		switch name {
		case "index", "count":
			return function(func(f *frame, c call) (any, error) { return f.search(items, name == "count", c) })
		case "append", "clear", "pop", "reverse", "insert", "sort", "extend", "remove":
			return function(func(*frame, call) (any, error) {
				return nil, failf("access to attribute '%s' of 'list' object is unsafe.", name)
			})
		}
	}
	return nil
}

func (f *frame) search(items []any, count bool, c call) (any, error) {
	n := int64(0)
	for i, item := range items {
		same, err := f.equal(item, c.arg(0, "", nil))
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
		return nil, failf("%s is not in list", pyjson.Repr(c.arg(0, "", nil)))
	}
	return n, nil
}

var dictMethods = map[string]func(*pyjson.Object, call) (any, error){
	"items": func(o *pyjson.Object, _ call) (any, error) {
		out := make([]any, 0, o.Len())
		for k, v := range o.All() {
			out = append(out, tuple{k, plain(v)})
		}
		return out, nil
	},
	"keys": func(o *pyjson.Object, _ call) (any, error) {
		out := make([]any, 0, o.Len())
		for k := range o.All() {
			out = append(out, k)
		}
		return out, nil
	},
	"values": func(o *pyjson.Object, _ call) (any, error) {
		out := make([]any, 0, o.Len())
		for _, v := range o.All() {
			out = append(out, plain(v))
		}
		return out, nil
	},
	"get": func(o *pyjson.Object, c call) (any, error) {
		if key, ok := c.arg(0, "", nil).(string); ok {
			if v, ok := o.Get(key); ok {
				return plain(v), nil
			}
		}
		return c.arg(1, "", nil), nil
	},
	"copy": func(o *pyjson.Object, _ call) (any, error) { return o.Clone(), nil },
}

type stringMethod func(s string, c call) (any, error)

var stringMethods = map[string]stringMethod{
	"upper":      mapped(strings.ToUpper),
	"lower":      mapped(strings.ToLower),
	"title":      mapped(title),
	"capitalize": mapped(capitalize),
	"strip":      func(s string, c call) (any, error) { return strip(s, c, true, true) },
	"lstrip":     func(s string, c call) (any, error) { return strip(s, c, true, false) },
	"rstrip":     func(s string, c call) (any, error) { return strip(s, c, false, true) },
	"startswith": func(s string, c call) (any, error) { return affix(s, c, strings.HasPrefix) },
	"endswith":   func(s string, c call) (any, error) { return affix(s, c, strings.HasSuffix) },
	"removeprefix": func(s string, c call) (any, error) {
		p, err := c.text(0, "", "")
		return strings.TrimPrefix(s, p), err
	},
	"removesuffix": func(s string, c call) (any, error) {
		p, err := c.text(0, "", "")
		return strings.TrimSuffix(s, p), err
	},
	"split":      func(s string, c call) (any, error) { return split(s, c, false) },
	"rsplit":     func(s string, c call) (any, error) { return split(s, c, true) },
	"splitlines": func(s string, _ call) (any, error) { return splitLines(s), nil },
	"replace":    replace,
	"find": func(s string, c call) (any, error) {
		sub, err := c.text(0, "", "")
		return runeIndex(s, strings.Index(s, sub)), err
	},
	"rfind": func(s string, c call) (any, error) {
		sub, err := c.text(0, "", "")
		return runeIndex(s, strings.LastIndex(s, sub)), err
	},
	"index": func(s string, c call) (any, error) {
		sub, err := c.text(0, "", "")
		if at := strings.Index(s, sub); at >= 0 || err != nil {
			return runeIndex(s, at), err
		}
		return nil, failf("substring not found")
	},
	"count": func(s string, c call) (any, error) {
		sub, err := c.text(0, "", "")
		return int64(strings.Count(s, sub)), err
	},
	"join": func(s string, c call) (any, error) {
		items, ok := sequence(c.arg(0, "", nil))
		if !ok {
			return nil, failf("can only join an iterable")
		}
		parts := make([]string, len(items))
		for i, item := range items {
			if parts[i], ok = item.(string); !ok {
				return nil, failf("sequence item %d: expected str instance, %s found", i, typeName(item))
			}
		}
		return joinBounded(parts, s)
	},
	"isdigit": every(unicode.IsDigit),
	"isalpha": every(unicode.IsLetter),
	"isalnum": every(func(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) }),
	"isspace": every(unicode.IsSpace),
	"isupper": func(s string, _ call) (any, error) { return s == strings.ToUpper(s) && s != strings.ToLower(s), nil },
	"islower": func(s string, _ call) (any, error) { return s == strings.ToLower(s) && s != strings.ToUpper(s), nil },
}
