package pydantic

import (
	"math"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema/fault"
)

// The conversions are those of pydantic-core's input/input_python.rs and input/shared.rs for what json.loads gives.

type anyNode struct{}

func (anyNode) label() string { return "any" }
func (anyNode) validate(r *Run, in any) (any, bool) {
	r.floor(strict)
	return in, true
}

type boolNode struct{}

func (boolNode) label() string { return "bool" }
func (boolNode) validate(r *Run, in any) (any, bool) {
	switch v := in.(type) {
	case bool:
		return v, true
	case string:
		if pyjson.HasSurrogate(v) {
			return r.fail(fault.StringUnicode, in)
		}
		r.floor(lax)
		switch strings.ToLower(v) {
		case "1", "true", "t", "yes", "y", "on":
			return true, true
		case "0", "false", "f", "no", "n", "off":
			return false, true
		}
		return r.fail(fault.BoolParsing, in)
	case pyjson.Number:
		r.floor(lax)
		f := v.Float()
		_, small := v.Int64()
		switch {
		case f == 0 || f == 1:
			return f == 1, true
		case small || f == math.Trunc(f) && math.Abs(f) < 1<<63:
			return r.fail(fault.BoolParsing, in)
		}
	}
	return r.fail(fault.BoolType, in)
}

type strNode struct {
	min, max int // characters; -1 where there is no bound
	pattern  *regexp.Regexp
}

func (n *strNode) label() string {
	if n.plain() {
		return "str"
	}
	return "constrained-str"
}

func (n *strNode) plain() bool { return n.min < 0 && n.max < 0 && n.pattern == nil }

func (n *strNode) validate(r *Run, in any) (any, bool) {
	s, ok := in.(string)
	if !ok {
		return r.fail(fault.StringType, in)
	}
	if n.plain() {
		return in, true
	}
	if pyjson.HasSurrogate(s) {
		return r.fail(fault.StringUnicode, in)
	}
	chars := utf8.RuneCountInString(s)
	switch {
	case n.min >= 0 && chars < n.min:
		return r.fail(fault.StringTooShort.WithPlural(n.min), in, number("min_length", n.min))
	case n.max >= 0 && chars > n.max:
		return r.fail(fault.StringTooLong.WithPlural(n.max), in, number("max_length", n.max))
	case n.pattern != nil && !n.pattern.MatchString(s):
		return r.fail(fault.StringPattern.With(n.pattern.String()), in, pyjson.Member{Key: "pattern", Value: n.pattern.String()})
	}
	return in, true
}

func number(name string, n int) pyjson.Member { return pyjson.Member{Key: name, Value: int64(n)} }

// bytesNode takes a text as its UTF-8.
type bytesNode struct{}

func (bytesNode) label() string { return "bytes" }
func (bytesNode) validate(r *Run, in any) (any, bool) {
	s, ok := in.(string)
	switch {
	case !ok:
		return r.fail(fault.BytesType, in)
	case pyjson.HasSurrogate(s):
		return r.fail(fault.StringUnicode, in)
	}
	r.floor(lax)
	return in, true
}

type noneNode struct{}

func (noneNode) label() string { return "none" }
func (noneNode) validate(r *Run, in any) (any, bool) {
	if in == nil {
		return nil, true
	}
	return r.fail(fault.NoneRequired, in)
}

type nullableNode struct{ of node }

func (n *nullableNode) label() string { return "nullable[" + n.of.label() + "]" }
func (n *nullableNode) validate(r *Run, in any) (any, bool) {
	if in == nil {
		return nil, true
	}
	return n.of.validate(r, in)
}
