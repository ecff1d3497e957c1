package builtin

import (
	"strconv"
	"strings"
	"time"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/template/jinja/value"
)

// maxRange is MAX_RANGE of Jinja's sandbox.
const maxRange = 100_000

// Globals are the names that every template knows.
var Globals = map[string]any{
	"range": value.Function(rangeOf),
	"dict":  value.Function(func(q *value.Quota, c value.Call) (any, error) { return newDict(q, c) }),
	"namespace": value.Function(func(q *value.Quota, c value.Call) (any, error) {
		o, err := newDict(q, c)
		return &value.Namespace{Vars: o}, err
	}),
	"raise_exception": value.Function(func(q *value.Quota, c value.Call) (any, error) {
		s, err := q.Str(c.Arg(0, "message", nil))
		if err != nil {
			return nil, err
		}
		return nil, &value.Error{Message: s}
	}),
	"strftime_now": value.Function(func(q *value.Quota, c value.Call) (any, error) {
		format, err := c.Text(0, "format", "")
		if err != nil {
			return nil, err
		}
		return strftime(format), q.Charge(16 * len(format))
	}),
}

// newDict is dict(mapping, key=value, ...).
func newDict(q *value.Quota, c value.Call) (*pyjson.Object, error) {
	o := &pyjson.Object{}
	if from, ok := c.Arg(0, "", nil).(*pyjson.Object); ok && len(c.Args) > 0 {
		o = from.Clone()
	}
	for k, v := range c.Named.All() {
		o.Set(k, v)
	}
	return o, q.Charge(64 * (1 + o.Len()))
}

func rangeOf(q *value.Quota, c value.Call) (any, error) {
	start, stop, step := int64(0), int64(0), int64(1)
	for i, to := range [][]*int64{{}, {&stop}, {&start, &stop}, {&start, &stop, &step}}[min(len(c.Args), 3)] {
		n, err := c.Int(i, "", 0)
		if err != nil {
			return nil, err
		}
		*to = n
	}
	if step == 0 {
		return nil, value.Failf("range() arg 3 must not be zero")
	}
	out := []any{}
	for i := start; step > 0 && i < stop || step < 0 && i > stop; i += step {
		if len(out) >= maxRange {
			return nil, value.Failf("Range too big. The sandbox blocks ranges larger than MAX_RANGE (%d).", maxRange)
		}
		out = append(out, i)
	}
	return out, q.Charge(32 * len(out))
}

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
