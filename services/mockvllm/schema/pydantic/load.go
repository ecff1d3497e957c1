package pydantic

import (
	"encoding/json"
	"strings"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema/node"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema/scalar"
)

// written is a node as tools/export.py writes it.
type written struct {
	T          string
	Name       string
	Fn, Label  string // of a function, and how pydantic calls it
	Of, Keys   *written
	Choices    []*written
	Labels     []string
	Mode       string
	By         string
	Tags       []string
	Fields     []writtenField
	Extra      string
	ByName     bool `json:"by_name"`
	Expected   []json.RawMessage
	To         string
	Strict     bool
	Value      json.RawMessage
	Factory    string
	Pattern    string
	MinLength  *int `json:"min_length"`
	MaxLength  *int `json:"max_length"`
	Ge, Le     *json.Number
	Gt, Lt     *json.Number
	AllowInf   *bool        `json:"allow_inf_nan"`
	MultipleOf *json.Number `json:"multiple_of"`
}

type writtenField struct {
	Name, Alias string
	Of          *written
	Required    bool
	NoInit      bool `json:"no_init"`
}

func limit(n *int) int {
	if n == nil {
		return -1
	}
	return *n
}

func (w *written) bounds() scalar.Bounds {
	f := func(n *json.Number) *pyjson.Number {
		if n == nil {
			return nil
		}
		p := pyjson.Number(*n)
		return &p
	}
	return scalar.Bounds{Ge: f(w.Ge), Le: f(w.Le), Gt: f(w.Gt), Lt: f(w.Lt)}
}

func (w *written) literal() node.Node {
	n := &scalar.Literal{Enum: w.T == "enum"}
	var reprs []string
	for _, raw := range w.Expected {
		v, _ := pyjson.Decode(raw)
		n.Expected = append(n.Expected, v)
		reprs = append(reprs, pyjson.Repr(v))
	}
	last := len(reprs) - 1
	n.Text = reprs[last]
	if last > 0 {
		n.Text = strings.Join(reprs[:last], ", ") + " or " + reprs[last]
	}
	return n
}

// value is a default as a validator would have made it.
func value(text json.RawMessage) any {
	if text == nil {
		return nil
	}
	v, _ := pyjson.Decode(text)
	if n, ok := v.(pyjson.Number); ok {
		if n.IsInt() {
			return scalar.Whole(string(n))
		}
		return n.Float()
	}
	return v
}
