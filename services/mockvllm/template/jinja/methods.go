package jinja

import (
	"strings"
	"unicode"
	"unicode/utf8"

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

func mapped(f func(string) string) stringMethod {
	return func(s string, _ call) (any, error) { return f(s), nil }
}

func every(f func(rune) bool) stringMethod {
	return func(s string, _ call) (any, error) {
		return s != "" && strings.IndexFunc(s, func(r rune) bool { return !f(r) }) < 0, nil
	}
}

func title(s string) string {
	inWord := false
	return strings.Map(func(r rune) rune {
		was := inWord
		inWord = unicode.IsLetter(r)
		if was {
			return unicode.ToLower(r)
		}
		return unicode.ToTitle(r)
	}, s)
}

func capitalize(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	if n == 0 {
		return s
	}
	return string(unicode.ToTitle(r)) + strings.ToLower(s[n:])
}

// pySpace is what str.strip and str.split take for white space.
func pySpace(r rune) bool { return unicode.IsSpace(r) || r >= 0x1C && r <= 0x1F }

func strip(s string, c call, left, right bool) (any, error) {
	in := pySpace
	if chars := c.arg(0, "chars", nil); chars != nil {
		set, err := c.text(0, "chars", "")
		if err != nil {
			return nil, err
		}
		in = func(r rune) bool { return strings.ContainsRune(set, r) }
	}
	if left {
		s = strings.TrimLeftFunc(s, in)
	}
	if right {
		s = strings.TrimRightFunc(s, in)
	}
	return s, nil
}

func affix(s string, c call, has func(s, affix string) bool) (any, error) {
	v := c.arg(0, "", nil)
	options, ok := v.(tuple)
	if !ok {
		options = tuple{v}
	}
	for _, o := range options {
		p, ok := o.(string)
		if !ok {
			if err := usable(o); err != nil {
				return nil, err
			}
			return nil, failf("startswith first arg must be str or a tuple of str, not %s", typeName(o))
		}
		if has(s, p) {
			return true, nil
		}
	}
	return false, nil
}

func split(s string, c call, fromRight bool) (any, error) {
	most, err := c.int(1, "maxsplit", -1)
	if err != nil {
		return nil, err
	}
	if most < 0 {
		most = int64(len(s)) + 1
	}
	var parts []string
	if c.arg(0, "sep", nil) == nil {
		parts = splitSpace(s, most, fromRight)
	} else {
		sep, err := c.text(0, "sep", "")
		if err != nil {
			return nil, err
		}
		if sep == "" {
			return nil, failf("empty separator")
		}
		parts = splitBy(s, sep, most, fromRight)
	}
	out := make([]any, len(parts))
	for i, p := range parts {
		out[i] = p
	}
	return out, nil
}

func splitBy(s, sep string, most int64, fromRight bool) []string {
	if !fromRight {
		return strings.SplitN(s, sep, int(most)+1)
	}
	all := strings.Split(s, sep)
	if keep := len(all) - int(most); keep > 1 {
		return append([]string{strings.Join(all[:keep], sep)}, all[keep:]...)
	}
	return all
}

func splitSpace(s string, most int64, fromRight bool) []string {
	all := strings.FieldsFunc(s, pySpace)
	if int64(len(all)) <= most {
		return all
	}
	if fromRight {
		tail := all[len(all)-int(most):]
		head := strings.TrimFunc(s, pySpace)
		for i := len(tail) - 1; i >= 0; i-- {
			head = strings.TrimRightFunc(strings.TrimSuffix(head, tail[i]), pySpace)
		}
		return append([]string{head}, tail...)
	}
	rest := strings.TrimLeftFunc(s, pySpace)
	for _, word := range all[:most] {
		rest = strings.TrimLeftFunc(strings.TrimPrefix(rest, word), pySpace)
	}
	return append(all[:most:most], rest)
}

func splitLines(s string) []any {
	out := []any{}
	s = strings.ReplaceAll(s, "\r\n", "\n")
	for s != "" {
		n := strings.IndexAny(s, "\n\r\v\f\x1c\x1d\x1e\u0085\u2028\u2029")
		if n < 0 {
			return append(out, s)
		}
		out = append(out, s[:n])
		_, size := utf8.DecodeRuneInString(s[n:])
		s = s[n+size:]
	}
	return out
}

func replace(s string, c call) (any, error) {
	old, err := c.text(0, "old", "")
	if err != nil {
		return nil, err
	}
	now, err := c.text(1, "new", "")
	if err != nil {
		return nil, err
	}
	n, err := c.int(2, "count", -1)
	if err != nil {
		return nil, err
	}
	if len(s)+(strings.Count(s, old)+1)*len(now) > maxBuilt {
		return nil, ErrTooMuch
	}
	return strings.Replace(s, old, now, int(max(n, -1))), nil
}

// joinBounded is strings.Join for what may be many references to one long string.
func joinBounded(parts []string, sep string) (any, error) {
	size := 0
	for _, p := range parts {
		if size += len(p) + len(sep); size > maxBuilt {
			return nil, ErrTooMuch
		}
	}
	return strings.Join(parts, sep), nil
}

func runeIndex(s string, at int) int64 {
	if at < 0 {
		return -1
	}
	return int64(utf8.RuneCountInString(s[:at]))
}
