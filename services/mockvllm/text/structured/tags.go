package structured

import (
	"fmt"
	"slices"
	"strings"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/text/structured/grammar"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/text/structured/grammar/ebnf"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/text/structured/keyword"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/text/structured/schema"
)

// part makes one part of a text.
type part func(src Source) string

// compileTag reads {"structures": ..., "triggers": ...}, and the form with a tree of formats. What is wrong with the second form
// vLLM reports as a fault of the first.
func compileTag(spec string) (*Constraint, error) {
	v, err := pyjson.DecodeString(spec)
	tag, ok := v.(*pyjson.Object)
	var p part
	switch {
	case err != nil:
		return nil, Error("Invalid grammar specification: Expecting value: line 1 column 1 (char 0)")
	case !ok:
		return nil, Error("Invalid grammar specification: list indices must be integers or slices, not str")
	case keyword.Has(tag, "structures"):
		p, err = structures(tag)
	default:
		p, err = formatPart(tag.Value("format"), 0)
	}
	if err != nil {
		return nil, err
	}
	return &Constraint{generate: p}, nil
}

// structures is the older form: free text with tagged values in it.
func structures(tag *pyjson.Object) (part, error) {
	triggers, ok := tag.Value("triggers").([]any)
	if !ok {
		return nil, Error("Invalid grammar specification: 'triggers'")
	}
	list, _ := tag.Value("structures").([]any)
	if len(list) == 0 {
		return nil, Error("No structural tags found in the grammar spec.")
	}
	var parts []part
	for _, s := range list {
		o, _ := s.(*pyjson.Object)
		from, ok1 := o.Value("begin").(string)
		to, ok2 := o.Value("end").(string)
		inner, ok3 := o.Get("schema")
		if !ok1 || !ok2 || !ok3 {
			return nil, Error("Invalid grammar specification: 'begin'")
		}
		if !slices.ContainsFunc(triggers, func(t any) bool { text, ok := t.(string); return ok && strings.HasPrefix(from, text) }) {
			return nil, Error(fmt.Sprintf("Trigger %s not found in triggers %s", from, pyjson.Repr(triggers)))
		}
		value, err := compileJSON(pyjson.DumpsUnicode(inner))
		if err != nil {
			return nil, err
		}
		parts = append(parts, func(src Source) string { return from + value.Generate(src) + to })
	}
	return oneOf(parts), nil
}

func oneOf(parts []part) part {
	return func(src Source) string {
		if src.Guide {
			return parts[0](src)
		}
		return parts[src.Rand.IntN(len(parts))](src)
	}
}

// errTag is how vLLM refuses a tree of formats.
const errTag = Error("Invalid grammar specification: 'triggers'")

// formatPart reads one format of a tree.
func formatPart(v any, depth int) (part, error) {
	o, ok := v.(*pyjson.Object)
	if !ok || depth > maxNesting {
		return nil, errTag
	}
	get := func(key string) string { s, _ := o.Value(key).(string); return s }
	switch get("type") {
	case "const_string":
		text := get("value")
		return func(Source) string { return text }, nil
	case "any_text":
		return func(src Source) string { return "Mock response" }, nil
	case "json_schema":
		return jsonPart(o.Value("json_schema"))
	case "regex":
		g, err := grammar.Regexp(get("pattern"))
		return fromTagGrammar(g, err)
	case "grammar":
		g, err := ebnf.Read(get("grammar"))
		return fromTagGrammar(g, err)
	case "sequence", "or":
		return several(o, get("type") == "or", depth)
	case "tag":
		return tagPart(o, depth)
	case "triggered_tags", "tags_with_separator":
		return taggedText(o, depth)
	}
	return nil, errTag
}

// jsonPart is a value of a schema. What xgrammar does not look at does not count.
func jsonPart(root any) (part, error) {
	o, isObject := root.(*pyjson.Object)
	if !isObject && root != true || !Holds(root) {
		return nil, errTag
	}
	s, err := compileOr(pyjson.DumpsUnicode(root), func() (*schema.Schema, error) { return loose(o) })
	if err != nil {
		return nil, err
	}
	return s.Generate, nil
}

func fromTagGrammar(g *grammar.Grammar, err error) (part, error) {
	if err != nil {
		return nil, errTag
	}
	return fromGrammar(g).Generate, nil
}

func partsOf(o *pyjson.Object, key string, depth int) (parts []part, err error) {
	list, _ := o.Value(key).([]any)
	for _, item := range list {
		if inner, ok := item.(*pyjson.Object); ok && key == "tags" && !keyword.Has(inner, "type") {
			inner = inner.Clone()
			inner.Set("type", "tag")
			item = inner
		}
		p, err := formatPart(item, depth+1)
		if err != nil {
			return nil, err
		}
		parts = append(parts, p)
	}
	if len(parts) == 0 {
		return nil, errTag
	}
	return parts, nil
}

func several(o *pyjson.Object, choose bool, depth int) (part, error) {
	parts, err := partsOf(o, "elements", depth)
	if err != nil || choose {
		return oneOf(parts), err
	}
	return func(src Source) string {
		text := ""
		for _, p := range parts {
			text += p(src)
		}
		return text
	}, nil
}

func tagPart(o *pyjson.Object, depth int) (part, error) {
	inner, err := formatPart(o.Value("content"), depth+1)
	begin, end := o.Value("begin"), o.Value("end")
	if ends, ok := end.([]any); ok && len(ends) > 0 {
		end = ends[0]
	}
	from, ok1 := begin.(string)
	to, ok2 := end.(string)
	if err != nil || !ok1 || !ok2 {
		return nil, errTag
	}
	return func(src Source) string { return from + inner(src) + to }, nil
}

// taggedText is free text with tags in it, or tags with a separator: one of them is enough.
func taggedText(o *pyjson.Object, depth int) (part, error) {
	parts, err := partsOf(o, "tags", depth)
	if err != nil {
		return nil, err
	}
	return oneOf(parts), nil
}
