package scalar

import (
	"math"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema/fault"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema/node"
)

// The conversions are those of pydantic-core's input/input_python.rs and input/shared.rs for what json.loads gives.

// Any is no check.
type Any struct{}

// Label is pydantic's name for it.
func (Any) Label() string { return "any" }

// Validate takes everything.
func (Any) Validate(r *node.Run, in any) (any, bool) {
	r.Floor(node.Strict)
	return in, true
}

// Bool is a boolean.
type Bool struct{}

// Label is pydantic's name for it.
func (Bool) Label() string { return "bool" }

// Validate takes booleans, words for them, 0 and 1.
func (Bool) Validate(r *node.Run, in any) (any, bool) {
	switch v := in.(type) {
	case bool:
		return v, true
	case string:
		if pyjson.HasSurrogate(v) {
			return r.Fail(fault.StringUnicode, in)
		}
		r.Floor(node.Lax)
		switch strings.ToLower(v) {
		case "1", "true", "t", "yes", "y", "on":
			return true, true
		case "0", "false", "f", "no", "n", "off":
			return false, true
		}
		return r.Fail(fault.BoolParsing, in)
	case pyjson.Number:
		r.Floor(node.Lax)
		f := v.Float()
		_, small := v.Int64()
		switch {
		case f == 0 || f == 1:
			return f == 1, true
		case small || f == math.Trunc(f) && math.Abs(f) < 1<<63:
			return r.Fail(fault.BoolParsing, in)
		}
	}
	return r.Fail(fault.BoolType, in)
}

// Str is a text.
type Str struct {
	Min, Max int // characters; -1 where there is no bound
	Pattern  *regexp.Regexp
}

// Label is pydantic's name for it.
func (n *Str) Label() string {
	if n.plain() {
		return "str"
	}
	return "constrained-str"
}

func (n *Str) plain() bool { return n.Min < 0 && n.Max < 0 && n.Pattern == nil }

// Validate takes texts.
func (n *Str) Validate(r *node.Run, in any) (any, bool) {
	s, ok := in.(string)
	if !ok {
		return r.Fail(fault.StringType, in)
	}
	if n.plain() {
		return in, true
	}
	if pyjson.HasSurrogate(s) {
		return r.Fail(fault.StringUnicode, in)
	}
	chars := utf8.RuneCountInString(s)
	switch {
	case n.Min >= 0 && chars < n.Min:
		return r.Fail(fault.StringTooShort.WithPlural(n.Min), in, Limit("min_length", n.Min))
	case n.Max >= 0 && chars > n.Max:
		return r.Fail(fault.StringTooLong.WithPlural(n.Max), in, Limit("max_length", n.Max))
	case n.Pattern != nil && !n.Pattern.MatchString(s):
		return r.Fail(fault.StringPattern.With(n.Pattern.String()), in, pyjson.Member{Key: "pattern", Value: n.Pattern.String()})
	}
	return in, true
}

// Limit is a bound as the context of a fault has it.
func Limit(name string, n int) pyjson.Member { return pyjson.Member{Key: name, Value: int64(n)} }

// Bytes takes a text as its UTF-8.
type Bytes struct{}

// Label is pydantic's name for it.
func (Bytes) Label() string { return "bytes" }

// Validate takes texts that are UTF-8.
func (Bytes) Validate(r *node.Run, in any) (any, bool) {
	s, ok := in.(string)
	switch {
	case !ok:
		return r.Fail(fault.BytesType, in)
	case pyjson.HasSurrogate(s):
		return r.Fail(fault.StringUnicode, in)
	}
	r.Floor(node.Lax)
	return in, true
}

// None is null.
type None struct{}

// Label is pydantic's name for it.
func (None) Label() string { return "none" }

// Validate takes null.
func (None) Validate(r *node.Run, in any) (any, bool) {
	if in == nil {
		return nil, true
	}
	return r.Fail(fault.NoneRequired, in)
}

// Nullable is null or something else.
type Nullable struct{ Of node.Node }

// Label is pydantic's name for it.
func (n *Nullable) Label() string { return "nullable[" + n.Of.Label() + "]" }

// Validate takes null, and what Of takes.
func (n *Nullable) Validate(r *node.Run, in any) (any, bool) {
	if in == nil {
		return nil, true
	}
	return n.Of.Validate(r, in)
}
