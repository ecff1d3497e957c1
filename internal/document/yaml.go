package document

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"go.yaml.in/yaml/v3"
)

// ParseYAML reads one YAML document without aliases.
func ParseYAML(data []byte) (*Node, error) {
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var doc, second yaml.Node
	switch err := dec.Decode(&doc); {
	case errors.Is(err, io.EOF):
		return nil, ErrEmpty
	case err != nil:
		return nil, fmt.Errorf("not YAML: %s", strings.TrimPrefix(err.Error(), "yaml: "))
	}
	if err := dec.Decode(&second); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one YAML document: the file is to be one")
	}
	return fromYAML(doc.Content[0])
}

func fromYAML(y *yaml.Node) (*Node, error) {
	switch y.Kind {
	case yaml.ScalarNode:
		return fromScalar(y), nil
	case yaml.SequenceNode:
		n := &Node{Kind: List}
		for _, item := range y.Content {
			v, err := fromYAML(item)
			if err != nil {
				return nil, err
			}
			n.Items = append(n.Items, v)
		}
		return n, nil
	case yaml.MappingNode:
		return fromMapping(y)
	}
	// An alias can stand for a value that holds itself, and a chain of them for more values than memory has.
	return nil, fmt.Errorf("line %d, column %d: YAML aliases are not supported; write the value out", y.Line, y.Column)
}

func fromMapping(y *yaml.Node) (*Node, error) {
	n := &Node{Kind: Mapping}
	for i := 0; i+1 < len(y.Content); i += 2 {
		key := y.Content[i]
		if key.Kind != yaml.ScalarNode {
			return nil, fmt.Errorf("line %d, column %d: a name has to be a plain string", key.Line, key.Column)
		}
		v, err := fromYAML(y.Content[i+1])
		if err != nil {
			return nil, err
		}
		n.Members = append(n.Members, Member{key.Value, v})
	}
	return n, nil
}

func fromScalar(y *yaml.Node) *Node {
	switch y.ShortTag() {
	case "!!null":
		return &Node{}
	case "!!bool":
		return &Node{Kind: Boolean, Text: strings.ToLower(y.Value)}
	case "!!int", "!!float":
		return &Node{Kind: Number, Text: y.Value}
	}
	return &Node{Kind: Text, Text: y.Value}
}
