package instance

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/google/jsonschema-go/jsonschema"
)

// ErrSchema marks a text that is no JSON Schema (draft 7 or 2020-12).
var ErrSchema = errors.New("not a JSON Schema")

// maxDepth bounds values whose schemas contain themselves, maxParts those that do so several times over.
const (
	maxDepth = 16
	maxParts = 10000
)

// Make returns a value as JSON, spaced like Python's: {"city": "Paris"}. hint is what a user said: of an enumeration it
// selects the value that it mentions, and its last word stands where any string would do.
func Make(schema json.RawMessage, hint string) (string, error) {
	var root jsonschema.Schema
	if err := json.Unmarshal(schema, &root); err != nil {
		return "", fmt.Errorf("%w: %w", ErrSchema, err)
	}
	accepts, err := root.Resolve(nil)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrSchema, err)
	}
	var refused error
	for _, lean := range []bool{false, true} {
		m := maker{root: &root, hint: hint, lean: lean}
		value, err := m.value(&root, 0, 0)
		if err == nil {
			text := dump(value)
			if err = validate(accepts, text); err == nil {
				return text, nil
			}
		}
		refused = err
	}
	return "", fmt.Errorf("no value found for the schema: %w", refused)
}

func validate(schema *jsonschema.Resolved, text string) error {
	var value any
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		return err
	}
	return schema.Validate(value)
}

// maker makes the parts of one value.
type maker struct {
	root *jsonschema.Schema
	hint string
	lean bool // leave out what is not required

	parts int // tried so far
}

// value makes one for s. nth tells apart the items of one array.
func (m *maker) value(s *jsonschema.Schema, depth, nth int) (any, error) {
	if m.parts++; depth > maxDepth || m.parts > maxParts {
		return nil, errors.New("it contains itself, or has too many parts")
	}
	s, err := m.flat(s, depth)
	if err != nil {
		return nil, err
	}
	if v, ok := m.given(s, nth); ok {
		return v, nil
	}
	switch kind := kindOf(s); kind {
	case "null":
		return nil, nil
	case "boolean":
		return nth%2 == 0, nil
	case "integer", "number":
		return number(s, kind == "integer", nth), nil
	case "string":
		return m.text(s, nth)
	case "array":
		return m.array(s, depth)
	case "object":
		return m.object(s, depth)
	default:
		return nil, fmt.Errorf("type %q is not known", kind)
	}
}

// given finds a value that the schema itself writes down.
func (m *maker) given(s *jsonschema.Schema, nth int) (any, bool) {
	var fallback any
	switch {
	case s.Const != nil:
		return *s.Const, true
	case len(s.Enum) > 0:
		for _, v := range s.Enum {
			if word, ok := v.(string); ok && mentions(m.hint, word) && nth == 0 {
				return v, true
			}
		}
		return s.Enum[nth%len(s.Enum)], true
	case json.Unmarshal(s.Default, &fallback) == nil && fallback != nil: // null says that there is none
		return fallback, true
	case len(s.Examples) > 0:
		return s.Examples[nth%len(s.Examples)], true
	}
	return nil, false
}

// mentions ignores case. An empty word is in no text.
func mentions(text, word string) bool {
	return word != "" && strings.Contains(strings.ToLower(text), strings.ToLower(word))
}

// kindOf is the type of a schema's values: the one it names, or what its other keywords are about.
func kindOf(s *jsonschema.Schema) string {
	kinds := s.Types
	if s.Type != "" {
		kinds = []string{s.Type}
	}
	for _, kind := range kinds {
		if kind != "null" || len(kinds) == 1 {
			return kind
		}
	}
	switch {
	case s.Properties != nil || s.Required != nil || s.MinProperties != nil:
		return "object"
	case s.Items != nil || s.PrefixItems != nil || s.MinItems != nil:
		return "array"
	case s.Minimum != nil || s.Maximum != nil || s.ExclusiveMinimum != nil || s.ExclusiveMaximum != nil || s.MultipleOf != nil:
		return "number"
	}
	return "string"
}
