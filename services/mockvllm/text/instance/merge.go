package instance

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/google/jsonschema-go/jsonschema"
)

// flat follows references, joins what must hold together, and decides for one of several alternatives.
func (m *maker) flat(s *jsonschema.Schema, depth int) (*jsonschema.Schema, error) {
	for range maxDepth {
		base := *s
		base.Ref, base.AllOf, base.AnyOf, base.OneOf = "", nil, nil, nil
		var parts []*jsonschema.Schema
		switch {
		case s.Ref != "":
			target, err := m.find(s.Ref)
			if err != nil {
				return nil, err
			}
			base.AllOf, base.AnyOf, base.OneOf = s.AllOf, s.AnyOf, s.OneOf
			parts = []*jsonschema.Schema{target}
		case len(s.AllOf) > 0:
			base.AnyOf, base.OneOf = s.AnyOf, s.OneOf
			parts = s.AllOf
		case len(s.AnyOf) > 0:
			base.OneOf = s.OneOf
			parts = []*jsonschema.Schema{m.alternative(s.AnyOf, depth)}
		case len(s.OneOf) > 0:
			parts = []*jsonschema.Schema{m.alternative(s.OneOf, depth)}
		default:
			return s, nil
		}
		for _, part := range parts {
			base = both(base, *part)
		}
		s = &base
	}
	return nil, errors.New("its references lead in a circle")
}

// find looks up a reference to the root or to one of its definitions.
func (m *maker) find(ref string) (*jsonschema.Schema, error) {
	if ref == "#" {
		return m.root, nil
	}
	for prefix, defs := range map[string]map[string]*jsonschema.Schema{"#/$defs/": m.root.Defs, "#/definitions/": m.root.Definitions} {
		if name, ok := strings.CutPrefix(ref, prefix); ok && defs[name] != nil {
			return defs[name], nil
		}
	}
	return nil, fmt.Errorf("the reference %q is not followed", ref)
}

// alternative is the first that has a value other than null.
func (m *maker) alternative(list []*jsonschema.Schema, depth int) *jsonschema.Schema {
	for _, s := range list {
		if v, err := m.value(s, depth+1, 0); err == nil && v != nil {
			return s
		}
	}
	return list[0]
}

// both joins two schemas. Where both say something of one keyword, b counts; the validator has the last word.
func both(a, b jsonschema.Schema) jsonschema.Schema {
	out := b
	out.Type = cmp.Or(b.Type, a.Type)
	out.Format = cmp.Or(b.Format, a.Format)
	out.Pattern = cmp.Or(b.Pattern, a.Pattern)
	out.Const = cmp.Or(b.Const, a.Const)
	out.MultipleOf = cmp.Or(b.MultipleOf, a.MultipleOf)
	out.Minimum = cmp.Or(b.Minimum, a.Minimum)
	out.Maximum = cmp.Or(b.Maximum, a.Maximum)
	out.ExclusiveMinimum = cmp.Or(b.ExclusiveMinimum, a.ExclusiveMinimum)
	out.ExclusiveMaximum = cmp.Or(b.ExclusiveMaximum, a.ExclusiveMaximum)
	out.MinLength = cmp.Or(b.MinLength, a.MinLength)
	out.MaxLength = cmp.Or(b.MaxLength, a.MaxLength)
	out.MinItems = cmp.Or(b.MinItems, a.MinItems)
	out.MaxItems = cmp.Or(b.MaxItems, a.MaxItems)
	out.Items = cmp.Or(b.Items, a.Items)
	out.AdditionalProperties = cmp.Or(b.AdditionalProperties, a.AdditionalProperties)
	if out.Types == nil {
		out.Types = a.Types
	}
	if out.Enum == nil {
		out.Enum = a.Enum
	}
	if a.Default != nil { // beside a reference, a default is meant for this place
		out.Default = a.Default
	}
	out.AllOf = append(slices.Clone(a.AllOf), b.AllOf...)
	if out.AnyOf == nil {
		out.AnyOf = a.AnyOf
	}
	if out.OneOf == nil {
		out.OneOf = a.OneOf
	}
	out.Required = append(slices.Clone(a.Required), b.Required...)
	if a.Properties != nil {
		out.Properties = maps.Clone(a.Properties)
		for name, property := range b.Properties {
			if mine := a.Properties[name]; mine != nil {
				property = &jsonschema.Schema{AllOf: []*jsonschema.Schema{mine, property}}
			}
			out.Properties[name] = property
		}
	}
	return out
}
