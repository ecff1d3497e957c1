package spec

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"go.yaml.in/yaml/v3"
)

func parseYAML(data []byte) (*node, error) {
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var doc, second yaml.Node
	switch err := dec.Decode(&doc); {
	case errors.Is(err, io.EOF):
		return nil, errors.New("the file is empty: it needs at least llmModels")
	case err != nil:
		return nil, yamlError(err)
	}
	if err := dec.Decode(&second); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one YAML document: a models file is one")
	}
	return fromYAML(doc.Content[0])
}

func yamlError(err error) error {
	return fmt.Errorf("not YAML: %s", strings.TrimPrefix(err.Error(), "yaml: "))
}

func fromYAML(y *yaml.Node) (*node, error) {
	switch y.Kind {
	case yaml.ScalarNode:
		return fromScalar(y), nil
	case yaml.SequenceNode:
		n := &node{kind: list}
		for _, item := range y.Content {
			v, err := fromYAML(item)
			if err != nil {
				return nil, err
			}
			n.items = append(n.items, v)
		}
		return n, nil
	case yaml.MappingNode:
		return fromMapping(y)
	}
	// An alias can stand for a value that holds itself, and a chain of them for more values than memory has.
	return nil, fmt.Errorf("line %d, column %d: YAML aliases are not supported; write the value out", y.Line, y.Column)
}

func fromMapping(y *yaml.Node) (*node, error) {
	n := &node{kind: mapping}
	for i := 0; i+1 < len(y.Content); i += 2 {
		key := y.Content[i]
		if key.Kind != yaml.ScalarNode {
			return nil, fmt.Errorf("line %d, column %d: a name has to be a plain string", key.Line, key.Column)
		}
		v, err := fromYAML(y.Content[i+1])
		if err != nil {
			return nil, err
		}
		n.members = append(n.members, member{key.Value, v})
	}
	return n, nil
}

func fromScalar(y *yaml.Node) *node {
	switch y.ShortTag() {
	case "!!null":
		return &node{kind: null}
	case "!!bool":
		return &node{kind: boolean, text: strings.ToLower(y.Value)}
	case "!!int", "!!float":
		return &node{kind: number, text: y.Value}
	}
	return &node{kind: text, text: y.Value}
}
