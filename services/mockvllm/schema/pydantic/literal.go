package pydantic

import (
	"slices"
	"strings"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema/fault"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema/python"
)

// literalNode is a Literal or an enum: one of a few values.
type literalNode struct {
	expected []any // strings, bools, pyjson.Number
	text     string
	enum     bool
}

func (n *literalNode) label() string {
	reprs := make([]string, len(n.expected))
	for i, e := range n.expected {
		reprs[i] = pyjson.Repr(e)
	}
	name := "literal"
	if n.enum {
		name = "enum"
	}
	return name + "[" + strings.Join(reprs, ",") + "]"
}

func (n *literalNode) validate(r *Run, in any) (any, bool) {
	if s, ok := in.(string); ok && !n.enum && pyjson.HasSurrogate(s) {
		return r.fail(fault.StringUnicode, in)
	}
	for _, e := range n.expected {
		if equal(e, in) {
			if n.enum {
				r.floor(lax)
			}
			return e, true
		}
	}
	if !r.collect { // the common end in a union
		return nil, false
	}
	if number := numberOf(in); n.ofInts() && number != "" && number.IsInt() {
		if _, fits := number.Int64(); !fits {
			return r.fail(fault.IntParsingSize, in)
		}
	}
	k := fault.LiteralError
	if n.enum {
		k = fault.EnumError
	}
	return r.fail(k.With(n.text), in, pyjson.Member{Key: "expected", Value: n.text})
}

// ofInts tells whether pydantic looks for an integer, which has to fit into 64 bits then.
func (n *literalNode) ofInts() bool {
	return slices.ContainsFunc(n.expected, func(e any) bool { return numberOf(e) != "" })
}

func numberOf(v any) pyjson.Number {
	n, _ := v.(pyjson.Number)
	return n
}

// equal is Python's == between a literal and an input: 1 is True and 1.0, too.
func equal(a, b any) bool {
	if s, ok := a.(string); ok {
		t, ok := b.(string)
		return ok && s == t
	}
	x, ok := python.Number(a)
	y, ok2 := python.Number(b)
	return ok && ok2 && x == y
}
