package declared

import (
	"slices"
	"strings"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema/refusal"
)

// vLLM compiles structural tags by xgrammar before the schema looks at the body. What xgrammar wants of their form is
// checked here; the schemas, expressions and grammars in them are not.

func badTag(param string) *refusal.Error {
	return refusal.Invalid(param, nil, "Invalid %s structural_tag specification.", param)
}

// structuralTagFormat checks a response_format of that type.
func structuralTagFormat(format *pyjson.Object) *refusal.Error {
	for _, name := range []string{"LegacyStructuralTagResponseFormat", "StructuralTagResponseFormat"} {
		if _, ok := Models().Instance(name, format); ok && goodTag(format) {
			return nil
		}
	}
	return badTag("response_format")
}

// structuredOutputsTag checks the structural_tag of structured_outputs.
func structuredOutputsTag(outputs any) *refusal.Error {
	o, _ := outputs.(*pyjson.Object)
	tag := o.Value("structural_tag")
	if tag == nil {
		return nil
	}
	text, _ := tag.(string)
	v, err := pyjson.DecodeString(text)
	format, ok := v.(*pyjson.Object)
	if err != nil || !ok || !goodTag(format) {
		return badTag("structured_outputs")
	}
	return nil
}

// goodTag takes a whole structural tag, of the new form or the old one.
func goodTag(o *pyjson.Object) bool {
	structures, legacy := o.Get("structures")
	if !legacy {
		return goodFormat(o.Value("format"))
	}
	list, _ := structures.([]any)
	var begins []any
	for _, s := range list {
		item, _ := s.(*pyjson.Object)
		_, isObject := item.Value("schema").(*pyjson.Object)
		if _, isBool := item.Value("schema").(bool); !isObject && !isBool {
			return false
		}
		begins = append(begins, item.Value("begin"))
	}
	return triggered(begins, o.Value("triggers"))
}

// triggered tells whether each beginning starts with exactly one of the triggers, none of which is empty.
func triggered(begins []any, triggers any) bool {
	list, _ := triggers.([]any)
	if len(begins) == 0 || len(list) == 0 || slices.Contains(list, any("")) {
		return false
	}
	used := map[any]bool{}
	for _, b := range begins {
		begin, isText := b.(string)
		matches := 0
		for _, t := range list {
			if trigger, ok := t.(string); ok && isText && strings.HasPrefix(begin, trigger) {
				matches++
				used[trigger] = true
			}
		}
		if matches != 1 {
			return false
		}
	}
	return len(used) == len(list)
}

func goodFormat(v any) bool {
	o, ok := v.(*pyjson.Object)
	if !ok {
		return false
	}
	text := func(name string) bool { _, ok := o.Value(name).(string); return ok }
	switch kind, _ := o.Value("type").(string); kind {
	case "any_text":
		return true
	case "const_string":
		return text("value")
	case "json_schema", "qwen_xml_parameter":
		_, isObject := o.Value("json_schema").(*pyjson.Object)
		_, isBool := o.Value("json_schema").(bool)
		return isObject || isBool
	case "regex":
		return text("pattern")
	case "grammar":
		return text("grammar")
	case "sequence", "or":
		return allOf(o.Value("elements"), goodFormat)
	case "tag":
		return goodTagFormat(o)
	case "triggered_tags":
		tags, _ := o.Value("tags").([]any)
		var begins []any
		for _, t := range tags {
			tag, _ := t.(*pyjson.Object)
			begins = append(begins, tag.Value("begin"))
		}
		return allOf(o.Value("tags"), goodTagFormat) && triggered(begins, o.Value("triggers"))
	case "tags_with_separator":
		return allOf(o.Value("tags"), goodTagFormat) && text("separator")
	}
	return false
}

func goodTagFormat(v any) bool {
	o, _ := v.(*pyjson.Object)
	_, begins := o.Value("begin").(string)
	end, ends := o.Value("end").(string)
	content, _ := o.Value("content").(*pyjson.Object)
	if content.Value("type") == "any_text" && end == "" {
		return false
	}
	return begins && ends && goodFormat(content)
}
