package scalar

import (
	"slices"
	"strings"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema/fault"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema/node"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema/python"
)

// Literal is a Literal or an enum: one of a few values.
type Literal struct {
	Expected []any // strings, bools, pyjson.Number
	Text     string
	Enum     bool
}

// Label is pydantic's name for it.
func (n *Literal) Label() string {
	reprs := make([]string, len(n.Expected))
	for i, e := range n.Expected {
		reprs[i] = pyjson.Repr(e)
	}
	name := "literal"
	if n.Enum {
		name = "enum"
	}
	return name + "[" + strings.Join(reprs, ",") + "]"
}

// Validate gives the value that the input equals.
func (n *Literal) Validate(r *node.Run, in any) (any, bool) {
	if s, ok := in.(string); ok && !n.Enum && pyjson.HasSurrogate(s) {
		return r.Fail(fault.StringUnicode, in)
	}
	for _, e := range n.Expected {
		if equal(e, in) {
			if n.Enum {
				r.Floor(node.Lax)
			}
			return e, true
		}
	}
	if !r.Collect { // the common end in a union
		return nil, false
	}
	if number := numberOf(in); n.ofInts() && number != "" && number.IsInt() {
		if _, fits := number.Int64(); !fits {
			return r.Fail(fault.IntParsingSize, in)
		}
	}
	k := fault.LiteralError
	if n.Enum {
		k = fault.EnumError
	}
	return r.Fail(k.With(n.Text), in, pyjson.Member{Key: "expected", Value: n.Text})
}

// ofInts tells whether pydantic looks for an integer, which has to fit into 64 bits then.
func (n *Literal) ofInts() bool {
	return slices.ContainsFunc(n.Expected, func(e any) bool { return numberOf(e) != "" })
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
