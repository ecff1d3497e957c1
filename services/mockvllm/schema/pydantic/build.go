package pydantic

import (
	"regexp"
	"slices"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema/node"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema/scalar"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema/values"
)

type builder struct {
	definitions map[string]*written
	made        map[string]node.Node
	hook        func(name string) Hook
}

func (b *builder) node(w *written) node.Node {
	switch w.T {
	case "any":
		return scalar.Any{}
	case "bool":
		return scalar.Bool{}
	case "none":
		return scalar.None{}
	case "bytes":
		return scalar.Bytes{}
	case "int":
		return &scalar.Int{Bounds: w.bounds(), Strict: w.Strict}
	case "float":
		return &scalar.Float{Bounds: w.bounds()}
	case "str":
		n := &scalar.Str{Min: limit(w.MinLength), Max: limit(w.MaxLength)}
		if w.Pattern != "" {
			n.Pattern = regexp.MustCompile(w.Pattern)
		}
		return n
	case "literal", "enum":
		return w.literal()
	case "nullable":
		return &scalar.Nullable{Of: b.node(w.Of)}
	case "list":
		return &listNode{limit(w.MinLength), limit(w.MaxLength), b.node(w.Of)}
	case "generator":
		return newGenerator(b.node(w.Of))
	case "tuple":
		return &tupleNode{b.nodes(w.Choices)}
	case "dict":
		return &dictNode{limit(w.MinLength), limit(w.MaxLength), b.node(w.Keys), b.node(w.Of)}
	case "chain":
		return &chainNode{b.nodes(w.Choices)}
	case "json-or-python":
		return b.node(w.Choices[1]) // FastAPI validates what json.loads has made
	case "is-instance":
		return &instanceNode{w.Name}
	case "default":
		return b.node(w.Of) // its value is the field's
	case "ref":
		return b.ref(w.To)
	}
	return b.compound(w)
}

func (b *builder) compound(w *written) node.Node {
	switch w.T {
	case "union":
		return b.union(w)
	case "tagged-union":
		return &taggedNode{w.By, w.Tags, b.nodes(w.Choices)}
	case "typed-dict":
		return &typedDictNode{b.shape(w)}
	case "model":
		return &modelNode{w.Name, b.node(w.Of)}
	case "model-fields":
		return &modelFieldsNode{b.shape(w)}
	case "dataclass":
		return &dataclassNode{w.Name, &dataclassArgsNode{b.shape(w.Of)}, b.hook(w.Fn)}
	case "function-before", "function-after", "function-wrap", "function-plain":
		n := &functionNode{kind: w.T, name: w.Label, hook: b.hook(w.Fn)}
		if w.Of != nil {
			n.of = b.node(w.Of)
		}
		return n
	}
	panic("schema.json: kind " + w.T)
}

func (b *builder) nodes(ws []*written) []node.Node {
	out := make([]node.Node, len(ws))
	for i, w := range ws {
		out[i] = b.node(w)
	}
	return out
}

func (b *builder) ref(name string) node.Node {
	made, ok := b.made[name]
	if !ok {
		made = b.node(b.definitions[name])
		b.made[name] = made
	}
	return made
}

func (b *builder) union(w *written) node.Node {
	n := &unionNode{choices: b.nodes(w.Choices), ordered: w.Mode == "left_to_right"}
	for i, c := range w.Choices {
		label := n.choices[i].Label()
		if i < len(w.Labels) && w.Labels[i] != "" {
			label = w.Labels[i]
		}
		n.labels = append(n.labels, label)
		n.raises = append(n.raises, b.raises(c))
	}
	return n
}

// raises tells whether a function in there can raise what no union catches.
func (b *builder) raises(w *written) bool {
	switch {
	case w == nil:
		return false
	case w.T == "ref":
		return b.raises(b.definitions[w.To])
	case w.Fn != "" && b.hook(w.Fn).Raises:
		return true
	}
	inField := func(f writtenField) bool { return b.raises(f.Of) }
	return slices.ContainsFunc(w.Fields, inField) || slices.ContainsFunc(w.Choices, b.raises) || b.raises(w.Of) || b.raises(w.Keys)
}

func (b *builder) shape(w *written) shape {
	class := values.NewClass(w.Name, len(w.Fields))
	s := shape{class: class, extra: w.Extra, byName: w.ByName, index: values.NewNames(len(w.Fields))}
	for i, wf := range w.Fields {
		f := field{name: wf.Name, key: wf.Alias, of: b.node(wf.Of), required: wf.Required, noInit: wf.NoInit}
		if f.key == "" {
			f.key = f.name
		}
		if wf.Of.T == "default" {
			f.hasDefault, f.value = true, value(wf.Of.Value)
		} else if w.T != "typed-dict" {
			f.required = true
		}
		if !f.noInit {
			s.index.Add(f.key, i)
		}
		class.Add(values.Field{Name: f.name, Key: f.key, Default: f.value, Made: wf.Of.Factory != ""})
		aliased := f.key != f.name && w.ByName
		switch {
		case isLiteral(wf.Of):
			s.first = append(s.first, i)
		case f.required && !f.noInit && !aliased:
			s.needed = append(s.needed, f.key)
		}
		if f.required || aliased || f.hasDefault && w.T == "typed-dict" {
			for len(s.loud) <= i {
				s.loud = append(s.loud, i)
			}
		}
		s.fields = append(s.fields, f)
	}
	for len(s.loud) < len(s.fields) {
		s.loud = append(s.loud, len(s.fields))
	}
	return s
}

func isLiteral(w *written) bool {
	for w.T == "default" {
		w = w.Of
	}
	return w.T == "literal"
}
