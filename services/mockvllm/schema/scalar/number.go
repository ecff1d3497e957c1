package scalar

import (
	"math"
	"math/big"
	"regexp"
	"strconv"
	"strings"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema/fault"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema/node"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema/python"
)

// Bounds of a number; nil where there is none.
type Bounds struct {
	Ge, Le, Gt, Lt *pyjson.Number
}

func (b Bounds) none() bool { return b == Bounds{} }

// unordered is NaN, which breaks every bound.
const unordered = 2

// check reports the first bound that is broken. compare gives the sign of the value less the bound.
func (b Bounds) check(r *node.Run, in any, compare func(pyjson.Number) int) bool {
	f := func(bound *pyjson.Number, k fault.Kind, name string, broken func(int) bool) bool {
		if bound == nil || !broken(compare(*bound)) {
			return false
		}
		text := string(*bound)
		if !bound.IsInt() { // Rust writes it, not Python
			text = strconv.FormatFloat(bound.Float(), 'f', -1, 64)
		}
		r.Fail(k.With(text), in, pyjson.Member{Key: name, Value: *bound})
		return true
	}
	return !f(b.Le, fault.LessThanEqual, "le", func(c int) bool { return c > 0 }) &&
		!f(b.Lt, fault.LessThan, "lt", func(c int) bool { return c >= 0 }) &&
		!f(b.Ge, fault.GreaterThanEqual, "ge", func(c int) bool { return c < 0 || c == unordered }) &&
		!f(b.Gt, fault.GreaterThan, "gt", func(c int) bool { return c <= 0 || c == unordered })
}

// Int is an integer.
type Int struct {
	Bounds
	Strict bool
}

// Label is pydantic's name for it.
func (n *Int) Label() string {
	if n.none() {
		return "int"
	}
	return "constrained-int"
}

// Validate gives an int64, or a pyjson.Number where that is too small.
func (n *Int) Validate(r *node.Run, in any) (any, bool) {
	v, ok := n.convert(r, in)
	if !ok || n.none() {
		return v, ok
	}
	return v, n.check(r, in, func(bound pyjson.Number) int { return BigInt(v).Cmp(BigInt(bound)) })
}

// convert gives an int64, or a pyjson.Number where that is too small.
func (n *Int) convert(r *node.Run, in any) (any, bool) {
	switch v := in.(type) {
	case pyjson.Number:
		if v.IsInt() {
			return Whole(string(v)), true
		}
		if n.Strict {
			break
		}
		r.Floor(node.Lax)
		switch f := v.Float(); {
		case math.IsInf(f, 0) || math.IsNaN(f):
			return r.Fail(fault.FiniteNumber, in)
		case f != math.Trunc(f):
			return r.Fail(fault.IntFromFloat, in)
		case math.Abs(f) >= 1<<63:
			return r.Fail(fault.IntParsingSize, in)
		default:
			return int64(f), true
		}
	case bool:
		if n.Strict {
			break
		}
		r.Floor(node.Lax)
		if v {
			return int64(1), true
		}
		return int64(0), true
	case string:
		if n.Strict {
			break
		}
		return intFromString(r, v)
	}
	return r.Fail(fault.IntType, in)
}

// Whole is an integer in its decimal form.
func Whole(digits string) any {
	if i, err := strconv.ParseInt(digits, 10, 64); err == nil {
		return i
	}
	return pyjson.Number(digits)
}

// BigInt is an integer of any size; 0 is what is none.
func BigInt(v any) *big.Int {
	switch v := v.(type) {
	case int64:
		return big.NewInt(v)
	case pyjson.Number:
		if i, ok := new(big.Int).SetString(string(v), 10); ok {
			return i
		}
	}
	return new(big.Int)
}

var (
	plainInt = regexp.MustCompile(`^-?(0|[1-9][0-9]*)$`)
	// What pydantic makes of a text before it gives up: white space, a plus, leading zeros, underscores between digits and
	// a fraction of zeros go.
	looseInt = regexp.MustCompile(`^\+?(-?)(?:0[0_]*)?([0-9]+(?:_[0-9]+)*)(?:\.0+)?$`)
)

func intFromString(r *node.Run, s string) (any, bool) {
	if pyjson.HasSurrogate(s) {
		return r.Fail(fault.StringUnicode, s)
	}
	r.Floor(node.Lax)
	if i, ok := IntOf(s); ok {
		return i, true
	}
	if plainInt.MatchString(s) {
		return r.Fail(fault.IntParsingSize, s)
	}
	return r.Fail(fault.IntParsing, s)
}

// IntOf is the integer that pydantic reads in a text, an int64 or a larger Number.
func IntOf(s string) (any, bool) {
	const longest = 4300
	if plainInt.MatchString(s) {
		if s == "-0" {
			return int64(0), true
		}
		return Whole(s), len(strings.TrimPrefix(s, "-")) <= longest
	}
	parts := looseInt.FindStringSubmatch(strings.TrimFunc(s, python.RustSpace))
	if parts == nil || strings.HasPrefix(s, "+-") || len(parts[2]) > longest {
		return nil, false
	}
	digits := strings.TrimLeft(strings.ReplaceAll(parts[2], "_", ""), "0")
	if digits == "" {
		return int64(0), true
	}
	return Whole(parts[1] + digits), true
}

// Float is a float.
type Float struct {
	Bounds
}

// Label is pydantic's name for it.
func (n *Float) Label() string {
	if n.none() {
		return "float"
	}
	return "constrained-float"
}

// Validate gives a float64.
func (n *Float) Validate(r *node.Run, in any) (any, bool) {
	f, ok := n.convert(r, in)
	if !ok {
		return nil, false
	}
	return f, n.check(r, in, func(bound pyjson.Number) int {
		switch b := bound.Float(); {
		case f < b:
			return -1
		case f == b:
			return 0
		case f > b:
			return 1
		}
		return unordered
	})
}

func (n *Float) convert(r *node.Run, in any) (float64, bool) {
	switch v := in.(type) {
	case pyjson.Number:
		if f := v.Float(); !v.IsInt() {
			return f, true
		} else if !math.IsInf(f, 0) {
			r.Floor(node.Strict)
			return f, true
		}
	case bool:
		r.Floor(node.Lax)
		if v {
			return 1, true
		}
		return 0, true
	case string:
		return floatFromString(r, v)
	}
	r.Fail(fault.FloatType, in)
	return 0, false
}

// rustFloat is what Rust's f64::from_str reads.
var rustFloat = regexp.MustCompile(`^[+-]?(?i:inf|infinity|nan|[0-9]+\.?[0-9]*(?:e[+-]?[0-9]+)?|\.[0-9]+(?:e[+-]?[0-9]+)?)$`)

func floatFromString(r *node.Run, s string) (float64, bool) {
	if pyjson.HasSurrogate(s) {
		r.Fail(fault.StringUnicode, s)
		return 0, false
	}
	r.Floor(node.Lax)
	text := strings.TrimFunc(s, python.RustSpace)
	if strings.Contains(s, "_") && !strings.Contains(s, "__") && !strings.HasPrefix(s, "_") && !strings.HasSuffix(s, "_") {
		text = strings.ReplaceAll(s, "_", "")
	}
	if !rustFloat.MatchString(text) {
		r.Fail(fault.FloatParsing, s)
		return 0, false
	}
	f, _ := strconv.ParseFloat(text, 64) // out of range is an infinity, as there
	return f, true
}
