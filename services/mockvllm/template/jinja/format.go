package jinja

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// strftime is what datetime.now().strftime(format) gives, in the C locale.
func strftime(format string) string {
	now := time.Now()
	layouts := map[byte]string{'Y': "2006", 'y': "06", 'm': "01", 'd': "02", 'B': "January", 'b': "Jan", 'h': "Jan", 'A': "Monday", 'a': "Mon",
		'H': "15", 'I': "03", 'M': "04", 'S': "05", 'p': "PM", 'j': "002", 'F': "2006-01-02", 'T': "15:04:05", 'D': "01/02/06", 'R': "15:04",
		'e': "_2", 'f': "000000", 'c': "Mon Jan _2 15:04:05 2006", 'x': "01/02/06", 'X': "15:04:05"}
	var b strings.Builder
	for i := 0; i < len(format); i++ {
		if format[i] != '%' || i+1 == len(format) {
			b.WriteByte(format[i])
			continue
		}
		i++
		strip := format[i] == '-' && i+1 < len(format)
		if strip {
			i++
		}
		layout, ok := layouts[format[i]]
		switch {
		case ok && strip:
			b.WriteString(strings.TrimLeft(now.Format(layout), "0 "))
		case ok:
			b.WriteString(now.Format(layout))
		case format[i] == 'w':
			b.WriteString(strconv.Itoa(int(now.Weekday())))
		case format[i] == '%':
			b.WriteByte('%')
		case format[i] == 'n':
			b.WriteByte('\n')
		case format[i] != 'Z' && format[i] != 'z': // a naive time has no zone
			b.WriteString("%" + string(format[i]))
		}
	}
	return b.String()
}

// printf is Python's format % args, for %s, %r, %d, %f and %%.
func (f *frame) printf(format string, args []any) (any, error) {
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
			return nil, failf("incomplete format")
		}
		if format[i] == '%' {
			b.WriteByte('%')
			continue
		}
		if len(args) == 0 {
			return nil, failf("not enough arguments for format string")
		}
		text, err := f.printArg(format[start:i], format[i], args[0])
		if err != nil {
			return nil, err
		}
		args = args[1:]
		b.WriteString(text)
	}
	if len(args) > 0 {
		return nil, failf("not all arguments converted during string formatting")
	}
	return b.String(), f.charge(b.Len())
}

func (f *frame) printArg(flags string, verb byte, v any) (string, error) {
	i, x, isInt, ok := number(v)
	switch {
	case verb == 's':
		s, err := f.str(v)
		return fmt.Sprintf(flags+"s", s), err
	case verb == 'r':
		s, err := f.repr(nil, v)
		return fmt.Sprintf(flags+"s", s), err
	case strings.IndexByte("di", verb) >= 0 && ok:
		if !isInt {
			i = int64(x)
		}
		return fmt.Sprintf(flags+"d", i), nil
	case strings.IndexByte("fFeEgG", verb) >= 0 && ok:
		return fmt.Sprintf(flags+string(verb), x), nil
	}
	return "", failf("unsupported format character '%c'", verb)
}
