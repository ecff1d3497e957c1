// Package docs holds the API reference, so that the gateway can serve it.
package docs

import (
	"bytes"
	_ "embed" // for the document
	"encoding/json"
	"fmt"

	"go.yaml.in/yaml/v3"
)

//go:embed openapi.yaml
var openAPI []byte

// shared is the member that holds what the YAML writes once and uses often. Nobody reads it in JSON, where it is expanded.
const shared = "x-shared"

// OpenAPI returns openapi.yaml as JSON, its members in the order of the file, which is the order in which people read them.
func OpenAPI() ([]byte, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(openAPI, &doc); err != nil {
		return nil, fmt.Errorf("docs/openapi.yaml: %w", err)
	}
	var out bytes.Buffer
	if err := encode(&out, doc.Content[0]); err != nil {
		return nil, fmt.Errorf("docs/openapi.yaml: %w", err)
	}
	return out.Bytes(), nil
}

func encode(out *bytes.Buffer, n *yaml.Node) error {
	switch n.Kind {
	case yaml.AliasNode:
		return encode(out, n.Alias)
	case yaml.MappingNode:
		return encodeMapping(out, n)
	case yaml.SequenceNode:
		out.WriteByte('[')
		for i, item := range n.Content {
			if i > 0 {
				out.WriteByte(',')
			}
			if err := encode(out, item); err != nil {
				return err
			}
		}
		out.WriteByte(']')
		return nil
	default:
		var v any
		if err := n.Decode(&v); err != nil {
			return err
		}
		text, err := json.Marshal(v)
		out.Write(text)
		return err
	}
}

func encodeMapping(out *bytes.Buffer, n *yaml.Node) error {
	out.WriteByte('{')
	first := true
	for _, m := range members(n) {
		if m.name == shared {
			continue
		}
		if !first {
			out.WriteByte(',')
		}
		first = false
		name, err := json.Marshal(m.name)
		if err != nil {
			return err
		}
		out.Write(append(name, ':'))
		if err := encode(out, m.value); err != nil {
			return err
		}
	}
	out.WriteByte('}')
	return nil
}

type member struct {
	name  string
	value *yaml.Node
}

// members lists a mapping with what it merges in (<<). A member of its own replaces one that is merged.
func members(n *yaml.Node) []member {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	var all []member
	at := map[string]int{}
	put := func(m member, merged bool) {
		i, there := at[m.name]
		switch {
		case !there:
			at[m.name] = len(all)
			all = append(all, m)
		case !merged:
			all[i] = m
		}
	}
	for i := 0; i < len(n.Content); i += 2 {
		if key, value := n.Content[i], n.Content[i+1]; key.Tag == "!!merge" {
			for _, m := range members(value) {
				put(m, true)
			}
		} else {
			put(member{key.Value, value}, false)
		}
	}
	return all
}
