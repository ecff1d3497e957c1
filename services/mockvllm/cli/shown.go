package cli

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
)

// secrets are options whose values no log shows.
var secrets = []string{"--api-key", "--hf-token", "--watermark-config"}

// Shown are the arguments as the log of vLLM has them, as Python writes a dict's items: in the order of the options' registration,
// each with the last value that it was given.
func (l Line) Shown() []string {
	last := map[*Option]string{}
	for _, g := range l.Given {
		last[g.Option] = g.shown()
	}
	var items []string
	if l.Model != "" {
		items = append(items, "'model_tag': "+pyjson.Repr(l.Model))
		last[l.model] = pyjson.Repr(l.Model)
	}
	for _, o := range slices.SortedFunc(maps.Keys(last), func(a, b *Option) int { return cmp.Compare(a.place, b.place) }) {
		items = append(items, pyjson.Repr(strings.ReplaceAll(o.Name()[2:], "-", "_"))+": "+last[o])
	}
	return items
}

func (g Given) shown() string {
	if slices.Contains(secrets, g.Option.Name()) {
		return "'***'"
	}
	values := make([]string, len(g.Values))
	for i, v := range g.Values {
		values[i] = g.Option.shown(v)
	}
	if g.Option.Nargs == "+" || g.Option.Nargs == "append" {
		return "[" + strings.Join(values, ", ") + "]"
	}
	return strings.Join(values, " ")
}

// shown is one value as Python writes it. A configuration of many fields is shown as its JSON alone.
func (o *Option) shown(value string) string {
	kind, optional := strings.CutPrefix(o.Type, "opt:")
	kind = strings.TrimPrefix(kind, "req:")
	switch {
	case optional && (value == "" || value == "None"):
		return "None"
	case o.takesNone():
		return pyjson.Repr(value == "true")
	}
	kind, _, _ = strings.Cut(kind, ":")
	switch kind {
	case "int":
		if n, ok := Int(value); ok {
			return pyjson.Repr(n)
		}
	case "size", "size_or_auto":
		if n, problem := Size(value); problem == "" {
			return pyjson.Repr(n)
		}
		return "-1"
	case "float":
		if f, ok := Float(value); ok {
			return pyjson.Repr(f)
		}
	case "loads", "config", "dict_or_str":
		if v, err := pyjson.DecodeString(value); err == nil {
			return pyjson.Repr(v)
		}
	}
	return pyjson.Repr(value)
}
