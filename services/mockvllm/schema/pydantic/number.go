package pydantic

import (
	"math"
	"math/big"
	"regexp"
	"strconv"
	"strings"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema/fault"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema/python"
)

// bounds of a number; nil where there is none.
type bounds struct {
	ge, le, gt, lt *pyjson.Number
}

func (b bounds) none() bool { return b == bounds{} }

// unordered is NaN, which breaks every bound.
const unordered = 2

// check reports the first bound that is broken. compare gives the sign of the value less the bound.
func (b bounds) check(r *Run, in any, compare func(pyjson.Number) int) bool {
	f := func(bound *pyjson.Number, k fault.Kind, name string, broken func(int) bool) bool {
		if bound == nil || !broken(compare(*bound)) {
			return false
		}
		text := string(*bound)
		if !bound.IsInt() { // Rust writes it, not Python
			text = strconv.FormatFloat(bound.Float(), 'f', -1, 64)
		}
		r.fail(k.With(text), in, pyjson.Member{Key: name, Value: *bound})
		return true
	}
	return !f(b.le, fault.LessThanEqual, "le", func(c int) bool { return c > 0 }) &&
		!f(b.lt, fault.LessThan, "lt", func(c int) bool { return c >= 0 }) &&
		!f(b.ge, fault.GreaterThanEqual, "ge", func(c int) bool { return c < 0 || c == unordered }) &&
		!f(b.gt, fault.GreaterThan, "gt", func(c int) bool { return c <= 0 || c == unordered })
}

type intNode struct {
	bounds
	strict bool
}

func (n *intNode) label() string {
	if n.none() {
		return "int"
	}
	return "constrained-int"
}

func (n *intNode) validate(r *Run, in any) (any, bool) {
	v, ok := n.convert(r, in)
	if !ok || n.none() {
		return v, ok
	}
	return v, n.check(r, in, func(bound pyjson.Number) int { return BigInt(v).Cmp(BigInt(bound)) })
}

// convert gives an int64, or a pyjson.Number where that is too small.
func (n *intNode) convert(r *Run, in any) (any, bool) {
	switch v := in.(type) {
	case pyjson.Number:
		if v.IsInt() {
			return whole(string(v)), true
		}
		if n.strict {
			break
		}
		r.floor(lax)
		switch f := v.Float(); {
		case math.IsInf(f, 0) || math.IsNaN(f):
			return r.fail(fault.FiniteNumber, in)
		case f != math.Trunc(f):
			return r.fail(fault.IntFromFloat, in)
		case math.Abs(f) >= 1<<63:
			return r.fail(fault.IntParsingSize, in)
		default:
			return int64(f), true
		}
	case bool:
		if n.strict {
			break
		}
		r.floor(lax)
		if v {
			return int64(1), true
		}
		return int64(0), true
	case string:
		if n.strict {
			break
		}
		return intFromString(r, v)
	}
	return r.fail(fault.IntType, in)
}

// whole is an integer in its decimal form.
func whole(digits string) any {
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

func intFromString(r *Run, s string) (any, bool) {
	if pyjson.HasSurrogate(s) {
		return r.fail(fault.StringUnicode, s)
	}
	r.floor(lax)
	const longest = 4300
	if plainInt.MatchString(s) {
		if len(strings.TrimPrefix(s, "-")) > longest {
			return r.fail(fault.IntParsingSize, s)
		}
		if s == "-0" {
			return int64(0), true
		}
		return whole(s), true
	}
	parts := looseInt.FindStringSubmatch(strings.TrimFunc(s, python.RustSpace))
	if parts == nil || strings.HasPrefix(s, "+-") || len(parts[2]) > longest {
		return r.fail(fault.IntParsing, s)
	}
	digits := strings.TrimLeft(strings.ReplaceAll(parts[2], "_", ""), "0")
	if digits == "" {
		return int64(0), true
	}
	return whole(parts[1] + digits), true
}

type floatNode struct {
	bounds
}

func (n *floatNode) label() string {
	if n.none() {
		return "float"
	}
	return "constrained-float"
}

func (n *floatNode) validate(r *Run, in any) (any, bool) {
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

func (n *floatNode) convert(r *Run, in any) (float64, bool) {
	switch v := in.(type) {
	case pyjson.Number:
		if f := v.Float(); !v.IsInt() {
			return f, true
		} else if !math.IsInf(f, 0) {
			r.floor(strict)
			return f, true
		}
	case bool:
		r.floor(lax)
		if v {
			return 1, true
		}
		return 0, true
	case string:
		return floatFromString(r, v)
	}
	r.fail(fault.FloatType, in)
	return 0, false
}

// rustFloat is what Rust's f64::from_str reads.
var rustFloat = regexp.MustCompile(`^[+-]?(?i:inf|infinity|nan|[0-9]+\.?[0-9]*(?:e[+-]?[0-9]+)?|\.[0-9]+(?:e[+-]?[0-9]+)?)$`)

func floatFromString(r *Run, s string) (float64, bool) {
	if pyjson.HasSurrogate(s) {
		r.fail(fault.StringUnicode, s)
		return 0, false
	}
	r.floor(lax)
	text := strings.TrimFunc(s, python.RustSpace)
	if strings.Contains(s, "_") && !strings.Contains(s, "__") && !strings.HasPrefix(s, "_") && !strings.HasSuffix(s, "_") {
		text = strings.ReplaceAll(s, "_", "")
	}
	if !rustFloat.MatchString(text) {
		r.fail(fault.FloatParsing, s)
		return 0, false
	}
	f, _ := strconv.ParseFloat(text, 64) // out of range is an infinity, as there
	return f, true
}
