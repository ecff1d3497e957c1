package schema

import (
	_ "embed" // the schemas
	"encoding/json"
	"fmt"
	"strings"
	"sync"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
)

//go:embed schema.json
var data []byte

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

// loaded builds every model at the first use, and the definitions in them by name.
var loaded = sync.OnceValues(func() (models, definitions map[string]node) {
	var file struct{ Models, Definitions map[string]*written }
	if err := json.Unmarshal(data, &file); err != nil {
		panic(fmt.Sprintf("schema.json: %v", err)) // embedded, and loaded by every test
	}
	b := builder{definitions: file.Definitions, made: map[string]node{}}
	models = make(map[string]node, len(file.Models))
	for name, w := range file.Models {
		models[name] = b.node(w)
	}
	return models, b.made
})

func models() map[string]node      { m, _ := loaded(); return m }
func definitions() map[string]node { _, d := loaded(); return d }

func limit(n *int) int {
	if n == nil {
		return -1
	}
	return *n
}

func (w *written) bounds() bounds {
	f := func(n *json.Number) *pyjson.Number {
		if n == nil {
			return nil
		}
		p := pyjson.Number(*n)
		return &p
	}
	return bounds{f(w.Ge), f(w.Le), f(w.Gt), f(w.Lt)}
}

func (w *written) literal() node {
	n := &literalNode{enum: w.T == "enum"}
	var reprs []string
	for _, raw := range w.Expected {
		v, _ := pyjson.Decode(raw)
		n.expected = append(n.expected, v)
		reprs = append(reprs, pyjson.Repr(v))
	}
	last := len(reprs) - 1
	n.text = reprs[last]
	if last > 0 {
		n.text = strings.Join(reprs[:last], ", ") + " or " + reprs[last]
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
			return whole(string(n))
		}
		return n.Float()
	}
	return v
}
