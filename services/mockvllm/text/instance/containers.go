package instance

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/google/jsonschema-go/jsonschema"
)

// object is one whose members keep their order.
type object []member

type member struct {
	name  string
	value any
}

// optionalDepth is how deep members are made that nothing requires: what a model would fill in as well.
const optionalDepth = 3

// object has the required members in the order in which they are required, then the others by name.
func (m *maker) object(s *jsonschema.Schema, depth int) (any, error) {
	names := slices.Clone(s.Required)
	if depth < optionalDepth && !m.lean {
		names = append(names, slices.Sorted(maps.Keys(s.Properties))...)
	}
	o := object{}
	seen := map[string]bool{}
	for i, name := range names {
		if seen[name] {
			continue
		}
		seen[name] = true
		property := s.Properties[name]
		if property == nil {
			property = cmp.Or(s.AdditionalProperties, &jsonschema.Schema{})
		}
		v, err := m.value(property, depth+1, 0)
		switch {
		case err == nil:
			o = append(o, member{name, v})
		case i < len(s.Required):
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return o, nil
}

// array has one item, or as many as it must.
func (m *maker) array(s *jsonschema.Schema, depth int) (any, error) {
	items := append(slices.Clone(s.PrefixItems), s.ItemsArray...)
	n := max(len(items), 1)
	if m.lean || depth >= optionalDepth || s.MaxItems != nil && *s.MaxItems < n {
		n = 0
	}
	if s.MinItems != nil {
		n = max(n, *s.MinItems)
	}
	if n > maxItems {
		return nil, fmt.Errorf("%d items are too many", n)
	}
	list := make([]any, 0, n)
	for i := range n {
		item := cmp.Or(s.Items, &jsonschema.Schema{})
		if i < len(items) {
			item = items[i]
		}
		v, err := m.value(item, depth+1, i)
		if err != nil {
			return nil, fmt.Errorf("item %d: %w", i, err)
		}
		list = append(list, v)
	}
	return list, nil
}

// maxItems and maxText keep values small enough for an answer.
const (
	maxItems = 1000
	maxText  = 10000
)

// dump writes JSON as Python's json.dumps(..., ensure_ascii=False) does.
func dump(v any) string {
	switch v := v.(type) {
	case object:
		text := "{"
		for i, m := range v {
			if i > 0 {
				text += ", "
			}
			text += dump(m.name) + ": " + dump(m.value)
		}
		return text + "}"
	case map[string]any:
		o := make(object, 0, len(v))
		for _, name := range slices.Sorted(maps.Keys(v)) {
			o = append(o, member{name, v[name]})
		}
		return dump(o)
	case []any:
		text := "["
		for i, item := range v {
			if i > 0 {
				text += ", "
			}
			text += dump(item)
		}
		return text + "]"
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil { // scalars of decoded JSON, all of them finite
		panic(fmt.Sprintf("BUG: %T does not encode: %v", v, err))
	}
	return string(bytes.TrimSuffix(b.Bytes(), []byte("\n")))
}
