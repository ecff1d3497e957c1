package operators

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/template/jinja/value"
)

func mapped(f func(string) string) stringMethod {
	return func(s string, _ value.Call) (any, error) { return f(s), nil }
}

func every(f func(rune) bool) stringMethod {
	return func(s string, _ value.Call) (any, error) {
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

func strip(s string, c value.Call, left, right bool) (any, error) {
	in := pySpace
	if chars := c.Arg(0, "chars", nil); chars != nil {
		set, err := c.Text(0, "chars", "")
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

func affix(s string, c value.Call, has func(s, affix string) bool) (any, error) {
	v := c.Arg(0, "", nil)
	options, ok := v.(value.Tuple)
	if !ok {
		options = value.Tuple{v}
	}
	for _, o := range options {
		p, ok := o.(string)
		if !ok {
			if err := value.Usable(o); err != nil {
				return nil, err
			}
			return nil, value.Failf("startswith first arg must be str or a tuple of str, not %s", value.TypeName(o))
		}
		if has(s, p) {
			return true, nil
		}
	}
	return false, nil
}

func split(s string, c value.Call, fromRight bool) (any, error) {
	most, err := c.Int(1, "maxsplit", -1)
	if err != nil {
		return nil, err
	}
	if most < 0 {
		most = int64(len(s)) + 1
	}
	var parts []string
	if c.Arg(0, "sep", nil) == nil {
		parts = splitSpace(s, most, fromRight)
	} else {
		sep, err := c.Text(0, "sep", "")
		if err != nil {
			return nil, err
		}
		if sep == "" {
			return nil, value.Failf("empty separator")
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

func replace(s string, c value.Call) (any, error) {
	old, err := c.Text(0, "old", "")
	if err != nil {
		return nil, err
	}
	now, err := c.Text(1, "new", "")
	if err != nil {
		return nil, err
	}
	n, err := c.Int(2, "count", -1)
	if err != nil {
		return nil, err
	}
	if len(s)+(strings.Count(s, old)+1)*len(now) > value.MaxBuilt {
		return nil, value.ErrTooMuch
	}
	return strings.Replace(s, old, now, int(max(n, -1))), nil
}

// Join is strings.Join for what may be many references to one long string.
func Join(parts []string, sep string) (any, error) {
	size := 0
	for _, p := range parts {
		if size += len(p) + len(sep); size > value.MaxBuilt {
			return nil, value.ErrTooMuch
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
