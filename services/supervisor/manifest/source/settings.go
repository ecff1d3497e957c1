package source

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/fluidmcp/fluidmcp/internal/document"
	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest/argv"
	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest/fields"
	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest/strict"
)

// Setting is a field of a model as the file has it.
type Setting struct {
	Path   string // in the entry, such as limits.inflight
	Shown  string // its value as people may see it: ${NAME} is not replaced, and secrets are hidden
	Remote bool   // it may be changed over HTTP
	value  string
}

// Same tells whether two settings have the same value, also where it is hidden.
func (s Setting) Same(other Setting) bool { return s.value == other.value }

// Refers tells whether the value takes something from the environment.
func (s Setting) Refers() bool { return strings.Contains(s.value, "${") }

// Settings lists what the file says of a model, in its order. Lists and what is in them are one setting each.
func (s *Source) Settings(id string) []Setting {
	var all []Setting
	entry := s.Entry(id)
	if entry == nil {
		return nil
	}
	known := fields.OfModel()
	for _, m := range entry.Members {
		field := slices.IndexFunc(known, func(f strict.Field) bool { return f.Name == m.Name })
		if field < 0 { // a fault, which read.Plan reports
			continue
		}
		all = flatten(all, m.Name, m.Value, known[field])
	}
	return all
}

// Shared lists what the file says beside its models.
func (s *Source) Shared() []Setting {
	var all []Setting
	for _, m := range s.root.Members {
		if m.Name != fields.Models && m.Name != "$schema" {
			all = flatten(all, m.Name, m.Value, strict.Field{Remote: true})
		}
	}
	return all
}

// flatten adds the settings below a value of a field of the entry.
func flatten(all []Setting, path string, n *document.Node, top strict.Field) []Setting {
	if n.Kind == document.Mapping {
		for _, m := range n.Members {
			all = flatten(all, strict.Join(path, m.Name), m.Value, top)
		}
		return all
	}
	value := compact(n)
	if top.Name == "args" { // 8001 and "8001" are the same argument
		value = fmt.Sprintf("%q", textsOf(n.Items))
	}
	return append(all, Setting{Path: path, Shown: shown(path, n), Remote: top.Remote, value: value})
}

// shown is a value for people.
func shown(path string, n *document.Node) string {
	switch top, name, _ := strings.Cut(path, "."); {
	case top == "api_key", top == "env", top == "config" && argv.SecretFlag.MatchString("--"+strings.Trim(name, `"-`)):
		return argv.Hidden
	case top == "args" && n.Kind == document.List:
		var args argv.Line
		for _, item := range n.Items {
			args = append(args, strict.Word{Value: item.Text, Shown: compact(item)})
		}
		return args.Redacted().String()
	}
	return compact(n)
}

func textsOf(items []*document.Node) []string {
	texts := make([]string, len(items))
	for i, item := range items {
		texts[i] = item.Text
	}
	return texts
}

// compact is a value in one line: a scalar as it is, all else as JSON.
func compact(n *document.Node) string {
	switch n.Kind {
	case document.List, document.Mapping:
		text, err := json.Marshal(plainValue(n))
		if err != nil {
			return err.Error() // never: there is nothing in it but text, lists and maps
		}
		return string(text)
	case document.Null:
		return "null"
	}
	return n.Text
}

func plainValue(n *document.Node) any {
	switch n.Kind {
	case document.List:
		list := make([]any, len(n.Items))
		for i, item := range n.Items {
			list[i] = plainValue(item)
		}
		return list
	case document.Mapping:
		object := map[string]any{}
		for _, m := range n.Members {
			object[m.Name] = plainValue(m.Value)
		}
		return object
	case document.Text:
		return n.Text
	}
	if text := compact(n); json.Valid([]byte(text)) {
		return json.RawMessage(text) // a number as it is written
	}
	return n.Text // YAML has more forms of numbers
}
