package cli

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
)

// fromFile puts the options of `--config file.yaml` before the others, behind the model.
func (t Table) fromFile(args []string) ([]string, error) {
	i := slices.Index(args, "--config")
	if i < 0 {
		return args, nil
	}
	if i+1 == len(args) {
		return nil, errors.New("No config file specified! Please check your command-line arguments.") //nolint:staticcheck // vLLM's words
	}
	given, err := t.readFile(args[i+1])
	if err != nil {
		return nil, fmt.Errorf("read --config %s: %w", args[i+1], err)
	}
	args = slices.Concat(args[:i], args[i+2:])
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		return slices.Concat(args[:1], given, args[1:]), nil
	}
	if !slices.Contains(given, "--model") {
		return nil, errors.New("No model specified! Please specify model either as a positional argument or in a config file.") //nolint:staticcheck // vLLM's words
	}
	return slices.Concat(given, args), nil
}

func (t Table) readFile(path string) ([]string, error) {
	if extension := path[strings.LastIndex(path, ".")+1:]; extension != "yaml" && extension != "yml" {
		return nil, fmt.Errorf("Config file must be of a yaml/yml type. %s supplied", extension) //nolint:staticcheck // vLLM's words
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return nil, err
	}
	if len(doc.Content) != 1 || doc.Content[0].Kind != yaml.MappingNode {
		return nil, errors.New("the file is no mapping of options")
	}
	var args []string
	pairs := doc.Content[0].Content
	for i := 0; i+1 < len(pairs); i += 2 {
		args = append(args, t.fromYAML("--"+pairs[i].Value, pairs[i+1])...)
	}
	return args, nil
}

// fromYAML is one option of the file as arguments.
func (t Table) fromYAML(name string, n *yaml.Node) []string {
	switch n.Kind {
	case yaml.MappingNode:
		return []string{name, pyjson.Dumps(value(n))}
	case yaml.SequenceNode:
		var args []string
		for _, item := range n.Content {
			args = append(args, pyjson.Str(value(item)))
		}
		if args == nil {
			return nil
		}
		return append([]string{name}, args...)
	}
	switch on, isBool := truth(n); {
	case isBool && on:
		return []string{name}
	case isBool && t.has("--no-"+name[2:]):
		return []string{"--no-" + name[2:]}
	case isBool:
		return nil
	}
	return []string{name, pyjson.Str(value(n))}
}

// truth reads YAML 1.1's booleans, which PyYAML knows.
func truth(n *yaml.Node) (on, ok bool) {
	if n.Kind != yaml.ScalarNode || n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0 {
		return false, false
	}
	switch strings.ToLower(n.Value) {
	case "true", "yes", "on":
		return true, true
	case "false", "no", "off":
		return false, true
	}
	return false, false
}

// value is what PyYAML makes of a node.
func value(n *yaml.Node) any {
	switch n.Kind {
	case yaml.MappingNode:
		o := &pyjson.Object{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			o.Set(n.Content[i].Value, value(n.Content[i+1]))
		}
		return o
	case yaml.SequenceNode:
		list := []any{}
		for _, item := range n.Content {
			list = append(list, value(item))
		}
		return list
	case yaml.AliasNode:
		if n.Alias.Kind == yaml.ScalarNode { // a longer one may hold itself
			return value(n.Alias)
		}
		return nil
	}
	if on, ok := truth(n); ok {
		return on
	}
	var v any
	if n.Decode(&v) != nil {
		return n.Value
	}
	switch v.(type) {
	case nil, int, float64:
		return v
	}
	return n.Value
}
