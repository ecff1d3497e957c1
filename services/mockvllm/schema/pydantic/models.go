package pydantic

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema/fault"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema/node"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema/refusal"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema/values"
)

// Models are classes that bodies are validated against, and the definitions that they are made of, by name.
type Models struct{ models, definitions map[string]node.Node }

// Load builds all models of a schema.json, with the hooks by the names that it has for them. It panics where the two do not fit
// each other.
func Load(schema []byte, hook func(name string) Hook) *Models {
	var file struct{ Models, Definitions map[string]*written }
	if err := json.Unmarshal(schema, &file); err != nil {
		panic(fmt.Sprintf("schema.json: %v", err)) // embedded, and loaded by every test
	}
	b := builder{definitions: file.Definitions, made: map[string]node.Node{}, hook: hook}
	m := &Models{models: make(map[string]node.Node, len(file.Models)), definitions: b.made}
	for name, w := range file.Models {
		m.models[name] = b.node(w)
	}
	return m
}

// Names are those of the models.
func (m *Models) Names() []string { return slices.Sorted(maps.Keys(m.models)) }

// Parse validates a decoded body, which it may change, as FastAPI does.
func (m *Models) Parse(model string, body any) (*values.Values, *refusal.Error) {
	n, ok := m.models[model]
	if !ok {
		return nil, refusal.Stumbled("no model %s", model)
	}
	if body == nil { // FastAPI has no body then
		return nil, fault.SchemaError(1, []fault.Fault{{Kind: fault.Missing}})
	}
	out, r := validate(n, body, node.Run{Keep: fault.MaxFaults})
	switch {
	case r.Raised != nil:
		return nil, r.Raised.Sendable()
	case r.Count > 0:
		return nil, fault.SchemaError(r.Count, r.Faults).Sendable()
	}
	return valuesOf(model, out)
}

// Validate is Parse where a handler of vLLM's validates, not FastAPI: what is wrong is told in pydantic's own words.
func (m *Models) Validate(model string, body any) (*values.Values, *refusal.Error) {
	n, ok := m.models[model]
	if !ok {
		return nil, refusal.Stumbled("no model %s", model)
	}
	out, r := validate(n, body, node.Run{Keep: manyFaults, Plain: true})
	switch {
	case r.Raised != nil:
		return nil, r.Raised
	case r.Count > 0:
		return nil, refusal.BadRequest(fault.Text(model, r.Faults), "")
	}
	return valuesOf(model, out)
}

func valuesOf(model string, out any) (*values.Values, *refusal.Error) {
	v, ok := out.(*values.Values)
	if !ok {
		return nil, refusal.Stumbled("%s gave no model", model)
	}
	return v, nil
}

// Check holds a value against a definition. The error is in pydantic's own words.
func (m *Models) Check(definition string, val any) *refusal.Error {
	n, ok := m.definitions[definition]
	if !ok {
		return refusal.Stumbled("no definition %s", definition)
	}
	_, r := validate(n, val, node.Run{Keep: manyFaults})
	switch {
	case r.Raised != nil:
		return r.Raised
	case r.Count > 0:
		return refusal.BadRequest(fault.Text(definition, r.Faults), "")
	}
	return nil
}

// Instance is what a definition makes of a value. False is that it refuses it.
func (m *Models) Instance(definition string, val any) (out any, ok bool) {
	out, r := validate(m.definitions[definition], val, node.Run{})
	return out, r.Raised == nil && r.Count == 0
}

// manyFaults is how many are kept where all go into a text.
const manyFaults = 10_000

// validate looks quickly whether all is well, and for the faults only if not.
func validate(n node.Node, in any, fresh node.Run) (any, node.Run) {
	fresh.Exactness, fresh.FieldsSet = node.Exact, node.None
	r := fresh
	if out, ok := n.Validate(&r, in); ok {
		return out, node.Run{}
	}
	r = fresh
	r.Collect = true
	out, _ := n.Validate(&r, in)
	return out, r
}
