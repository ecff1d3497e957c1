package source

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/fluidmcp/fluidmcp/internal/document"
	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest/fields"
)

// Source is a models file as it is written: its fields by name, nothing of them checked yet. It does not change.
type Source struct {
	Name string // tells the notation, and stands in errors
	data []byte
	root *document.Node
}

// Read reads the text of a models file. The name tells the notation, YAML when it ends in .yaml or .yml.
func Read(name string, data []byte) (*Source, error) {
	root, err := parseTree(name, data)
	if err != nil {
		return nil, fmt.Errorf("models file %s: %w", name, err)
	}
	return &Source{Name: name, data: data, root: root}, nil
}

// Root is all of it.
func (s *Source) Root() *document.Node { return s.root }

// Says tells whether the source was read from this very text, and not changed since.
func (s *Source) Says(data []byte) bool { return s.data != nil && bytes.Equal(s.data, data) }

// Same tells whether two sources were read from the same text.
func (s *Source) Same(other *Source) bool { return other.data != nil && s.Says(other.data) }

// IDs are those of the models, in the order of the file.
func (s *Source) IDs() []string {
	var ids []string
	for _, m := range s.models() {
		ids = append(ids, m.Name)
	}
	return ids
}

// Entry is what the file says of a model, or nil.
func (s *Source) Entry(id string) *document.Node {
	for _, m := range s.models() {
		if m.Name == id {
			return m.Value
		}
	}
	return nil
}

func (s *Source) models() []document.Member {
	for _, m := range s.root.Members {
		if m.Name == fields.Models {
			return m.Value.Members
		}
	}
	return nil
}

// With is the source with another entry for a model, which may be new. nil takes the model out.
func (s *Source) With(id string, entry *document.Node) *Source {
	models := member(slices.Clone(s.models()), id, entry)
	root := &document.Node{Kind: document.Mapping, Members: member(slices.Clone(s.root.Members), fields.Models, &document.Node{Kind: document.Mapping, Members: models})}
	return &Source{Name: s.Name, root: root}
}

// Merge is base with the changes of patch, as RFC 7396 has it for JSON: members of objects are merged, null takes one out, and
// all else replaces what was there.
func Merge(base, patch *document.Node) *document.Node {
	if patch.Kind != document.Mapping {
		return patch
	}
	var members []document.Member
	if base != nil && base.Kind == document.Mapping {
		members = slices.Clone(base.Members)
	}
	for _, m := range patch.Members {
		value := m.Value
		if value.Kind == document.Null {
			value = nil
		} else {
			value = Merge(valueOf(members, m.Name), value)
		}
		members = member(members, m.Name, value)
	}
	return &document.Node{Kind: document.Mapping, Members: members}
}

func valueOf(members []document.Member, name string) *document.Node {
	for _, m := range members {
		if m.Name == name {
			return m.Value
		}
	}
	return nil
}

// member sets the value of a name, or takes the name out when it is nil.
func member(members []document.Member, name string, value *document.Node) []document.Member {
	at := slices.IndexFunc(members, func(m document.Member) bool { return m.Name == name })
	switch {
	case at < 0 && value == nil:
		return members
	case at < 0:
		return append(members, document.Member{Name: name, Value: value})
	case value == nil:
		return slices.Delete(members, at, at+1)
	}
	members[at].Value = value
	return members
}
