package operators

import (
	"fmt"
	"strings"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/template/jinja/value"
)

// Printf is Python's format % args, for %s, %r, %d, %f and %%.
func Printf(q *value.Quota, format string, args []any) (any, error) {
	var b strings.Builder
	for i := 0; i < len(format); i++ {
		if format[i] != '%' {
			b.WriteByte(format[i])
			continue
		}
		start := i
		for i++; i < len(format) && strings.IndexByte("-+ 0123456789.", format[i]) >= 0; i++ {
		}
		if i == len(format) || i-start > 6 {
			return nil, value.Failf("incomplete format")
		}
		if format[i] == '%' {
			b.WriteByte('%')
			continue
		}
		if len(args) == 0 {
			return nil, value.Failf("not enough arguments for format string")
		}
		text, err := printArg(q, format[start:i], format[i], args[0])
		if err != nil {
			return nil, err
		}
		args = args[1:]
		b.WriteString(text)
	}
	if len(args) > 0 {
		return nil, value.Failf("not all arguments converted during string formatting")
	}
	return b.String(), q.Charge(b.Len())
}

func printArg(q *value.Quota, flags string, verb byte, v any) (string, error) {
	i, x, isInt, ok := value.Number(v)
	switch {
	case verb == 's':
		s, err := q.Str(v)
		return fmt.Sprintf(flags+"s", s), err
	case verb == 'r':
		s, err := q.Repr(nil, v)
		return fmt.Sprintf(flags+"s", s), err
	case strings.IndexByte("di", verb) >= 0 && ok:
		if !isInt {
			i = int64(x)
		}
		return fmt.Sprintf(flags+"d", i), nil
	case strings.IndexByte("fFeEgG", verb) >= 0 && ok:
		return fmt.Sprintf(flags+string(verb), x), nil
	}
	return "", value.Failf("unsupported format character '%c'", verb)
}
